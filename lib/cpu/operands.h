// The operands of a Gemm or MatMul: addend, residual, and where the matrices of a batch lie.
#pragma once

#include <optional>
#include <vector>

#include "cpu/kernel.h"

namespace dlaexec::cpu {

/// The addend as one number per output, if it is known and is that; zeros without one.
std::optional<std::vector<float>> known_bias(const Request& request, size_t input, int64_t outputs,
                                             float scale);

template <class Attributes>
int residual_input(const Request& request, const Attributes& attributes) {
  return attributes.residual ? static_cast<int>(request.node.inputs.size()) - 1 : -1;
}

/// The input that holds the addend: the third, unless the residual stands there.
template <class Attributes>
size_t bias_input(const Request& request, const Attributes& attributes) {
  return residual_input(request, attributes) == 2 ? request.node.inputs.size() : 2;
}

/// Whether an input lies like the output, as a residual must; none does.
bool is_like_output(const Request& request, int input);

/// Steps between the matrices of an operand along each batch dimension; 0 where it repeats.
std::vector<int64_t> batch_steps(const ir::Dims& operand, const ir::Dims& output);

/// Where the operand's matrix for one output matrix begins.
int64_t batch_offset(int64_t index, const ir::Dims& output, const std::vector<int64_t>& steps);

}  // namespace dlaexec::cpu
