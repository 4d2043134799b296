// Types and shapes of every value, from the inputs on.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "ir/graph.h"

namespace dlaexec::ir {

/// Elements of an integer value that are known when shapes are inferred; each may be a symbol, as
/// in the result of a shape op.
struct Contents {
  Dims dims;
  std::vector<Dim> elements;
};

/// Infers node after node, so that whoever makes a graph knows ranks and known elements on the way.
class Inference {
 public:
  /// Whether the types of values are inferred too, or stay as they are (a graph whose types are
  /// fixed already).
  enum class Types { Infer, Keep };

  explicit Inference(Graph& graph, Types types = Types::Infer) : graph_(graph), types_(types) {}

  /// Sets type and shape of the outputs of @p node, whose inputs are inferred already; bodies of
  /// If, Loop and Scan are inferred along. Throws an Error that names the node when the shapes
  /// contradict each other.
  void visit(Node& node);

  /// The elements of @p value, as far as they follow from constants and shapes.
  const Contents* contents(ValueId value) const;
  /// The same, if none of them is a symbol.
  std::optional<Ints> known_ints(ValueId value) const;

 private:
  Graph& graph_;
  Types types_;
  /// What is known, and (null) what was looked at and is not.
  mutable std::unordered_map<ValueId, std::unique_ptr<Contents>> contents_;
};

/// Sets type and shape of every node's outputs from the graph's inputs and constants.
void infer(Graph& graph);

/// Sets the shapes alone: for graphs whose types are fixed.
void infer_shapes(Graph& graph);

/// The graph with the named symbols of its inputs' shapes replaced by numbers, shapes inferred
/// again. Types stay. Throws an Error for a name that no input has and lists those it may be.
Graph specialize(const Graph& graph, const std::map<std::string, int64_t>& sizes);

/// The symbols in the shapes of the inputs, in order of first use.
std::vector<std::string> symbols(const Graph& graph);

}  // namespace dlaexec::ir
