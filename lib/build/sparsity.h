// 2:4 structured sparsity: of every four weights that lie behind each other along the input
// channels two are zero.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ir/enum_text.h"
#include "ir/graph.h"

namespace dlaexec::build {

enum class Sparsity : uint8_t {
  Disable,
  Enable,  ///< layers whose weights have the pattern are told
  Force,   ///< weights get the pattern: speed can be measured, the outputs mean nothing
};

/// The convolutions and matrix products of constant weights, by whether these have the pattern.
struct SparseLayers {
  std::vector<std::string> sparse, dense;
  std::vector<std::string> unfit;  ///< a number of input channels that is no multiple of four
  /// Every layer that can be sparse is.
  bool all() const { return !sparse.empty() && dense.empty(); }
};

/// Looks at, and under Force changes, the weights of @p graph: in each four the two smallest become
/// zero.
SparseLayers apply_sparsity(ir::Graph& graph, Sparsity sparsity);

}  // namespace dlaexec::build

DLAEXEC_ENUM_TEXT(dlaexec::build::Sparsity, "disable", "enable", "force");
