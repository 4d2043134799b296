// Convolutions with AVX2, FMA and F16C. There is no 8-bit dot product without saturation, so INT8
// goes in pairs of 16 bits, which are exact.
#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <type_traits>
#include <vector>

#include "dla/core/conv.h"
#include "dla/core/conv_plan.h"
#include "dla/core/sdp.h"
#include "dla/core/vector_conv.h"

#if defined(__x86_64__)

#include <immintrin.h>

#pragma GCC push_options
#pragma GCC target("avx2,fma,f16c")

namespace dlaexec::dla::core {
namespace {

struct Avx2 {
  struct F {
    __m256 low, high;
    friend F operator+(F a, F b) { return {a.low + b.low, a.high + b.high}; }
    friend F operator*(F a, F b) { return {a.low * b.low, a.high * b.high}; }
  };
  struct I {
    __m256i low, high;
  };
  struct D {
    __m256d part[4];
    template <class Op>
    static D each(Op&& op) {
      return {{op(0), op(1), op(2), op(3)}};
    }
    friend D operator+(const D& a, const D& b) {
      return each([&](int i) { return a.part[i] + b.part[i]; });
    }
    friend D operator-(const D& a, const D& b) {
      return each([&](int i) { return a.part[i] - b.part[i]; });
    }
    friend D operator*(const D& a, const D& b) {
      return each([&](int i) { return a.part[i] * b.part[i]; });
    }
  };

  static F splat_float(float value) { return {_mm256_set1_ps(value), _mm256_set1_ps(value)}; }
  static F load_float(const float* from) {
    return {_mm256_loadu_ps(from), _mm256_loadu_ps(from + 8)};
  }
  static F max(F a, F b) { return {_mm256_max_ps(a.low, b.low), _mm256_max_ps(a.high, b.high)}; }
  static F min(F a, F b) { return {_mm256_min_ps(a.low, b.low), _mm256_min_ps(a.high, b.high)}; }
  static __m256 where_positive(__m256 value, __m256 yes, __m256 no) {
    return _mm256_blendv_ps(no, yes, _mm256_cmp_ps(value, _mm256_setzero_ps(), _CMP_GT_OQ));
  }
  static F where_positive(F value, F yes, F no) {
    return {where_positive(value.low, yes.low, no.low),
            where_positive(value.high, yes.high, no.high)};
  }
  /// 8 FP16 to FP32, infinities to +-@p largest, NaN kept.
  static __m256 widen_half(const void* from, float largest) {
    const __m256 value = _mm256_cvtph_ps(_mm_loadu_si128(static_cast<const __m128i*>(from)));
    return _mm256_max_ps(_mm256_set1_ps(-largest), _mm256_min_ps(_mm256_set1_ps(largest), value));
  }
  static F load_half(const std::byte* from) {
    constexpr float kLargest = std::numeric_limits<float>::max();
    return {widen_half(from, kLargest), widen_half(from + 16, kLargest)};
  }
  static void store_half(std::byte* to, __m256 value) {
    const __m256i is_nan = _mm256_castps_si256(_mm256_cmp_ps(value, value, _CMP_UNORD_Q));
    const __m256 clamped = _mm256_min_ps(_mm256_max_ps(value, _mm256_set1_ps(-kLargestHalf)),
                                         _mm256_set1_ps(kLargestHalf));
    const __m128i rounded = _mm256_cvtps_ph(clamped, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    const __m128i mask =
        _mm_packs_epi32(_mm256_castsi256_si128(is_nan), _mm256_extracti128_si256(is_nan, 1));
    const __m128i halves =
        _mm_blendv_epi8(rounded, _mm_set1_epi16(static_cast<int16_t>(kNanBits)), mask);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), halves);
  }
  static void store_half(std::byte* to, F value) {
    store_half(to, value.low);
    store_half(to + 16, value.high);
  }

