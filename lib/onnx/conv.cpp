// Convolutions and pools.
#include <algorithm>

#include "onnx/operators.h"

namespace dlaexec::onnx {
namespace {

/// A sliding window as the attributes give it, with pads still to be resolved.
struct Window {
  ir::Ints kernel, stride, dilation, pads;
};

ir::Ints known_spatial(Node& node, ValueId id) {
  ir::Ints dims;
  const ir::Shape& shape = node.shape(id);
  for (size_t i = 2; i < shape.size(); ++i)
    dims.push_back(shape[i].is_known() ? shape[i].value : -1);
  return dims;
}

/// Pads that give ceil(in / stride) outputs.
void pad_to_same(const ir::Ints& in, bool upper, Window& window) {
  const size_t rank = window.kernel.size();
  window.pads.assign(2 * rank, 0);
  for (size_t i = 0; i < rank; ++i) {
    const int64_t extent = (window.kernel[i] - 1) * window.dilation[i] + 1;
    if (in[i] < 0 && window.stride[i] != 1)
      fail(
          "auto_pad is SAME with a stride of {}, so the pads depend on an unknown size; give the "
          "pads in the model",
          window.stride[i]);
    const int64_t stride = window.stride[i];
    const int64_t total =
        in[i] < 0
            ? extent - 1
            : std::max<int64_t>(0, ((in[i] + stride - 1) / stride - 1) * stride + extent - in[i]);
    window.pads[i] = upper ? total / 2 : total - total / 2;
    window.pads[i + rank] = total - window.pads[i];
  }
}

/// @p kernel is the size of the weights' window; empty: there are no weights, kernel_shape tells
/// it.
Window window_of(Node& node, const ir::Ints& kernel, const ir::Ints& in) {
  const size_t rank = in.size();
  Window window;
  window.kernel = node.ints("kernel_shape", kernel);
  if (!kernel.empty() && window.kernel != kernel)
    fail("kernel_shape is {}, but the weights have a window of {}", ir::to_text(window.kernel),
         ir::to_text(kernel));
  window.stride = node.ints("strides", ir::Ints(rank, 1));
  window.dilation = node.ints("dilations", ir::Ints(rank, 1));
  window.pads = node.ints("pads", ir::Ints(2 * rank, 0));
  const std::string automatic = node.text("auto_pad", "NOTSET");
  const auto positive = [](const ir::Ints& list) {
    return std::all_of(list.begin(), list.end(), [](int64_t v) { return v > 0 && v < INT32_MAX; });
  };
  if (window.kernel.size() != rank || window.stride.size() != rank ||
      window.dilation.size() != rank || window.pads.size() != 2 * rank)
    fail(
        "kernel_shape, strides, dilations and pads must have {}, {}, {} and {} entries for {} "
        "spatial dimensions",
        rank, rank, rank, 2 * rank, rank);
  if (!positive(window.kernel) || !positive(window.stride) || !positive(window.dilation))
    fail("kernel_shape, strides and dilations must be 1 or more");
  if (automatic == "VALID") window.pads.assign(2 * rank, 0);
  if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER")
    pad_to_same(in, automatic == "SAME_UPPER", window);
  else if (automatic != "VALID" && automatic != "NOTSET" && !automatic.empty())
    fail("auto_pad is '{}'; NOTSET, VALID, SAME_UPPER and SAME_LOWER are allowed", automatic);
  for (int64_t& pad : window.pads)
    if (pad < INT32_MIN || pad > INT32_MAX) fail("a pad is {}", pad);
  return window;
}

ir::Ints kernel_of(Node& node, ValueId weights) {
  ir::Ints kernel = known_spatial(node, weights);
  if (std::find(kernel.begin(), kernel.end(), -1) != kernel.end())
    fail("the size of the kernel '{}' is not known", node.value(weights).name);
  return kernel;
}

int64_t groups_of(Node& node) {
  const int64_t groups = node.integer("group", 1);
  if (groups < 1) fail("group is {}; it must be 1 or more", groups);
  return groups;
}

void require_same_rank(Node& node, ValueId x, ValueId w) {
  if (node.rank(x) != node.rank(w) || node.rank(x) < 3)
    fail("input and weights have {} and {} dimensions; they must have the same number, 3 or more",
         node.rank(x), node.rank(w));
}

ValueIds with_bias(ValueId x, ValueId w, ValueId bias) {
  return bias == kNoValue ? ValueIds{x, w} : ValueIds{x, w, bias};
}

}  // namespace

ValueId add_conv(Node& node, ValueId x, ValueId w, ValueId bias) {
  require_same_rank(node, x, w);
  const Window window = window_of(node, kernel_of(node, w), known_spatial(node, x));
  ir::ConvAttributes attributes;
  attributes.stride = window.stride;
  attributes.pads = window.pads;
  attributes.dilation = window.dilation;
  attributes.groups = groups_of(node);
  return node.add(Op::Conv, with_bias(x, w, bias), attributes);
}

ValueIds conv(Node& node) { return {add_conv(node, node.in(0), node.in(1), node.optional(2))}; }

ValueIds conv_transpose(Node& node) {
  require_same_rank(node, node.in(0), node.in(1));
  const ir::Ints in = known_spatial(node, node.in(0));
  const size_t rank = in.size();
  const std::string automatic = node.text("auto_pad", "NOTSET");
  ir::Ints wanted = node.ints("output_shape");
  ir::DeconvAttributes attributes;
  attributes.output_padding = node.ints("output_padding", ir::Ints(rank, 0));
  attributes.groups = groups_of(node);
  Window window = window_of(node, kernel_of(node, node.in(1)), in);
  const bool same = automatic == "SAME_UPPER" || automatic == "SAME_LOWER";
  if (same && wanted.empty())
    for (size_t i = 0; i < rank; ++i) wanted.push_back(in[i] < 0 ? -1 : in[i] * window.stride[i]);
  if (wanted.size() > rank) wanted.erase(wanted.begin(), wanted.end() - static_cast<long>(rank));
  if (attributes.output_padding.size() != rank || (!wanted.empty() && wanted.size() != rank))
    fail("output_padding and output_shape must have {} entries", rank);
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (in[i] < 0 || wanted[i] < 0)
      fail("the pads follow from output_shape and an unknown size; give the pads in the model");
    const int64_t extent = (window.kernel[i] - 1) * window.dilation[i] + 1;
    const int64_t total =
        window.stride[i] * (in[i] - 1) + attributes.output_padding[i] + extent - wanted[i];
    // Where the window reaches less far than is wanted, zeros follow.
    if (total < 0) attributes.output_padding[i] -= total;
    const int64_t pads = std::max<int64_t>(0, total);
    window.pads[i] = automatic == "SAME_UPPER" ? pads / 2 : pads - pads / 2;
    window.pads[i + rank] = pads - window.pads[i];
  }
  attributes.stride = window.stride;
  attributes.pads = window.pads;
  attributes.dilation = window.dilation;
  return {node.add(Op::Deconv, with_bias(node.in(0), node.in(1), node.optional(2)), attributes)};
}

