// Convolutions with AVX2, FMA and F16C. There is no 8-bit dot product without saturation, so INT8
// goes in pairs of 16 bits, which are exact.
#include "dla/core/vector_world.h"

#if defined(__x86_64__)

#include <immintrin.h>

#pragma GCC push_options
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // that vectors may alias; ours do not
#pragma GCC target("avx2,fma,f16c")

#include "dla/core/vector_parts.h"

namespace dlaexec::dla::core {
namespace {

struct Avx2 {
  using F = Parts<__m256, 2>;
  using I = Parts<__m256i, 2>;
  using D = Parts<__m256d, 4>;

  static F splat_float(float value) {
    return F::each([&](int) { return _mm256_set1_ps(value); });
  }
  static F load_float(const float* from) {
    return F::each([&](int i) { return _mm256_loadu_ps(from + 8 * i); });
  }
  static F max(const F& a, const F& b) {
    return F::each([&](int i) { return _mm256_max_ps(a.part[i], b.part[i]); });
  }
  static F min(const F& a, const F& b) {
    return F::each([&](int i) { return _mm256_min_ps(a.part[i], b.part[i]); });
  }
  static F where_positive(const F& value, const F& yes, const F& no) {
    return F::each([&](int i) {
      const __m256 positive = _mm256_cmp_ps(value.part[i], _mm256_setzero_ps(), _CMP_GT_OQ);
      return _mm256_blendv_ps(no.part[i], yes.part[i], positive);
    });
  }
  /// 8 FP16 to FP32, infinities to +-@p largest, NaN kept.
  static __m256 widen_half(const void* from, float largest) {
    const __m256 value = _mm256_cvtph_ps(_mm_loadu_si128(static_cast<const __m128i*>(from)));
    return _mm256_max_ps(_mm256_set1_ps(-largest), _mm256_min_ps(_mm256_set1_ps(largest), value));
  }
  static F load_half(const std::byte* from) {
    constexpr float kLargest = std::numeric_limits<float>::max();
    return F::each([&](int i) { return widen_half(from + 16 * i, kLargest); });
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
  static void store_half(std::byte* to, const F& value) {
    for (int i = 0; i < 2; ++i) store_half(to + 16 * i, value.part[i]);
  }

  static D splat(double value) {
    return D::each([&](int) { return _mm256_set1_pd(value); });
  }
  static D load_double(const double* from) {
    return D::each([&](int i) { return _mm256_loadu_pd(from + 4 * i); });
  }
  static I load_int(const int32_t* from) {
    return I::each(
        [&](int i) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + 8 * i)); });
  }
  static I load_int8(const std::byte* from) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    return {{_mm256_cvtepi8_epi32(bytes), _mm256_cvtepi8_epi32(_mm_srli_si128(bytes, 8))}};
  }
  static D to_double(const I& value) {
    return D::each([&](int i) {
      const __m256i eight = value.part[i / 2];
      return _mm256_cvtepi32_pd(i % 2 == 0 ? _mm256_castsi256_si128(eight)
                                           : _mm256_extracti128_si256(eight, 1));
    });
  }
  static D max(const D& a, const D& b) {
    return D::each([&](int i) { return _mm256_max_pd(a.part[i], b.part[i]); });
  }
  static D min(const D& a, const D& b) {
    return D::each([&](int i) { return _mm256_min_pd(a.part[i], b.part[i]); });
  }
  /// What the nearest integer, ties away from zero, is the integral part of.
  static __m256d half_further(__m256d value) {
    const __m256d sign = _mm256_and_pd(value, _mm256_set1_pd(-0.0));
    return value + _mm256_or_pd(sign, _mm256_set1_pd(0.5));
  }
  static D round_away(const D& value) {
    return D::each([&](int i) {
      return _mm256_round_pd(half_further(value.part[i]), _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
    });
  }
  static D where_positive(const D& value, const D& yes, const D& no) {
    return D::each([&](int i) {
      const __m256d positive = _mm256_cmp_pd(value.part[i], _mm256_setzero_pd(), _CMP_GT_OQ);
      return _mm256_blendv_pd(no.part[i], yes.part[i], positive);
    });
  }
  /// Rounded half away from zero, saturated; no magnitude passes 32 bits.
  static void store_int8(std::byte* to, const D& value) {
    const auto pair = [&](int i) {
      return _mm_packs_epi32(_mm256_cvttpd_epi32(half_further(value.part[i])),
                             _mm256_cvttpd_epi32(half_further(value.part[i + 1])));
    };
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_packs_epi16(pair(0), pair(2)));
  }

  struct HalfArithmetic : HalfNumbers {
    using Acc = F;
    using Weights = F;
    static constexpr int kVectors = 1, kMostPositions = 6;

    static void convert(const Half* from, int64_t count, Input* to) {
      int64_t i = 0;
      for (; i + 8 <= count; i += 8) _mm256_storeu_ps(to + i, widen_half(from + i, kConvInfinity));
      for (; i < count; ++i) to[i] = convert_one(from[i]);
    }
    static Acc load(const Number* from) { return load_float(from); }
    static void store(Number* to, const Acc& value) {
      for (int i = 0; i < 2; ++i) _mm256_store_ps(to + 8 * i, value.part[i]);
    }
    static Weights load_weights(const Weight* from) {
      const auto* halves = reinterpret_cast<const __m128i*>(from);
      return F::each([&](int i) { return _mm256_cvtph_ps(_mm_load_si128(halves + i)); });
    }
    static __m256 spread(const Input* from) { return _mm256_set1_ps(*from); }
    static Acc step(const Acc& acc, __m256 x, const Weights& w) {
      return F::each([&](int i) { return _mm256_fmadd_ps(x, w.part[i], acc.part[i]); });
    }

    static F load_weight_lanes(const Lane* from) { return load_float(from); }
    static F load_lanes(const std::byte* from) {
      return F::each([&](int i) { return widen_half(from + 16 * i, kConvInfinity); });
    }
    static Acc step_lanes(const Acc& acc, const F& x, const F& w) {
      return F::each([&](int i) { return _mm256_fmadd_ps(x.part[i], w.part[i], acc.part[i]); });
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
      for (int i = 0; i < 2; ++i)
        _mm256_store_si256(reinterpret_cast<__m256i*>(to + 8 * i), value.part[i]);
    }
    static Weights load_weights(const Weight* from) {
      const auto* pairs = reinterpret_cast<const __m256i*>(from);
      return I::each([&](int i) { return _mm256_load_si256(pairs + i); });
    }
    static __m256i spread(const Input* from) {
      int32_t two = 0;
      std::memcpy(&two, from, sizeof two);
      return _mm256_set1_epi32(two);
    }
    static Acc step(const Acc& acc, __m256i x, const Weights& w) {
      return I::each(
          [&](int i) { return _mm256_add_epi32(acc.part[i], _mm256_madd_epi16(x, w.part[i])); });
    }

    /// Products of the lower halves of lanes: the upper half of a weight is 0.
    using Lane = int32_t;
    static Lane lane(int8_t stored) { return static_cast<uint16_t>(int16_t{stored}); }
    static I load_weight_lanes(const Lane* from) { return load_int(from); }
    static I load_lanes(const std::byte* from) { return load_int8(from); }
    static Acc step_lanes(const Acc& acc, const I& x, const I& w) {
      return I::each([&](int i) {
        return _mm256_add_epi32(acc.part[i], _mm256_madd_epi16(x.part[i], w.part[i]));
      });
    }
  };
};

}  // namespace
}  // namespace dlaexec::dla::core

#include "dla/core/vector_prepare.h"

namespace dlaexec::dla::core {

std::unique_ptr<Prepared> prepare_conv_avx2(const Loadable& loadable, const Operation& operation) {
  return prepare<Avx2>(loadable, operation);
}

}  // namespace dlaexec::dla::core

#pragma GCC diagnostic pop
#pragma GCC pop_options

#endif
