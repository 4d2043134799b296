// Convolutions with NEON's 8-bit dot product (SDOT), which sums exactly in 32 bits.
#include "dla/core/vector_world.h"

#if defined(__aarch64__)

#include <arm_neon.h>

#pragma GCC push_options
#pragma GCC target("arch=armv8.2-a+dotprod")

// clang-format off
#include "dla/core/vector_parts.h"
#include "dla/core/neon_vectors.h"
// clang-format on

namespace dlaexec::dla::core {
namespace {

struct NeonDot : NeonVectors {
  struct Int8Arithmetic : Int8Layout {
    using Weights = Parts<int8x16_t, 4>;
    static constexpr int kMostPositions = 6;

    static Weights load_weights(const Weight* from) {
      return Weights::each([&](int i) { return vld1q_s8(from + 16 * i); });
    }
    static int8x16_t spread(const Input* from) {
      int32_t four = 0;
      std::memcpy(&four, from, sizeof four);
      return vreinterpretq_s8_s32(vdupq_n_s32(four));
    }
    static Acc step(const Acc& acc, int8x16_t x, const Weights& w) {
      return Acc::each([&](int i) { return vdotq_s32(acc.part[i], w.part[i], x); });
    }
  };
};

}  // namespace
}  // namespace dlaexec::dla::core

#include "dla/core/vector_prepare.h"

namespace dlaexec::dla::core {

std::unique_ptr<Prepared> prepare_conv_neon_dot(const Loadable& loadable,
                                                const Operation& operation) {
  if (operation.precision == ir::DataType::Float16) return prepare_conv_neon(loadable, operation);
  return prepare<NeonDot>(loadable, operation);
}

}  // namespace dlaexec::dla::core

#pragma GCC pop_options

#endif
