#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "passes/passes.h"
#include "passes/rewrite.h"
#include "passes/types.h"

namespace dlaexec::passes {
namespace {

/// Every second pixel of an image [N, C, H, W], from a first one on.
struct Phase {
  ir::ValueId image = ir::kNoValue;
  int64_t y = -1, x = -1;  ///< 0 or 1; -1: all of the axis, so far
  std::vector<int> slices;
};

/// The one number of a constant, or nothing.
std::optional<int64_t> entry(const ir::Graph& graph, const ir::Node& node, size_t input, size_t i) {
  const ir::Tensor* constant = graph.constant(node, input);
  if (!constant || static_cast<size_t>(constant->count()) <= i) return std::nullopt;
  return constant->to_ints()[i];
}

/// Reads @p slice as the last of those that cut @p phase out; false where it is something else.
bool read_slice(const ir::Graph& graph, const ir::Node& slice, Phase& phase) {
  const ir::Tensor* axes = graph.constant(slice, 3);
  const ir::Shape& from = graph.value(slice.inputs[0]).shape;
  const ir::Shape& to = graph.value(slice.outputs[0]).shape;
  if (!axes || on_dla(slice) || from.size() != 4 || to.size() != 4) return false;
  for (size_t i = 0; i < static_cast<size_t>(axes->count()); ++i) {
    const int64_t axis = axes->to_ints()[i] + (axes->to_ints()[i] < 0 ? 4 : 0);
    if (axis != 2 && axis != 3) return false;
    int64_t& first = axis == 2 ? phase.y : phase.x;
    const auto start = entry(graph, slice, 1, i), step = entry(graph, slice, 4, i);
    const ir::Dim &whole = from[static_cast<size_t>(axis)], &kept = to[static_cast<size_t>(axis)];
    const bool takes_half = whole.is_known() && kept.is_known() && whole.value == 2 * kept.value;
    if (first >= 0 || !start || step != 2 || *start < 0 || *start > 1 || !takes_half) return false;
    first = *start;
  }
  phase.image = slice.inputs[0];
  return true;
}

std::optional<Phase> phase_of(const ir::Graph& graph, const std::vector<int>& made_by,
                              ir::ValueId part) {
  Phase phase;
  phase.image = part;
  while (phase.y < 0 || phase.x < 0) {
    const int maker = made_by[static_cast<size_t>(phase.image)];
    if (maker < 0) return std::nullopt;
    const ir::Node& slice = graph.nodes[static_cast<size_t>(maker)];
    if (slice.op != ir::Op::Slice || !read_slice(graph, slice, phase)) return std::nullopt;
    phase.slices.push_back(maker);
  }
  return phase;
}

/// The four phases of one image, in the order in which a concatenation joins them.
using Focus = std::array<Phase, 4>;

std::optional<Focus> focus_of(const ir::Graph& graph, const std::vector<int>& made_by,
                              const ir::Node& concat) {
  if (concat.op != ir::Op::Concat || on_dla(concat) || concat.inputs.size() != 4 ||
      concat.get<ir::AxisAttributes>().axis != 1)
    return std::nullopt;
  Focus focus;
  std::array<bool, 4> seen{};
  for (size_t i = 0; i < 4; ++i) {
    const auto phase = phase_of(graph, made_by, concat.inputs[i]);
    if (!phase || (i > 0 && phase->image != focus[0].image)) return std::nullopt;
    bool& here = seen[static_cast<size_t>(phase->y * 2 + phase->x)];
    if (here) return std::nullopt;
    here = true;
    focus[i] = *phase;
  }
  return focus;
}

/// The slices that nothing needs once @p concat is gone, in the graph's order.
std::vector<int> needed_by_none_else(const ir::Graph& graph, const std::vector<int>& uses,
                                     const Focus& focus, const ir::Node& concat) {
  std::set<int, std::greater<>> slices;  // readers come before what they read
  for (const Phase& phase : focus) slices.insert(phase.slices.begin(), phase.slices.end());
  std::map<ir::ValueId, int> gone;  // uses, by the value
  for (const ir::ValueId id : concat.inputs) ++gone[id];
  std::vector<int> alone;
  for (const int at : slices) {
    const ir::Node& slice = graph.nodes[static_cast<size_t>(at)];
    if (gone[slice.outputs[0]] != uses[static_cast<size_t>(slice.outputs[0])]) continue;
    ++gone[slice.inputs[0]];
    alone.push_back(at);
  }
  std::reverse(alone.begin(), alone.end());
  return alone;
}

/// A convolution that can step over the whole image instead.
bool can_step_over(const ir::Graph& graph, const ir::Node& conv) {
  if (conv.op != ir::Op::Conv || on_dla(conv) || conv.precision == ir::DataType::Int8) return false;
  const auto& attributes = conv.get<ir::ConvAttributes>();
  const ir::Tensor* weights = graph.constant(conv, 1);
  return weights && ir::is_float(weights->type()) && weights->rank() == 4 &&
         attributes.groups == 1 && attributes.dilation == ir::Ints{1, 1} &&
         weights->dims()[1] % 4 == 0;
}

/// Weights [K, 4 C, h, w] of the joined phases as [K, C, 2 h, 2 w] of the image.
ir::Tensor spread(const ir::Tensor& weights, const Focus& focus) {
  const ir::Dims& from = weights.dims();
  const int64_t channels = from[1] / 4, height = from[2], width = from[3];
  const std::vector<float> old = weights.to_floats();
  std::vector<float> spread(old.size());
  for (size_t i = 0; i < old.size(); ++i) {
    const auto at = static_cast<int64_t>(i);
    const int64_t x = at % width, y = at / width % height;
    const int64_t part = at / (width * height) % from[1], k = at / (width * height * from[1]);
    const Phase& phase = focus[static_cast<size_t>(part / channels)];
    const int64_t row = ((k * channels + part % channels) * height + y) * 2 + phase.y;
    spread[static_cast<size_t>((row * width + x) * 2 + phase.x)] = old[i];
  }
  return ir::Tensor::of<float>({from[0], channels, 2 * height, 2 * width}, spread)
      .converted(weights.type());
}

}  // namespace

bool fuse_focus(ir::Graph& graph) {
  const std::vector<int> made_by = ir::producers(graph);
  const std::vector<int> uses = count_uses(graph);
  bool changed = false;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    if (!can_step_over(graph, graph.nodes[i])) continue;
    const ir::ValueId joined = graph.nodes[i].inputs[0];
    const int maker = made_by[static_cast<size_t>(joined)];
    if (maker < 0 || uses[static_cast<size_t>(joined)] != 1) continue;
    const ir::Node& concat = graph.nodes[static_cast<size_t>(maker)];
    const std::optional<Focus> focus = focus_of(graph, made_by, concat);
    if (!focus) continue;
    std::vector<std::string> origins;
    const auto swallow = [&](const ir::Node& node) {
      origins.insert(origins.end(), node.origins.begin(), node.origins.end());
    };
    for (const int slice : needed_by_none_else(graph, uses, *focus, concat))
      swallow(graph.nodes[static_cast<size_t>(slice)]);
    swallow(concat);
    swallow(graph.nodes[i]);
    const std::string name = graph.value(graph.nodes[i].inputs[1]).name;
    const ir::Tensor weights = spread(*graph.constant(graph.nodes[i], 1), *focus);
    const ir::ValueId spread_weights = graph.add_constant(name, weights);
    ir::Node& conv = graph.nodes[i];
    conv.inputs[0] = (*focus)[0].image;
    conv.inputs[1] = spread_weights;
    conv.origins = std::move(origins);
    auto& attributes = conv.get<ir::ConvAttributes>();
    for (int64_t& stride : attributes.stride) stride *= 2;
    for (int64_t& pad : attributes.pads) pad *= 2;
    changed = true;
  }
  if (changed) ir::remove_unused(graph);
  return changed;
}

}  // namespace dlaexec::passes
