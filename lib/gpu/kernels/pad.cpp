// Launches of pad.cu: pads of every mode, and tiles, which wrap around.
#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "gpu/families.h"
#include "gpu/kernels/pad_params.h"
#include "gpu/kernels/word.h"

namespace dlaexec::gpu {
namespace {

using ir::Op;

/// How many elements come before the input along each axis; negative ones cut.
std::vector<int64_t> begins(const ir::Graph& graph, const ir::Node& node, size_t rank) {
  std::vector<int64_t> result(rank, 0);
  if (node.op == Op::Tile) return result;
  const std::vector<int64_t> pads = graph.constant(node, 1)->to_ints();
  const ir::Tensor* given = graph.constant(node, 3);
  std::vector<int64_t> axes(rank);
  std::iota(axes.begin(), axes.end(), 0);
  if (given) axes = given->to_ints();
  for (size_t i = 0; i < axes.size(); ++i)
    result[static_cast<size_t>(axes[i] < 0 ? axes[i] + static_cast<int64_t>(rank) : axes[i])] =
        pads[i];
  return result;
}

PadParams parameters(const View& x, const View& y, const std::vector<int64_t>& begin) {
  PadParams p{};
  for (auto* list : {p.dims, p.valid, p.sizes}) std::fill_n(list, kPadRank, 1);
  std::vector<size_t> axes(y.dims.size());
  std::iota(axes.begin(), axes.end(), size_t{0});
  std::stable_sort(axes.begin(), axes.end(),
                   [&](size_t a, size_t b) { return y.strides[a] > y.strides[b]; });
  p.count = 1;
  for (size_t i = 0; i < axes.size(); ++i) {
    const size_t axis = axes[i], at = kPadRank - axes.size() + i;
    const bool is_channel = y.arrangement == Arrangement::Pixels && axis == 1;
    const int64_t size = is_channel ? y.pixel() : y.dims[axis];
    p.dims[at] = static_cast<int>(size);
    p.valid[at] = static_cast<int>(y.dims[axis]);
    p.sizes[at] = static_cast<int>(x.dims[axis]);
    p.begin[at] = static_cast<int>(begin[axis]);
    p.x_strides[at] = x.strides[axis];
    p.y_strides[at] = y.strides[axis];
    p.count *= size;
  }
  return p;
}

std::string_view mode_name(const ir::Node& node) {
  if (node.op == Op::Tile) return "Wrap";
  constexpr std::string_view kNames[] = {"Constant", "Edge", "Reflect", "Wrap"};
  return kNames[static_cast<size_t>(node.get<ir::PadAttributes>().mode)];
}

/// Without one, what lies outside a constant pad is zero.
bool has_fill(const ir::Node& node) {
  return node.op == Op::Pad && ir::Graph::input(node, 2) != ir::kNoValue;
}

}  // namespace

std::optional<std::string> why_not_pad(const ir::Graph& graph, const ir::Node& node,
                                       const Target&) {
  const ir::Value &x = graph.value(node.inputs[0]), &y = graph.value(node.outputs[0]);
  if (x.shape.size() > kPadRank) return format("{} dimensions", x.shape.size());
  if (auto reason = why_not_words(x, y)) return reason;
  if (!graph.constant(node, 1)) return std::string("sizes that data decides");
  if (node.op == Op::Tile) return std::nullopt;
  if (ir::Graph::input(node, 3) != ir::kNoValue && !graph.constant(node, 3))
    return std::string("axes that data decides");
  if (has_fill(node))
    if (auto reason = why_not_words(graph.value(node.inputs[2]), y)) return reason;
  return std::nullopt;
}

void lower_pad(Lowering& lowering, const ir::Node& node) {
  const View x = lowering.view(node.inputs[0]);
  const View y = lowering.target_view(node.outputs[0]);
  const PadParams p = parameters(x, y, begins(lowering.graph(), node, x.dims.size()));
  const Kernel kernel{"pad.cu",
                      format("pad<{}, {}>", word_type(static_cast<int64_t>(ir::size_bytes(x.type))),
                             mode_name(node))};
  Step& step = lowering.add(node, "", kernel, {{ceil_div(p.count, 256), 1, 1}, {256, 1, 1}}, p);
  patch(step, &PadParams::x, x.place);
  if (has_fill(node)) patch(step, &PadParams::fill, lowering.view(node.inputs[2]).place);
  patch(step, &PadParams::y, y.place);
  step.bytes = static_cast<double>(span_bytes(x) + span_bytes(y));
}

}  // namespace dlaexec::gpu
