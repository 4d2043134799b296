// Steps that a library runs instead of a kernel.
#pragma once

#include <optional>
#include <string_view>

#include "gpu/lowering.h"
#include "gpu/product.h"

namespace dlaexec::gpu {

/// Where the operands of a step lie; the bias is in the type of the results.
struct LibraryOperands {
  Place x, weights, bias, residual, y;
};

/// Adds @p problem on @p operands, run by @p tactic.
Step& add_library_step(Lowering& lowering, const ir::Node& node, std::string_view suffix,
                       const LibraryProblem& problem, const LibraryTactic& tactic,
                       const LibraryOperands& operands);

/// The bias, floats at @p bias, in the type that libraries ask for: that of the results.
Place library_bias(Lowering& lowering, const Place& bias, ir::DataType results);

/// True if @p operands start where libraries want them to.
bool are_aligned(const LibraryOperands& operands);

/// What the library @p kind would be told of @p product; nothing when it cannot run it.
std::optional<LibraryProblem> library_problem_of(const Product& product, LibraryKind kind);

/// Adds the product as the library runs it.
Step& add_library_product(Lowering& lowering, const ir::Node& node, std::string_view suffix,
                          const Product& product, const LibraryTactic& tactic);

}  // namespace dlaexec::gpu
