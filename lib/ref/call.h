// One evaluation of a node, as its op's function sees it.
#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"
#include "ref/evaluate.h"

namespace dlaexec::ref {

using ir::Dims;
using ir::Tensor;

/// Values of enclosing graphs that a body may use by name, from the innermost graph outwards.
struct Scope {
  const ir::Graph* graph = nullptr;
  const Tensors* values = nullptr;
  const Scope* around = nullptr;
};

class Call {
 public:
  Call(const ir::Graph& graph, const ir::Node& node, const Tensors& inputs, const Scope& scope)
      : graph_(graph), node_(node), inputs_(inputs), scope_(scope) {}

  const ir::Node& node() const { return node_; }
  const ir::Graph& graph() const { return graph_; }
  const Scope& scope() const { return scope_; }
  template <class T>
  const T& get() const {
    return node_.get<T>();
  }

  size_t input_count() const { return inputs_.size(); }
  bool has(size_t input) const { return input < inputs_.size() && !is_absent(inputs_[input]); }
  /// Throws an Error when the input is absent.
  const Tensor& tensor(size_t input) const;
  const Dims& dims(size_t input) const { return tensor(input).dims(); }
  int64_t rank(size_t input) const { return tensor(input).rank(); }
  const ir::Quantization& quantization(size_t input) const;

  /// What the elements mean: i8 with known quantization is scaled.
  std::vector<float> reals(size_t input) const;
  /// What is stored, as float: i8 is not scaled. Exact factors of an integer sum.
  std::vector<float> stored(size_t input) const { return tensor(input).to_floats(); }
  std::vector<int64_t> ints(size_t input) const { return tensor(input).to_ints(); }
  /// True when the elements are integers that mean themselves, so that arithmetic is exact.
  bool is_integer(size_t input) const;
  /// The factor that makes reals of stored elements; along the quantization's axis when there are
  /// several scales, at @p index.
  double scale(size_t input, size_t index) const;

  size_t output_count() const { return node_.outputs.size(); }
  bool wants(size_t output) const {
    return output < node_.outputs.size() && node_.outputs[output] != ir::kNoValue;
  }
  const ir::Value& result(size_t output) const { return graph_.value(node_.outputs[output]); }
  /// @p reals rounded to the type of the output.
  Tensor from_reals(Dims dims, const std::vector<float>& reals, size_t output = 0) const;
  Tensor from_ints(Dims dims, const std::vector<int64_t>& ints, size_t output = 0) const;
  /// An input in the type and scale of the output: for ops that only move elements.
  Tensor movable(size_t input, size_t output = 0) const;

  /// @p axis made non-negative; throws an Error outside the rank.
  static size_t axis_in(int64_t axis, int64_t rank);

 private:
  const ir::Graph& graph_;
  const ir::Node& node_;
  const Tensors& inputs_;
  const Scope& scope_;
};

/// @p reals in @p type; see evaluate.h for the rounding.
Tensor round_to(ir::DataType type, const ir::Quantization& quantization, Dims dims,
                const std::vector<float>& reals);
/// The reals that @p tensor means.
std::vector<float> reals_of(const Tensor& tensor, const ir::Quantization& quantization);

/// The elements of a result of @p dims that data decides on; throws an Error where nobody has
/// memory for them.
size_t room_for(const Dims& dims);

/// The dimensions that broadcasting gives; throws an Error when they do not fit.
Dims broadcast(const Dims& a, const Dims& b);

Tensors evaluate(const ir::Graph& graph, const ir::Node& node, const Tensors& inputs,
                 const Scope& scope);
Tensors run_all(const ir::Graph& graph, const Tensors& inputs, const Scope& around);

// The ops by family; each file of this folder is one.
Tensors convolution(const Call& call);
Tensors deconvolution(const Call& call);
Tensors pool(const Call& call);
Tensors gemm(const Call& call);
Tensors matmul(const Call& call);
Tensors einsum(const Call& call);
Tensors det(const Call& call);
Tensors activation(const Call& call);
Tensors prelu(const Call& call);
Tensors unary(const Call& call);
Tensors elementwise(const Call& call);
Tensors where(const Call& call);
Tensors scale(const Call& call);
Tensors batch_norm(const Call& call);
Tensors lrn(const Call& call);
Tensors softmax(const Call& call);
Tensors channel_norm(const Call& call);
Tensors axis_norm(const Call& call);
Tensors reduce(const Call& call);
Tensors arg_reduce(const Call& call);
Tensors cumsum(const Call& call);
Tensors top_k(const Call& call);
Tensors unique(const Call& call);
Tensors concat(const Call& call);
Tensors split(const Call& call);
Tensors slice(const Call& call);
Tensors reshape(const Call& call);
Tensors transpose(const Call& call);
Tensors pad(const Call& call);
Tensors expand(const Call& call);
Tensors tile(const Call& call);
Tensors depth(const Call& call);
Tensors resize(const Call& call);
Tensors gather(const Call& call);
Tensors gather_elements(const Call& call);
Tensors gather_nd(const Call& call);
Tensors scatter_elements(const Call& call);
Tensors scatter_nd(const Call& call);
Tensors one_hot(const Call& call);
Tensors trilu(const Call& call);
Tensors nonzero(const Call& call);
Tensors non_max_suppression(const Call& call);
Tensors roi_align(const Call& call);
Tensors grid_sample(const Call& call);
Tensors recurrence(const Call& call);
Tensors quantize(const Call& call);
Tensors dequantize(const Call& call);
Tensors cast(const Call& call);
Tensors identity(const Call& call);
Tensors shape(const Call& call);
Tensors constant_of_shape(const Call& call);
Tensors range(const Call& call);
Tensors condition(const Call& call);
Tensors loop(const Call& call);
Tensors scan(const Call& call);

}  // namespace dlaexec::ref
