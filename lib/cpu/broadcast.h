// Walking two operands that broadcast to one output.
#pragma once

#include <array>

#include "ir/shape.h"

namespace dlaexec::cpu {

/// The dimensions of an output with the steps of two operands along them; neighbouring dimensions
/// that walk alike are one.
struct Broadcast {
  ir::Dims dims;                              ///< at least one
  std::array<std::vector<int64_t>, 2> steps;  ///< elements; 0 where the operand repeats

  int64_t inner() const { return dims.back(); }
  int64_t runs() const;  ///< how many inner runs there are
  /// Where the operand's part of an inner run begins.
  int64_t offset(int operand, int64_t run) const;
};

Broadcast make_broadcast(const ir::Dims& left, const ir::Dims& right, const ir::Dims& output);

}  // namespace dlaexec::cpu