  static D splat(double value) {
    return D::each([&](int) { return _mm256_set1_pd(value); });
  }
  static D load_double(const double* from) {
    return D::each([&](int i) { return _mm256_loadu_pd(from + 4 * i); });
  }
  static I load_int(const int32_t* from) {
    return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)),
            _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + 8))};
  }
  static I load_int8(const std::byte* from) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    return {_mm256_cvtepi8_epi32(bytes), _mm256_cvtepi8_epi32(_mm_srli_si128(bytes, 8))};
  }
  static D to_double(I value) {
    return {{_mm256_cvtepi32_pd(_mm256_castsi256_si128(value.low)),
             _mm256_cvtepi32_pd(_mm256_extracti128_si256(value.low, 1)),
             _mm256_cvtepi32_pd(_mm256_castsi256_si128(value.high)),
             _mm256_cvtepi32_pd(_mm256_extracti128_si256(value.high, 1))}};
  }
  static D max(const D& a, const D& b) {
    return D::each([&](int i) { return _mm256_max_pd(a.part[i], b.part[i]); });
  }
  static D min(const D& a, const D& b) {
    return D::each([&](int i) { return _mm256_min_pd(a.part[i], b.part[i]); });
  }
  static D clamp(const D& value, double low, double high) {
    return min(max(value, splat(low)), splat(high));
  }
  static D round_away(const D& value) {
    return D::each([&](int i) {
      const __m256d sign = _mm256_and_pd(value.part[i], _mm256_set1_pd(-0.0));
      return _mm256_round_pd(value.part[i] + _mm256_or_pd(sign, _mm256_set1_pd(0.5)),
                             _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
    });
  }
  static D where_positive(const D& value, const D& yes, const D& no) {
    return D::each([&](int i) {
      const __m256d positive = _mm256_cmp_pd(value.part[i], _mm256_setzero_pd(), _CMP_GT_OQ);
      return _mm256_blendv_pd(no.part[i], yes.part[i], positive);
    });
  }
  /// Whole numbers in [-128, 127].
  static void store_int8(std::byte* to, const D& value) {
    const auto pair = [&](int i) {
      return _mm_packs_epi32(_mm256_cvtpd_epi32(value.part[i]),
                             _mm256_cvtpd_epi32(value.part[i + 1]));
    };
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_packs_epi16(pair(0), pair(2)));
  }

  struct HalfArithmetic {
    using Stored = Half;
    using Input = float;
    using Weight = uint16_t;
    using Number = float;
    using Acc = F;
    using Weights = F;
    static constexpr int kPerStep = 1, kBlock = 16, kVectors = 1, kMostPositions = 6;
    static constexpr Input kZero = 0;

    static Weight weight(Half stored) { return stored.bits; }
    static Number start(int64_t) { return 0; }
    static Input convert_one(Half stored) { return conv_input(stored); }
    static void convert(const Half* from, int64_t count, Input* to) {
      int64_t i = 0;
      for (; i + 8 <= count; i += 8) _mm256_storeu_ps(to + i, widen_half(from + i, kConvInfinity));
      for (; i < count; ++i) to[i] = convert_one(from[i]);
    }
    static Acc load(const Number* from) { return load_float(from); }
    static void store(Number* to, const Acc& value) {
      _mm256_store_ps(to, value.low);
      _mm256_store_ps(to + 8, value.high);
    }
    static Weights load_weights(const Weight* from) {
      const auto* halves = reinterpret_cast<const __m128i*>(from);
      return {_mm256_cvtph_ps(_mm_load_si128(halves)), _mm256_cvtph_ps(_mm_load_si128(halves + 1))};
    }
    static __m256 spread(const Input* from) { return _mm256_set1_ps(*from); }
    /// The product is exact in FP32, so one rounding is the rounding of the sum.
    static Acc step(const Acc& acc, __m256 x, const Weights& w) {
      return {_mm256_fmadd_ps(x, w.low, acc.low), _mm256_fmadd_ps(x, w.high, acc.high)};
    }
  };

  struct Int8Arithmetic {
    using Stored = int8_t;
    using Input = int16_t;
    using Weight = int16_t;
    using Number = int32_t;
    using Acc = I;
    using Weights = I;
    static constexpr int kPerStep = 2, kBlock = 32, kVectors = 1, kMostPositions = 6;
    static constexpr Input kZero = 0;

    static Weight weight(int8_t stored) { return stored; }
    static Number start(int64_t) { return 0; }
    static Input convert_one(int8_t stored) { return stored; }
    static void convert(const int8_t* from, int64_t count, Input* to) {
      int64_t i = 0;
      for (; i + 16 <= count; i += 16)
        _mm256_storeu_si256(
            reinterpret_cast<__m256i*>(to + i),
            _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i))));
      for (; i < count; ++i) to[i] = convert_one(from[i]);
    }
    static Acc load(const Number* from) { return load_int(from); }
    static void store(Number* to, const Acc& value) {
      _mm256_store_si256(reinterpret_cast<__m256i*>(to), value.low);
      _mm256_store_si256(reinterpret_cast<__m256i*>(to + 8), value.high);
    }
    static Weights load_weights(const Weight* from) {
      const auto* pairs = reinterpret_cast<const __m256i*>(from);
      return {_mm256_load_si256(pairs), _mm256_load_si256(pairs + 1)};
    }
    static __m256i spread(const Input* from) {
      int32_t two = 0;
      std::memcpy(&two, from, sizeof two);
      return _mm256_set1_epi32(two);
    }
    static Acc step(const Acc& acc, __m256i x, const Weights& w) {
      return {_mm256_add_epi32(acc.low, _mm256_madd_epi16(x, w.low)),
              _mm256_add_epi32(acc.high, _mm256_madd_epi16(x, w.high))};
    }
  };
};

}  // namespace
}  // namespace dlaexec::dla::core

#include "dla/core/vector_conv_kernel.h"

namespace dlaexec::dla::core {

std::unique_ptr<PreparedConv> prepare_conv_avx2(const Loadable& loadable,
                                                const Operation& operation) {
  return prepare<Avx2>(loadable, operation);
}

}  // namespace dlaexec::dla::core

#pragma GCC pop_options

#endif
