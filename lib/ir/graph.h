// The graph: values and nodes as plain data.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ir/format.h"
#include "ir/op.h"
#include "ir/shape.h"
#include "ir/tensor.h"

namespace dlaexec::ir {

/// Where a layer runs: the GPU (or the host in its place), or a DLA core.
enum class Device : uint8_t { Gpu, Dla };

/// Index into Graph::values; stable while the graph lives.
using ValueId = int32_t;
/// An optional input that is absent.
inline constexpr ValueId kNoValue = -1;

/// Symmetric quantization: real = stored * scale, zero point 0, stored in [-127, 127] for
/// activations and weights that this project quantizes. One scale, or one per index of @p axis. The
/// dynamic range of a tensor is 127 * scale.
struct Quantization {
  std::vector<float> scales;  ///< empty: no scale is known
  int64_t axis = 0;           ///< which dimension the scales belong to, when there are several
  bool is_known() const { return !scales.empty(); }
  friend bool operator==(const Quantization&, const Quantization&) = default;
};

struct Value {
  std::string name;  ///< from the model; unique in the graph
  DataType type = DataType::Float32;
  Shape shape;
  std::optional<Tensor> constant;  ///< its elements, when they are known at build time
  Quantization quantization;  ///< what Int8 elements mean; before types are fixed: known ranges
  Format format = Format::Linear;
};

/// One layer. Attributes always hold the struct that ops.def names for the op.
struct Node {
  Op op = Op::Identity;
  std::string name;  ///< the user's name for the layer; unique in the graph
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  Attributes attributes;
  /// The network layers this node was made of, in order; a node straight from the model names
  /// itself.
  std::vector<std::string> origins;

  std::optional<Device> device;       ///< set by placement
  int segment = -1;                   ///< which DLA segment, when device is Dla
  std::optional<DataType> precision;  ///< the type it computes in, once assigned

  /// The attributes as the struct the op is known to have; a bug if it is another.
  template <class T>
  const T& get() const {
    const T* held = std::get_if<T>(&attributes);
    DLAEXEC_CHECK(held != nullptr);
    return *held;
  }
  template <class T>
  T& get() {
    T* held = std::get_if<T>(&attributes);
    DLAEXEC_CHECK(held != nullptr);
    return *held;
  }
};

/// A network: nodes in an order in which each comes after the producers of its inputs.
struct Graph {
  std::string name;
  std::vector<Value> values;
  std::vector<Node> nodes;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;

  Value& value(ValueId id) { return values[static_cast<size_t>(id)]; }
  const Value& value(ValueId id) const { return values[static_cast<size_t>(id)]; }

  /// Adds a value; a taken name gets a suffix.
  ValueId add_value(Value value);
  /// Adds a constant of @p tensor's type and dimensions.
  ValueId add_constant(std::string_view name, Tensor tensor);
  /// Appends a node with @p outputs and the op's default attributes, its origins being its own
  /// name.
  Node& add_node(Op op, std::string_view name, std::vector<ValueId> inputs,
                 std::vector<ValueId> outputs);
  std::optional<ValueId> find_value(std::string_view name) const;
  bool is_output(ValueId id) const;
  bool is_input(ValueId id) const;
  /// The constant elements of an input, or null when it is absent or not constant.
  const Tensor* constant(const Node& node, size_t input) const;
  /// The input's id, or kNoValue when it is absent.
  static ValueId input(const Node& node, size_t index) {
    return index < node.inputs.size() ? node.inputs[index] : kNoValue;
  }
};

/// For each value, the index of the node that makes it, or -1.
std::vector<int> producers(const Graph& graph);

/// For each value, the indices of the nodes that use it, in order; subgraphs count as uses of the
/// outer values that they name.
std::vector<std::vector<int>> uses(const Graph& graph);

/// Puts the nodes into an order in which producers come first, keeping the present order where it
/// can. Throws an Error that names a node on the cycle when there is none.
void sort_topologically(Graph& graph);

/// Drops nodes whose outputs nobody uses and values nobody names, renumbering the rest. Inputs
/// stay. True if something went.
bool remove_unused(Graph& graph);

/// A graph of its own with the given nodes of @p graph, in their order: its inputs are the values
/// they use and do not make, in order of first use; its outputs those of theirs that others use or
/// that are outputs of @p graph. Constants come along, sharing memory.
Graph extract(const Graph& graph, const std::vector<int>& nodes, std::string name);

}  // namespace dlaexec::ir

DLAEXEC_ENUM_TEXT(dlaexec::ir::Device, "gpu", "dla");
