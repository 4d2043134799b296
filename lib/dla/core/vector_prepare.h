// All of the vectorized convolutions, written once for all instruction sets, and which of them
// takes an operation. Include it after the set's types are defined, inside the region that compiles
// for the set: everything here is a template or has internal linkage, so that no other file's code
// is replaced by code for this set.
//
// An instruction set Isa gives vectors of 16 numbers and arithmetic on them:
//   F, D            16 floats, 16 doubles, with + - *
//   HalfArithmetic  and Int8Arithmetic: Stored elements of cubes and weights, Input of the scratch,
//   packed Weight, Number and its vector Acc; channels of a step and of a block; kernel blocks
//   (kVectors) and positions of a tile, as many as there are registers; kZero, the Input that
//   stands for 0; Lane, a packed weight of a depthwise convolution
// and the functions that these files use.

// clang-format off
#include "dla/core/vector_sdp.h"
#include "dla/core/vector_conv_kernel.h"
#include "dla/core/vector_depthwise.h"
// clang-format on

namespace dlaexec::dla::core {
namespace {

/// Whether every partial sum of the convolution fits 32 bits whatever the input, with room for the
/// 128 that an unsigned input is shifted by.
inline bool sums_fit(const Loadable& loadable, const Operation& operation) {
  const auto& conv = std::get<ConvParameters>(operation.parameters);
  const int64_t taps =
      loadable.cube(operation.input).dims.c / conv.groups * conv.kernel.h * conv.kernel.w;
  return taps <= (int64_t{1} << 31) / (128 * 128) - 1;
}

template <class Isa, class Arithmetic>
std::unique_ptr<Prepared> prepare_with(const Loadable& loadable, const Operation& operation) {
  if (VectorDepthwise<Isa, Arithmetic>::takes(loadable, operation))
    return std::make_unique<VectorDepthwise<Isa, Arithmetic>>(loadable, operation);
  return std::make_unique<VectorConv<Isa, Arithmetic>>(loadable, operation);
}

template <class Isa>
std::unique_ptr<Prepared> prepare(const Loadable& loadable, const Operation& operation) {
  if (operation.precision == ir::DataType::Float16)
    return prepare_with<Isa, typename Isa::HalfArithmetic>(loadable, operation);
  if (!sums_fit(loadable, operation)) return nullptr;
  return prepare_with<Isa, typename Isa::Int8Arithmetic>(loadable, operation);
}

}  // namespace
}  // namespace dlaexec::dla::core
