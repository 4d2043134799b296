// Convolutions with AVX-512 and VNNI.
#include "dla/core/vector_world.h"

#if defined(__x86_64__)

#include <immintrin.h>

#pragma GCC push_options
#pragma GCC diagnostic push
// GCC 12 takes the undefined vectors inside its own intrinsics for mistakes.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wignored-attributes"  // that vectors may alias; ours do not
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c")

#include "dla/core/vector_parts.h"

namespace dlaexec::dla::core {
namespace {

struct Avx512 {
  using F = __m512;
  using D = Parts<__m512d, 2>;

  static F splat_float(float value) { return _mm512_set1_ps(value); }
  static F load_float(const float* from) { return _mm512_loadu_ps(from); }
  static F max(F a, F b) { return _mm512_max_ps(a, b); }
  static F min(F a, F b) { return _mm512_min_ps(a, b); }
  static F where_positive(F value, F yes, F no) {
    const __mmask16 positive = _mm512_cmp_ps_mask(value, _mm512_setzero_ps(), _CMP_GT_OQ);
    return _mm512_mask_blend_ps(positive, no, yes);
  }
  /// FP16 to FP32, infinities to +-@p largest, NaN kept.
  static F widen_half(__m256i halves, float largest) {
    const F value = _mm512_cvtph_ps(halves);
    return _mm512_max_ps(splat_float(-largest), _mm512_min_ps(splat_float(largest), value));
  }
  static F load_half(const std::byte* from) {
    return widen_half(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)),
                      std::numeric_limits<float>::max());
  }
  static void store_half(std::byte* to, F value) {
    const __mmask16 is_nan = _mm512_cmp_ps_mask(value, value, _CMP_UNORD_Q);
    const F clamped =
        _mm512_min_ps(_mm512_max_ps(value, splat_float(-kLargestHalf)), splat_float(kLargestHalf));
    const __m256i rounded = _mm512_cvtps_ph(clamped, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    const __m256i halves =
        _mm256_mask_blend_epi16(is_nan, rounded, _mm256_set1_epi16(static_cast<int16_t>(kNanBits)));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), halves);
  }

  static D splat(double value) {
    return D::each([&](int) { return _mm512_set1_pd(value); });
  }
  static D load_double(const double* from) {
    return D::each([&](int i) { return _mm512_loadu_pd(from + 8 * i); });
  }
  static __m512i load_int(const int32_t* from) { return _mm512_loadu_si512(from); }
  static __m512i load_int8(const std::byte* from) {
    return _mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  }
  static D to_double(__m512i value) {
    return {{_mm512_cvtepi32_pd(_mm512_castsi512_si256(value)),
             _mm512_cvtepi32_pd(_mm512_extracti64x4_epi64(value, 1))}};
  }
  static D max(const D& a, const D& b) {
    return D::each([&](int i) { return _mm512_max_pd(a.part[i], b.part[i]); });
  }
  static D min(const D& a, const D& b) {
    return D::each([&](int i) { return _mm512_min_pd(a.part[i], b.part[i]); });
  }
  /// What the nearest integer, ties away from zero, is the integral part of.
  static __m512d half_further(__m512d value) {
    const __m512d sign = _mm512_and_pd(value, _mm512_set1_pd(-0.0));
    return value + _mm512_or_pd(sign, _mm512_set1_pd(0.5));
  }
  static D round_away(const D& value) {
    return D::each([&](int i) {
      return _mm512_roundscale_pd(half_further(value.part[i]),
                                  _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
    });
  }
  static D where_positive(const D& value, const D& yes, const D& no) {
    return D::each([&](int i) {
      const __mmask8 positive = _mm512_cmp_pd_mask(value.part[i], _mm512_setzero_pd(), _CMP_GT_OQ);
      return _mm512_mask_blend_pd(positive, no.part[i], yes.part[i]);
    });
  }
  /// Rounded half away from zero, saturated; no magnitude passes 32 bits.
  static void store_int8(std::byte* to, const D& value) {
    const __m256i low = _mm512_cvttpd_epi32(half_further(value.part[0]));
    const __m256i high = _mm512_cvttpd_epi32(half_further(value.part[1]));
    const __m512i both = _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtsepi32_epi8(both));
  }

  struct HalfArithmetic : HalfNumbers {
    using Acc = __m512;
    using Weights = __m512;
    static constexpr int kVectors = 2, kMostPositions = 14;

    static void convert(const Half* from, int64_t count, Input* to) {
      int64_t i = 0;
      for (; i + 16 <= count; i += 16)
        _mm512_storeu_ps(to + i,
                         widen_half(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + i)),
                                    kConvInfinity));
      for (; i < count; ++i) to[i] = convert_one(from[i]);
    }
    static Acc load(const Number* from) { return _mm512_load_ps(from); }
    static void store(Number* to, Acc value) { _mm512_store_ps(to, value); }
    static Weights load_weights(const Weight* from) {
      return _mm512_cvtph_ps(_mm256_load_si256(reinterpret_cast<const __m256i*>(from)));
    }
    static __m512 spread(const Input* from) { return _mm512_set1_ps(*from); }
    static Acc step(Acc acc, __m512 x, Weights w) { return _mm512_fmadd_ps(x, w, acc); }

    static F load_weight_lanes(const Lane* from) { return load_float(from); }
    static F load_lanes(const std::byte* from) {
      return widen_half(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)), kConvInfinity);
    }
    static Acc step_lanes(Acc acc, F x, F w) { return _mm512_fmadd_ps(x, w, acc); }
  };

  /// Exact sums: inputs as unsigned x + 128, the excess 128 * sum(w) taken off at the start.
  struct Int8Arithmetic {
    using Stored = int8_t;
    using Input = uint8_t;
    using Weight = int8_t;
    using Number = int32_t;
    using Acc = __m512i;
    using Weights = __m512i;
    static constexpr int kPerStep = 4, kBlock = 32, kVectors = 2, kMostPositions = 14;
    static constexpr Input kZero = 128;

    static Weight weight(int8_t stored) { return stored; }
    static Number start(int64_t sum) { return static_cast<int32_t>(-128 * sum); }
    static Input convert_one(int8_t stored) { return static_cast<uint8_t>(stored + 128); }
    static void convert(const int8_t* from, int64_t count, Input* to) {
      const __m256i flip = _mm256_set1_epi8(-128);
      int64_t i = 0;
      for (; i + 32 <= count; i += 32)
        _mm256_storeu_si256(
            reinterpret_cast<__m256i*>(to + i),
            _mm256_xor_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + i)), flip));
      for (; i < count; ++i) to[i] = convert_one(from[i]);
    }
    static Acc load(const Number* from) { return _mm512_load_si512(from); }
    static void store(Number* to, Acc value) { _mm512_store_si512(to, value); }
    static Weights load_weights(const Weight* from) { return _mm512_load_si512(from); }
    static __m512i spread(const Input* from) {
      int32_t four = 0;
      std::memcpy(&four, from, sizeof four);
      return _mm512_set1_epi32(four);
    }
    static Acc step(Acc acc, __m512i x, Weights w) { return _mm512_dpbusd_epi32(acc, x, w); }

    /// Products of the lower halves of lanes: the upper half of a weight is 0.
    using Lane = int32_t;
    static Lane lane(int8_t stored) { return static_cast<uint16_t>(int16_t{stored}); }
    static __m512i load_weight_lanes(const Lane* from) { return load_int(from); }
    static __m512i load_lanes(const std::byte* from) { return load_int8(from); }
    static Acc step_lanes(Acc acc, __m512i x, __m512i w) { return _mm512_dpwssd_epi32(acc, x, w); }
  };
};

}  // namespace
}  // namespace dlaexec::dla::core

#include "dla/core/vector_prepare.h"

namespace dlaexec::dla::core {

std::unique_ptr<Prepared> prepare_conv_avx512(const Loadable& loadable,
                                              const Operation& operation) {
  return prepare<Avx512>(loadable, operation);
}

}  // namespace dlaexec::dla::core

#pragma GCC diagnostic pop
#pragma GCC pop_options

#endif
