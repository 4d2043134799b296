// What the inference rules see: one node with what is known of its inputs.
#pragma once

#include <optional>
#include <vector>

#include "ir/dim_math.h"
#include "ir/infer.h"

namespace dlaexec::ir {

class Site {
 public:
  Site(const Graph& graph, const Node& node, const Inference& inference)
      : graph_(graph), node_(node), inference_(inference) {}

  const Graph& graph() const { return graph_; }
  const Node& node() const { return node_; }
  size_t input_count() const { return node_.inputs.size(); }
  size_t output_count() const { return node_.outputs.size(); }
  bool has(size_t input) const { return Graph::input(node_, input) != kNoValue; }
  const Value& value(size_t input) const { return graph_.value(node_.inputs[input]); }
  DataType type(size_t input) const { return value(input).type; }
  /// Throws an Error when the input is absent.
  const Shape& shape(size_t input) const;
  int64_t rank(size_t input) const { return static_cast<int64_t>(shape(input).size()); }
  /// Throws an Error that names the input unless @p least <= rank <= @p most.
  void require_rank(size_t input, int64_t least, int64_t most = 64) const;

  const Contents* contents(size_t input) const;
  std::optional<Ints> ints(size_t input) const;

  /// A dimension that only data tells.
  Dim data_dependent(size_t output, size_t axis) const;
  /// @p rank dimensions that only data tells.
  Shape data_dependent_shape(size_t output, int64_t rank) const;

  /// @p axis made non-negative; throws an Error when it is outside the rank.
  static size_t axis_in(int64_t axis, int64_t rank);

 private:
  const Graph& graph_;
  const Node& node_;
  const Inference& inference_;
};

using Shapes = std::vector<Shape>;

/// Types of a node's outputs.
std::vector<DataType> result_types(const Site& site);

/// Shapes of a node's outputs; every input is ranked.
Shapes result_shapes(const Site& site);

// The rules by family; each file of this folder is one.
Shapes conv_shapes(const Site& site);
Shapes deconv_shapes(const Site& site);
Shapes pool_shapes(const Site& site);
Shapes gemm_shapes(const Site& site);
Shapes matmul_shapes(const Site& site);
Shapes einsum_shapes(const Site& site);
Shapes det_shapes(const Site& site);
Shapes norm_shapes(const Site& site);
Shapes recurrent_shapes(const Site& site);
Shapes reduce_shapes(const Site& site);
Shapes arg_reduce_shapes(const Site& site);
Shapes top_k_shapes(const Site& site);
Shapes unique_shapes(const Site& site);
Shapes elementwise_shapes(const Site& site);
Shapes scale_shapes(const Site& site);
Shapes concat_shapes(const Site& site);
Shapes split_shapes(const Site& site);
Shapes slice_shapes(const Site& site);
Shapes reshape_shapes(const Site& site);
Shapes flatten_shapes(const Site& site);
Shapes squeeze_shapes(const Site& site);
Shapes unsqueeze_shapes(const Site& site);
Shapes transpose_shapes(const Site& site);
Shapes pad_shapes(const Site& site);
Shapes resize_shapes(const Site& site);
Shapes expand_shapes(const Site& site);
Shapes tile_shapes(const Site& site);
Shapes depth_shapes(const Site& site);
Shapes gather_shapes(const Site& site);
Shapes scatter_shapes(const Site& site);
Shapes gather_nd_shapes(const Site& site);
Shapes one_hot_shapes(const Site& site);
Shapes range_shapes(const Site& site);
Shapes constant_of_shape_shapes(const Site& site);
Shapes sampling_shapes(const Site& site);

/// The elements of the node's first output, as far as they follow from what is known of its inputs.
std::optional<Contents> result_contents(const Site& site);

/// Infers the bodies of an If, Loop or Scan (a new graph replaces the old) and says what their
/// outputs are.
struct BodyResult {
  std::vector<DataType> types;
  Shapes shapes;
};
BodyResult infer_bodies(const Graph& graph, Node& node, Inference::Types types);

}  // namespace dlaexec::ir
