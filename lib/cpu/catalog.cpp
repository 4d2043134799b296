#include "cpu/catalog.h"

#include <algorithm>
#include <iterator>

namespace dlaexec::cpu {
namespace {

/// One row: a maker for nodes of an op. Of several rows with the same op, the first that can, does.
struct Row {
  ir::Op op;
  Maker make;
};

constexpr Row kCatalog[] = {
    {ir::Op::Conv, make_depthwise_conv},
    {ir::Op::Conv, make_first_conv},
    {ir::Op::Conv, make_winograd_conv},
    {ir::Op::Conv, make_direct_conv},
    {ir::Op::Conv, make_int8_depthwise_conv},
    {ir::Op::Conv, make_first_int8_conv},
    {ir::Op::Conv, make_int8_conv},
    {ir::Op::Deconv, make_deconv},
    {ir::Op::Gemm, make_gemm},
    {ir::Op::Gemm, make_int8_gemm},
    {ir::Op::MatMul, make_matmul},
    {ir::Op::MatMul, make_int8_matmul},
    {ir::Op::MatMul, make_int8_batched_matmul},
    {ir::Op::Activation, make_activation},
    {ir::Op::Unary, make_unary},
    {ir::Op::Elementwise, make_elementwise},
    {ir::Op::Scale, make_scale},
    {ir::Op::BatchNorm, make_scale},
    {ir::Op::Pool, make_pool},
    {ir::Op::Reduce, make_global_average},
    {ir::Op::Reduce, make_last_axes_reduce},
    {ir::Op::Lrn, make_lrn},
    {ir::Op::Softmax, make_softmax},
    {ir::Op::LayerNorm, make_last_axes_norm},
    {ir::Op::RmsNorm, make_last_axes_norm},
    {ir::Op::InstanceNorm, make_instance_norm},
    {ir::Op::Transpose, make_transpose},
    {ir::Op::Slice, make_slice},
    {ir::Op::Split, make_split},
    {ir::Op::Expand, make_expand},
    {ir::Op::DepthToSpace, make_depth_to_space},
    {ir::Op::SpaceToDepth, make_depth_to_space},
    {ir::Op::Gather, make_gather},
    {ir::Op::Resize, make_resize},
    {ir::Op::Concat, make_concat},
    {ir::Op::Reshape, make_view},
    {ir::Op::Flatten, make_view},
    {ir::Op::Squeeze, make_view},
    {ir::Op::Unsqueeze, make_view},
    {ir::Op::Identity, make_view},
    {ir::Op::Reformat, make_reformat},
    {ir::Op::Quantize, make_quantize},
    {ir::Op::Dequantize, make_dequantize},
};

/// Whether every operand has known dimensions and at least one element: what makers may assume.
bool is_plain(const Request& request) {
  const auto plain = [&](ir::ValueId id) {
    if (id == ir::kNoValue) return true;
    const ir::Shape& shape = request.graph.value(id).shape;
    return ir::is_static(shape) && ir::volume(ir::dims_of(shape)) > 0;
  };
  for (const ir::ValueId id : request.node.inputs)
    if (!plain(id)) return false;
  for (const ir::ValueId id : request.node.outputs)
    if (!plain(id)) return false;
  return true;
}

}  // namespace

bool has_kernel(ir::Op op) {
  return std::any_of(std::begin(kCatalog), std::end(kCatalog),
                     [&](const Row& row) { return row.op == op; });
}

Kernel choose_kernel(const Request& request) {
  if (is_plain(request)) {
    for (const Row& row : kCatalog) {
      if (row.op != request.node.op) continue;
      if (std::optional<Kernel> kernel = row.make(request)) return std::move(*kernel);
    }
  }
  return make_reference(request);
}

}  // namespace dlaexec::cpu
