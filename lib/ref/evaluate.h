// The meaning of every op in plain C++: what all engines are compared with.
//
// A node is computed in real numbers (double inside, or exact integers) from its inputs and rounded
// once to the type of its output: f16 and bf16 to nearest even; an i8 with known quantization to
// half-even(x / scale), saturated to [-128, 127]. An i8 without known quantization, and every other
// integer, means itself.
#pragma once

#include <vector>

#include "ir/graph.h"

namespace dlaexec::ref {

using Tensors = std::vector<ir::Tensor>;

/// Whether a tensor stands for an absent optional input: one made by Tensor().
inline bool is_absent(const ir::Tensor& tensor) { return tensor.bytes().data() == nullptr; }

/// The outputs of @p node. @p inputs has an entry an input, absent ones being Tensor(). Output
/// types and scales are those of the node's values in @p graph; dimensions follow from the inputs.
Tensors evaluate(const ir::Graph& graph, const ir::Node& node, const Tensors& inputs);

/// The outputs of @p graph. Throws an Error when the inputs do not fit it.
Tensors run(const ir::Graph& graph, const Tensors& inputs);

/// Every value of @p graph by its id; values that no node makes and that are no input or constant
/// are absent.
Tensors run_all(const ir::Graph& graph, const Tensors& inputs);

}  // namespace dlaexec::ref
