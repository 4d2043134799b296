#include "quant/sharing.h"

#include <algorithm>
#include <numeric>

#include "quant/ranges.h"

namespace dlaexec::quant {
namespace {

using namespace ir;

/// Values that must share a range, and the layer that says so.
struct Bond {
  std::vector<ValueId> values;
  const Node* layer;
  std::string reason;
};

std::vector<ValueId> inputs_and_outputs(const Node& node) {
  std::vector<ValueId> all = node.inputs;
  all.insert(all.end(), node.outputs.begin(), node.outputs.end());
  return all;
}

std::optional<Bond> bond_of(const Node& node) {
  switch (node.op) {
    case Op::Concat:
      return Bond{inputs_and_outputs(node), &node, "the DLA concatenates INT8 without rescaling"};
    case Op::Pool:
      return Bond{{node.inputs[0], node.outputs[0]}, &node, "the DLA pools INT8 without rescaling"};
    case Op::Elementwise:
      return Bond{node.inputs, &node, "the DLA's elementwise layers read both inputs on one scale"};
    default:
      if (!only_moves_values(node)) return std::nullopt;
      std::vector<ValueId> values = node.outputs;
      values.push_back(node.inputs[0]);
      return Bond{std::move(values), &node, "the DLA moves INT8 without rescaling"};
  }
}

/// Sets of values, joined by their bonds.
class Classes {
 public:
  explicit Classes(size_t count) : parent_(count) {
    std::iota(parent_.begin(), parent_.end(), size_t{0});
  }
  size_t root(size_t at) {
    while (parent_[at] != at) at = parent_[at] = parent_[parent_[at]];
    return at;
  }
  void join(size_t a, size_t b) { parent_[root(a)] = root(b); }

 private:
  std::vector<size_t> parent_;
};

bool is_int8_on_dla(const Node& node) {
  return node.device == Device::Dla && node.precision == DataType::Int8;
}

/// What shares a range, and the widest scale of each set.
struct Sharing {
  std::vector<Bond> bonds;
  Classes classes;
  std::vector<float> widest;  ///< by root

  float shared(ValueId id) { return widest[classes.root(static_cast<size_t>(id))]; }
};

float scale_of(const Graph& graph, ValueId id) { return graph.value(id).quantization.scales[0]; }

Sharing sharing_of(const Graph& graph) {
  Sharing sharing{{}, Classes(graph.values.size()), std::vector<float>(graph.values.size(), 0)};
  for (const Node& node : graph.nodes) {
    std::optional<Bond> bond = is_int8_on_dla(node) ? bond_of(node) : std::nullopt;
    if (!bond) continue;
    std::erase_if(bond->values, [&](ValueId id) {
      return id == kNoValue || !takes_range(graph.value(id)) ||
             !graph.value(id).quantization.is_known();
    });
    for (const ValueId id : bond->values)
      sharing.classes.join(static_cast<size_t>(id), static_cast<size_t>(bond->values[0]));
    sharing.bonds.push_back(std::move(*bond));
  }
  for (const Bond& bond : sharing.bonds)
    for (const ValueId id : bond.values) {
      float& scale = sharing.widest[sharing.classes.root(static_cast<size_t>(id))];
      scale = std::max(scale, scale_of(graph, id));
    }
  return sharing;
}

/// The layer that must leave INT8 so that fewer tensors are widened too much: of those that bind
/// such a tensor, and compute as well in FP16, the one whose own tensors differ most. Null: there
/// is none.
const Node* most_unequal(const Graph& graph, Sharing& sharing) {
  const Node* worst = nullptr;
  float most = 1;
  for (const Bond& bond : sharing.bonds) {
    if (bond.layer->op != Op::Elementwise && bond.layer->op != Op::Concat) continue;
    float low = 0, high = 0, widening = 1;
    for (const ValueId id : bond.values) {
      const float scale = scale_of(graph, id);
      low = low == 0 ? scale : std::min(low, scale);
      high = std::max(high, scale);
      widening = std::max(widening, sharing.shared(id) / scale);
    }
    if (widening <= kMostWidening || high / low <= most) continue;
    most = high / low;
    worst = bond.layer;
  }
  return worst;
}

}  // namespace

void lift_unequal_layers(Graph& graph, Report& report) {
  while (true) {
    Sharing sharing = sharing_of(graph);
    const Node* unequal = most_unequal(graph, sharing);
    if (!unequal) return;
    graph.nodes[static_cast<size_t>(unequal - graph.nodes.data())].precision = DataType::Float16;
    report.notes.push_back(
        {unequal->name, DataType::Int8, DataType::Float16,
         format("one INT8 range for its inputs would leave one of them less than 1/{} of its steps",
                kMostWidening)});
  }
}

std::vector<RangeChange> share_dla_ranges(Graph& graph) {
  Sharing sharing = sharing_of(graph);
  std::vector<RangeChange> changes;
  for (const Bond& bond : sharing.bonds)
    for (const ValueId id : bond.values) {
      float& scale = graph.value(id).quantization.scales[0];
      const float shared = sharing.shared(id);
      if (scale == shared) continue;
      changes.push_back(
          {graph.value(id).name, scale * 127.0f, shared * 127.0f, bond.layer->name, bond.reason});
      scale = shared;
    }
  return changes;
}

}  // namespace dlaexec::quant
