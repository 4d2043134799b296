// How far an output is from its reference, as one number that a threshold is held against.
#pragma once

#include <cstdint>

#include "ir/enum_text.h"
#include "ir/tensor.h"

namespace dlaexec::accuracy {

/// What the loss counts.
enum class Loss : uint8_t {
  L0,    ///< the part of elements with |x - r| > atol + rtol * |r|
  L1,    ///< mean of |x - r|
  L2,    ///< mean of (x - r)^2
  LInf,  ///< largest |x - r|
  Cos,   ///< 1 - the cosine of the angle between the two
};

struct Tolerances {
  double absolute = 1e-5, relative = 1e-5;  ///< of L0
};

/// The loss over all elements, computed in double. An element that is not a number on one side
/// alone counts as infinitely far. Throws an Error when the shapes differ.
double loss(const ir::Tensor& tensor, const ir::Tensor& reference, Loss kind,
            const Tolerances& tolerances);

}  // namespace dlaexec::accuracy

DLAEXEC_ENUM_TEXT(dlaexec::accuracy::Loss, "l0", "l1", "l2", "lInf", "cos");
