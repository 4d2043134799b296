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

}  // namespace

std::vector<RangeChange> share_dla_ranges(Graph& graph) {
  Classes classes(graph.values.size());
  std::vector<Bond> bonds;
  for (const Node& node : graph.nodes) {
    std::optional<Bond> bond = is_int8_on_dla(node) ? bond_of(node) : std::nullopt;
    if (!bond) continue;
    std::erase_if(bond->values, [&](ValueId id) {
      return id == kNoValue || !takes_range(graph.value(id)) ||
             !graph.value(id).quantization.is_known();
    });
    for (const ValueId id : bond->values)
      classes.join(static_cast<size_t>(id), static_cast<size_t>(bond->values[0]));
    bonds.push_back(std::move(*bond));
  }

  std::vector<float> widest(graph.values.size(), 0);
  for (const Bond& bond : bonds)
    for (const ValueId id : bond.values) {
      float& scale = widest[classes.root(static_cast<size_t>(id))];
      scale = std::max(scale, graph.value(id).quantization.scales[0]);
    }

  std::vector<RangeChange> changes;
  for (const Bond& bond : bonds)
    for (const ValueId id : bond.values) {
      float& scale = graph.value(id).quantization.scales[0];
      const float shared = widest[classes.root(static_cast<size_t>(id))];
      if (scale == shared) continue;
      changes.push_back(
          {graph.value(id).name, scale * 127.0f, shared * 127.0f, bond.layer->name, bond.reason});
      scale = shared;
    }
  return changes;
}

}  // namespace dlaexec::quant