namespace {

ValueIds pool_of(Node& node, ir::PoolKind kind, ValueId x) {
  const ir::Ints in = known_spatial(node, x);
  if (node.rank(x) < 3) fail("the input has {} dimensions; 3 or more are needed", node.rank(x));
  const Window window = window_of(node, {}, in);
  ir::PoolAttributes attributes;
  attributes.kind = kind;
  attributes.kernel = window.kernel;
  attributes.stride = window.stride;
  attributes.pads = window.pads;
  attributes.dilation = window.dilation;
  attributes.ceil_mode = node.flag("ceil_mode", false);
  attributes.count_include_pad = node.flag("count_include_pad", false);
  // Before opset 2 the exponent of LpPool is a float.
  if (kind == ir::PoolKind::Lp)
    attributes.p =
        node.opset() < 2 ? static_cast<int64_t>(node.real("p", 2)) : node.integer("p", 2);
  if (kind == ir::PoolKind::Max && node.wants(1)) {
    if (node.integer("storage_order", 0) != 0)
      fail("storage_order is 1 (column major) for the indices; 0 is supported");
    return node.add_several(Op::Pool, {x}, attributes, 2);
  }
  node.ignore("storage_order");
  return {node.add(Op::Pool, {x}, attributes)};
}

ValueIds pool(Node& node, ir::PoolKind kind) { return pool_of(node, kind, node.in(0)); }

ir::Ints spatial_axes(Node& node) {
  ir::Ints axes;
  for (int64_t axis = 2; axis < node.rank(node.in(0)); ++axis) axes.push_back(axis);
  return axes;
}

}  // namespace

ValueId add_average_pool(Node& node, ValueId x) {
  return pool_of(node, ir::PoolKind::Average, x)[0];
}

ValueIds max_pool(Node& node) { return pool(node, ir::PoolKind::Max); }

ValueIds average_pool(Node& node) { return pool(node, ir::PoolKind::Average); }

ValueIds lp_pool(Node& node) { return pool(node, ir::PoolKind::Lp); }

ValueIds global_average_pool(Node& node) {
  return {node.reduce(ir::ReduceKind::Mean, node.in(0), spatial_axes(node), true)};
}

ValueIds global_max_pool(Node& node) {
  return {node.reduce(ir::ReduceKind::Max, node.in(0), spatial_axes(node), true)};
}

ValueIds global_lp_pool(Node& node) {
  const int64_t p =
      node.opset() < 2 ? static_cast<int64_t>(node.real("p", 2)) : node.integer("p", 2);
  if (p != 1 && p != 2) fail("p is {}; 1 and 2 are supported", p);
  const ir::ReduceKind kind = p == 1 ? ir::ReduceKind::L1 : ir::ReduceKind::L2;
  return {node.reduce(kind, node.in(0), spatial_axes(node), true)};
}

}  // namespace dlaexec::onnx
