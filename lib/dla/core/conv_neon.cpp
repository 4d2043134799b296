// Convolutions with the NEON that every aarch64 processor has. There is no 8-bit dot product, so
// INT8 products are summed in twos in 16 bits, which holds them, and then in 32 bits.
#include "dla/core/vector_world.h"

#if defined(__aarch64__)

#include <arm_neon.h>

// clang-format off
#include "dla/core/vector_parts.h"
#include "dla/core/neon_vectors.h"
// clang-format on

namespace dlaexec::dla::core {
namespace {

struct Neon : NeonVectors {
  struct Int8Arithmetic : Int8Layout {
    static constexpr int kMostPositions = 5;

    /// Of 8 kernels and then of the 8 behind them: two channels, and the two after those.
    struct Weights {
      int8x16_t first[2], second[2];
    };
    struct Channels {
      int8x16_t first, second;
    };

    static Weights load_weights(const Weight* from) {
      Weights weights;
      for (int i = 0; i < 2; ++i) {
        const int16x8_t low = vreinterpretq_s16_s8(vld1q_s8(from + 32 * i));
        const int16x8_t high = vreinterpretq_s16_s8(vld1q_s8(from + 32 * i + 16));
        weights.first[i] = vreinterpretq_s8_s16(vuzp1q_s16(low, high));
        weights.second[i] = vreinterpretq_s8_s16(vuzp2q_s16(low, high));
      }
      return weights;
    }
    static Channels spread(const Input* from) {
      const auto* twos = reinterpret_cast<const int16_t*>(from);
      return {vreinterpretq_s8_s16(vld1q_dup_s16(twos)),
              vreinterpretq_s8_s16(vld1q_dup_s16(twos + 1))};
    }
    /// Two products are at most 2 * 128 * 127 in magnitude: no weight is -128.
    static Acc step(const Acc& acc, const Channels& x, const Weights& w) {
      return Acc::each([&](int i) {
        const int8x16_t first = w.first[i / 2], second = w.second[i / 2];
        const int16x8_t sums = i % 2 == 0
                                   ? vmlal_s8(vmull_s8(vget_low_s8(first), vget_low_s8(x.first)),
                                              vget_low_s8(second), vget_low_s8(x.second))
                                   : vmlal_high_s8(vmull_high_s8(first, x.first), second, x.second);
        return vpadalq_s16(acc.part[i], sums);
      });
    }
  };
};

}  // namespace
}  // namespace dlaexec::dla::core

#include "dla/core/vector_prepare.h"

namespace dlaexec::dla::core {

std::unique_ptr<Prepared> prepare_conv_neon(const Loadable& loadable, const Operation& operation) {
  // The compiler keeps INT8 weights in [-127, 127]; a loadable from elsewhere may not.
  if (operation.precision == ir::DataType::Int8) {
    const auto weights = loadable.blob(std::get<ConvParameters>(operation.parameters).weights);
    if (std::ranges::find(weights, std::byte{0x80}) != weights.end()) return nullptr;
  }
  return prepare<Neon>(loadable, operation);
}

}  // namespace dlaexec::dla::core

#endif
