#include "gpu/kernels/chain.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/hash.h"
#include "gpu/chain_text.h"
#include "gpu/kernels/chain_params.h"
#include "gpu/kernels/conv.h"
#include "gpu/walk.h"

namespace dlaexec::gpu {
namespace {

using ir::Op;

bool is_among(const std::vector<ir::ValueId>& list, ir::ValueId id) {
  return std::find(list.begin(), list.end(), id) != list.end();
}

/// What a set of nodes takes from outside and what others see of it.
struct Boundary {
  std::vector<ir::ValueId> inputs, outputs;
};

Boundary boundary_of(const Links& links, const std::vector<int>& nodes) {
  Boundary boundary;
  const ir::Graph& graph = links.graph();
  std::vector<ir::ValueId> made;
  for (const int index : nodes) {
    const ir::Node& node = graph.nodes[static_cast<size_t>(index)];
    for (const ir::ValueId id : node.inputs)
      if (id != ir::kNoValue && !is_among(made, id) && !is_among(boundary.inputs, id))
        boundary.inputs.push_back(id);
    made.push_back(node.outputs[0]);
  }
  for (const ir::ValueId id : made) {
    const std::vector<int>& users = links.users(id);
    const bool seen = graph.is_output(id) || std::any_of(users.begin(), users.end(), [&](int user) {
                        return !std::binary_search(nodes.begin(), nodes.end(), user);
                      });
    if (seen) boundary.outputs.push_back(id);
  }
  return boundary;
}

/// For an operand of which @p node takes one number along an axis: how many axes follow that one.
/// Nothing for operands that broadcast as all others do.
std::optional<size_t> axes_behind(const ir::Graph& graph, const ir::Node& node, size_t input) {
  const bool quantizes = node.op == Op::Quantize || node.op == Op::Dequantize;
  if ((node.op != Op::Scale && !quantizes) || input == 0) return std::nullopt;
  const ir::Shape& shape = graph.value(node.inputs[input]).shape;
  const auto rank = static_cast<int64_t>(graph.value(node.outputs[0]).shape.size());
  if (shape.size() != 1 || rank < 2 || (quantizes && ir::volume(ir::dims_of(shape)) == 1))
    return std::nullopt;
  const int64_t axis = quantizes ? node.get<ir::QuantizeAttributes>().axis : 1;
  return static_cast<size_t>(rank - 1 - (axis < 0 ? axis + rank : axis));
}

/// The values of @p nodes that have axes_behind(); nothing when one is used in two ways.
std::optional<std::map<ir::ValueId, size_t>> axis_values(const ir::Graph& graph,
                                                         const std::vector<int>& nodes) {
  std::map<ir::ValueId, std::optional<size_t>> ways;
  for (const int index : nodes) {
    const ir::Node& node = graph.nodes[static_cast<size_t>(index)];
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i] == ir::kNoValue) continue;
      const std::optional<size_t> way = axes_behind(graph, node, i);
      if (ways.try_emplace(node.inputs[i], way).first->second != way) return std::nullopt;
    }
  }
  std::map<ir::ValueId, size_t> values;
  for (const auto& [id, way] : ways)
    if (way) values[id] = *way;
  return values;
}

/// Grows one chain from a node on, through the nodes that follow it in the graph.
class Growth {
 public:
  Growth(const Links& links, const Target& target, const std::vector<const Group*>& group_of)
      : links_(links), target_(target), group_of_(group_of) {}

  std::vector<int> from(int first) const {
    constexpr size_t kMostNodes = 64;
    const ir::Graph& graph = links_.graph();
    std::vector<int> nodes;
    if (!is_candidate(first)) return nodes;
    nodes.push_back(first);
    const int count = static_cast<int>(graph.nodes.size());
    for (int next = first + 1; next < count && nodes.size() < kMostNodes; ++next) {
      if (!follows(nodes, next)) {
        // The chain runs in its last node's turn: whoever needs a value of it must come later.
        if (needs_any(nodes, next)) break;
        continue;
      }
      nodes.push_back(next);
    }
    return nodes;
  }

