// Pooling, reductions, LRN, softmax.
#include <algorithm>
#include <cmath>

#include "dla/compile/lower.h"

namespace dlaexec::dla {
namespace {

void require_same_scale(const Builder& builder, CubeId input, CubeId output) {
  const Cube& from = builder.cube(input);
  const Cube& to = builder.cube(output);
  if (from.type != to.type || from.scale != to.scale)
    fail("its input is {} scale {:.6g}, its output {} scale {:.6g}; the DLA keeps both here",
         ir::text(from.type), from.scale, ir::text(to.type), to.scale);
}

/// Padding past the end that makes @p windows windows of an axis; what a ceiling adds counts.
int64_t end_padding(int64_t size, int64_t windows, int64_t kernel, int64_t stride, int64_t begin) {
  return std::max<int64_t>(0, (windows - 1) * stride + kernel - size - begin);
}

int32_t reciprocal_of(int64_t size) {
  return static_cast<int32_t>(std::lround(65536.0 / static_cast<double>(size)));
}

/// The axis of a 4-D or 2-D tensor as one of N, C, H, W.
int64_t nchw_axis(const Builder& builder, ir::ValueId value, int64_t axis) {
  const auto rank = static_cast<int64_t>(builder.graph().value(value).shape.size());
  return axis < 0 ? axis + rank : axis;
}

}  // namespace

void lower_pool(Builder& builder, const ir::Node& node) {
  const auto& attributes = node.get<ir::PoolAttributes>();
  const CubeId input = builder.cube_of(node.inputs[0]);
  const CubeId output = builder.cube_of(node.outputs[0]);
  if (attributes.kernel.size() != 2) fail("the DLA pools in two dimensions");
  if (attributes.kind == ir::PoolKind::Lp) fail("the DLA pools by maximum and average");
  if (node.outputs.size() > 1) fail("the DLA gives no indices of maxima");
  if (std::ranges::any_of(attributes.dilation, [](int64_t d) { return d != 1; }))
    fail("the DLA does not dilate a pooling window");
  require_same_scale(builder, input, output);
  const Nchw& in = builder.cube(input).dims;
  const Nchw& out = builder.cube(output).dims;
  PdpParameters pool;
  pool.kind = attributes.kind == ir::PoolKind::Max ? PdpKind::Max : PdpKind::Average;
  pool.kernel = {attributes.kernel[0], attributes.kernel[1]};
  if (attributes.stride.size() == 2) pool.stride = {attributes.stride[0], attributes.stride[1]};
  if (attributes.pads.size() == 4) pool.pad = {attributes.pads[0], attributes.pads[1]};
  pool.pad.bottom = end_padding(in.h, out.h, pool.kernel.h, pool.stride.h, pool.pad.top);
  pool.pad.right = end_padding(in.w, out.w, pool.kernel.w, pool.stride.w, pool.pad.left);
  const bool is_padded = pool.pad != Padding{};
  if (pool.kind == PdpKind::Average) {
    if (is_padded && !attributes.count_include_pad)
      fail("its average leaves the padding out; the DLA's counts it");
    pool.reciprocal_w = reciprocal_of(pool.kernel.w);
    pool.reciprocal_h = reciprocal_of(pool.kernel.h);
  }
  builder.add(node, builder.cube(input).type, input, output, pool);
}

void lower_reduce(Builder& builder, const ir::Node& node) {
  const auto& attributes = node.get<ir::ReduceAttributes>();
  if (attributes.kind != ir::ReduceKind::Max)
    fail("the DLA reduces by maximum, not by {}", ir::text(attributes.kind));
  if (builder.generation() == Generation::Xavier) fail("Xavier's DLA has no reductions");
  const CubeId input = builder.cube_of(node.inputs[0]);
  const CubeId output = builder.cube_of(node.outputs[0]);
  require_same_scale(builder, input, output);
  const Nchw& in = builder.cube(input).dims;
  const Nchw& out = builder.cube(output).dims;
  const bool keeps_batch =
      std::ranges::none_of(attributes.axes, [](int64_t axis) { return axis == 0; });
  const bool leaves_tail = attributes.keep_dims || (out.h == 1 && out.w == 1 && out.c == in.c);
  if (!keeps_batch || !leaves_tail)
    fail("the DLA reduces C, H and W and keeps them as dimensions of 1");
  PdpParameters pool;
  pool.kind = PdpKind::ReduceMax;
  builder.add(node, builder.cube(input).type, input, output, pool);
}

void lower_lrn(Builder& builder, const ir::Node& node) {
  const auto& attributes = node.get<ir::LrnAttributes>();
  const CubeId input = builder.cube_of(node.inputs[0]);
  const CubeId output = builder.cube_of(node.outputs[0]);
  if (attributes.size > 9 || attributes.size % 2 == 0)
    fail("its window is {}; the DLA normalizes over 3, 5, 7 or 9 channels", attributes.size);
  CdpParameters cdp;
  cdp.kind = CdpKind::Lrn;
  cdp.size = attributes.size;
  cdp.lut = lrn_table(builder, attributes);
  cdp.input = scale_in(builder.cube(input));
  cdp.output = scale_out(builder.cube(output));
  builder.add(node, ir::DataType::Float16, input, output, cdp);
}

void lower_softmax(Builder& builder, const ir::Node& node) {
  const auto& attributes = node.get<ir::SoftmaxAttributes>();
  if (builder.generation() == Generation::Xavier) fail("Xavier's DLA has no softmax");
  if (attributes.kind != ir::SoftmaxKind::Softmax)
    fail("the DLA has softmax, not {}", ir::text(attributes.kind));
  const CubeId input = builder.cube_of(node.inputs[0]);
  const CubeId output = builder.cube_of(node.outputs[0]);
  const Nchw& dims = builder.cube(input).dims;
  CdpParameters cdp;
  cdp.kind = CdpKind::Softmax;
  cdp.axis = nchw_axis(builder, node.inputs[0], attributes.axis);
  if (cdp.axis < 1 || cdp.axis > 3) fail("the DLA takes softmax over C, H or W");
  if (attributes.flatten && !(cdp.axis == 1 && dims.h == 1 && dims.w == 1))
    fail("it takes softmax over several dimensions together; the DLA takes one");
  cdp.input = scale_in(builder.cube(input));
  cdp.output = scale_out(builder.cube(output));
  builder.add(node, ir::DataType::Float16, input, output, cdp);
}

}  // namespace dlaexec::dla
