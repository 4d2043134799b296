// What follows a sum of products: bias, residual, activation, rounding.
#pragma once

#include <limits>

#include "cpu/kernel.h"
#include "cpu/kernels/pointwise.h"
#include "cpu/numbers.h"

namespace dlaexec::cpu {

/// The epilogue of one convolution or product. What a register tile cannot do while storing is
/// done to the stored tile while it is near.
struct Epilogue {
  Activation activation;
  Rounding rounding;
  Isa isa = Isa::Baseline;
  /// Limits that the tile applies itself; Relu and Clip are nothing but limits.
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();

  /// Whether finish() has anything to do.
  bool has_more() const {
    return activation.kind != ir::ActivationKind::None || !rounding.is_none();
  }
  /// The activation and the rounding that the tile left, in place.
  void finish(float* numbers, int64_t count) const;
};

/// Made from an activation as fusion left it and the value that the results become.
Epilogue make_epilogue(Activation activation, const ir::Value& output, Isa isa);

/// A kernel without a function yet that does its own epilogue: input 0, the residual input (-1:
/// none) and the output lie in @p layout, and the residual may be overwritten.
Kernel kernel_with_epilogue(const Request& request, std::string name, Layout layout, int residual);

}  // namespace dlaexec::cpu