 private:
  const ir::Node& node(int index) const { return links_.graph().nodes[static_cast<size_t>(index)]; }
  const ir::Shape& shape(int index) const {
    return links_.graph().value(node(index).outputs[0]).shape;
  }

  bool is_candidate(int index) const {
    const ir::Node& n = node(index);
    if (group_of_[static_cast<size_t>(index)] || why_not_chain(links_.graph(), n)) return false;
    if (shape(index).size() > kChainRank) return false;
    return n.op != Op::Reformat || !feeds_image(links_.graph(), n, target_);
  }

  bool uses_any(const std::vector<int>& nodes, int index) const {
    const ir::Node& user = node(index);
    return std::any_of(nodes.begin(), nodes.end(),
                       [&](int made) { return is_among(user.inputs, node(made).outputs[0]); });
  }
  /// True if @p index, or a group that is lowered with it, uses a value of @p nodes.
  bool needs_any(const std::vector<int>& nodes, int index) const {
    const Group* group = group_of_[static_cast<size_t>(index)];
    if (!group) return uses_any(nodes, index);
    return std::any_of(group->nodes.begin(), group->nodes.end(),
                       [&](int member) { return uses_any(nodes, member); });
  }

  bool follows(const std::vector<int>& nodes, int next) const {
    if (!uses_any(nodes, next) || !is_candidate(next)) return false;
    if (shape(next) != shape(nodes.front())) return false;
    std::vector<int> more = nodes;
    more.push_back(next);
    const Boundary boundary = boundary_of(links_, more);
    if (boundary.inputs.size() > kChainInputs || boundary.outputs.size() > kChainOutputs)
      return false;
    return axis_values(links_.graph(), more).has_value();
  }

  const Links& links_;
  const Target& target_;
  const std::vector<const Group*>& group_of_;
};

bool keeps_finite(const ir::Node& node) {
  if (node.op == Op::Unary) return node.get<ir::UnaryAttributes>().kind == ir::UnaryKind::Abs;
  if (node.op != Op::Elementwise) return true;
  using Kind = ir::ElementwiseKind;
  const Kind kind = node.get<ir::ElementwiseAttributes>().kind;
  return kind != Kind::Div && kind != Kind::Pow && kind != Kind::Mod && kind != Kind::Fmod;
}

/// One number along an axis that @p behind others follow: [C, 1, ...].
View along_axis(View view, size_t behind) {
  view.dims.resize(1 + behind, 1);
  view.strides.resize(1 + behind, 0);
  return view;
}

std::vector<View> inputs_of(Lowering& lowering, const std::vector<int>& nodes,
                            const Boundary& boundary) {
  const std::map<ir::ValueId, size_t> behind = axis_values(lowering.graph(), nodes).value();
  std::vector<View> views;
  for (const ir::ValueId id : boundary.inputs) {
    const View view = lowering.view(id);
    const auto known = behind.find(id);
    views.push_back(known == behind.end() ? view : along_axis(view, known->second));
  }
  return views;
}

/// Where the results go: all alike, dense when they would not lie so by themselves.
std::vector<View> outputs_of(Lowering& lowering, const Boundary& boundary) {
  std::vector<View> views;
  for (const ir::ValueId id : boundary.outputs) views.push_back(lowering.target_view(id));
  const bool alike = std::all_of(views.begin(), views.end(), [&](const View& view) {
    return view.strides == views.front().strides;
  });
  if (!alike)
    for (size_t i = 0; i < views.size(); ++i) views[i] = lowering.target_dense(boundary.outputs[i]);
  return views;
}

ChainParams parameters(const Walk& walk, int vec, size_t outputs) {
  ChainParams p{};
  std::fill(std::begin(p.dims), std::end(p.dims), 1);
  p.count = 1;
  const size_t skipped = kChainRank - walk.axes.size();
  for (size_t d = 0; d < walk.axes.size(); ++d) {
    const WalkAxis& axis = walk.axes[d];
    p.count *= axis.size;
    p.dims[skipped + d] = static_cast<int>(axis.size);
    for (size_t k = 0; k < axis.stride.size(); ++k)
      (k < outputs ? p.out_strides[k] : p.in_strides[k - outputs])[skipped + d] = axis.stride[k];
  }
  p.count /= vec;
  p.inner_valid = static_cast<int>(walk.inner_valid);
  return p;
}

/// The kernel of a source text; its name holds the text's hash, so that equal names mean equal
/// code.
Kernel kernel_of(std::string source) {
  Kernel kernel{format("chain-{}.cu", hash128_hex(source)), "chain", {}};
  kernel.source = std::move(source);
  return kernel;
}

void lower_chain(Lowering& lowering, const Group& group) { add_chain(lowering, group.nodes); }

}  // namespace

std::vector<Group> find_chains(const Links& links, const Target& target,
                               const std::vector<Group>& others) {
  const int count = static_cast<int>(links.graph().nodes.size());
  std::vector<const Group*> group_of(static_cast<size_t>(count));
  for (const Group& group : others)
    for (const int index : group.nodes) group_of[static_cast<size_t>(index)] = &group;
  std::vector<Group> chains;
  chains.reserve(static_cast<size_t>(count));  // group_of points into it
  const Growth growth(links, target, group_of);
  for (int i = 0; i < count; ++i) {
    std::vector<int> nodes = growth.from(i);
    if (nodes.size() < 2) continue;
    const int last = nodes.back();
    chains.push_back({std::move(nodes), last, lower_chain});
    for (const int index : chains.back().nodes)
      group_of[static_cast<size_t>(index)] = &chains.back();
  }
  return chains;
}

void add_chain(Lowering& lowering, const std::vector<int>& nodes) {
  const ir::Graph& graph = lowering.graph();
  const Boundary boundary = boundary_of(Links(graph), nodes);
  DLAEXEC_CHECK(boundary.inputs.size() <= kChainInputs && boundary.outputs.size() <= kChainOutputs);
  const std::vector<View> in = inputs_of(lowering, nodes, boundary);
  const std::vector<View> out = outputs_of(lowering, boundary);
  const bool finite = std::all_of(nodes.begin(), nodes.end(), [&](int index) {
    return keeps_finite(graph.nodes[static_cast<size_t>(index)]);
  });
  const Walk walk = walk_of(out, in, finite);
  DLAEXEC_CHECK(walk.axes.size() <= kChainRank);
  const int vec = vector_of(walk, out, in);
  ChainShape shape{walk.axes.size(), vec, walk.inner_valid != INT32_MAX, boundary.inputs,
                   boundary.outputs, {}};
  for (size_t i = 0; i < in.size(); ++i)
    shape.single.push_back(walk.axes.back().stride[out.size() + i] == 0);
  const ChainParams p = parameters(walk, vec, out.size());
  const int64_t most = int64_t{lowering.target().multiprocessors} * 16;
  Step& step = lowering.add(graph.nodes[static_cast<size_t>(nodes.back())], "",
                            kernel_of(chain_text(graph, nodes, shape)),
                            {{std::min(ceil_div(p.count, 256), most), 1, 1}, {256, 1, 1}}, p);
  for (size_t i = 0; i < in.size(); ++i) {
    step.patches.push_back({offsetof(ChainParams, in) + i * sizeof(void*), in[i].place, {}});
    step.bytes += static_cast<double>(span_bytes(in[i]));
  }
  for (size_t i = 0; i < out.size(); ++i) {
    step.patches.push_back({offsetof(ChainParams, out) + i * sizeof(void*), out[i].place, {}});
    step.bytes += static_cast<double>(span_bytes(out[i]));
  }
}

}  // namespace dlaexec::gpu
