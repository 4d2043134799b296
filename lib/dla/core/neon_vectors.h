// What convolutions on NEON share: vectors of 16 numbers, FP16 sums, how INT8 lies.
// Include it behind vector_parts.h and, as what is written for all instruction sets, inside the
// region that compiles for one.

namespace dlaexec::dla::core {
namespace {

struct NeonVectors {
  using F = Parts<float32x4_t, 4>;
  using I = Parts<int32x4_t, 4>;
  using D = Parts<float64x2_t, 8>;

  static F splat_float(float value) {
    return F::each([&](int) { return vdupq_n_f32(value); });
  }
  static F load_float(const float* from) {
    return F::each([&](int i) { return vld1q_f32(from + 4 * i); });
  }
  // Not vmaxq and vminq: a NaN decides as in the scalar SDP, where nothing is above or below it.
  static F max(const F& a, const F& b) {
    return F::each(
        [&](int i) { return vbslq_f32(vcgtq_f32(a.part[i], b.part[i]), a.part[i], b.part[i]); });
  }
  static F min(const F& a, const F& b) {
    return F::each(
        [&](int i) { return vbslq_f32(vcltq_f32(a.part[i], b.part[i]), a.part[i], b.part[i]); });
  }
  static F where_positive(const F& value, const F& yes, const F& no) {
    return F::each(
        [&](int i) { return vbslq_f32(vcgtzq_f32(value.part[i]), yes.part[i], no.part[i]); });
  }
  static float16x4_t halves(const uint16_t* from) { return vreinterpret_f16_u16(vld1_u16(from)); }
  /// 4 FP16 to FP32, infinities to +-@p largest, NaN kept.
  static float32x4_t widen_half(const uint16_t* from, float largest) {
    const float32x4_t value = vcvt_f32_f16(halves(from));
    return vmaxq_f32(vdupq_n_f32(-largest), vminq_f32(vdupq_n_f32(largest), value));
  }
  static F load_half(const std::byte* from) {
    const auto* bits = reinterpret_cast<const uint16_t*>(from);
    constexpr float kLargest = std::numeric_limits<float>::max();
    return F::each([&](int i) { return widen_half(bits + 4 * i, kLargest); });
  }
  static void store_half(std::byte* to, const F& value) {
    auto* const bits = reinterpret_cast<uint16_t*>(to);
    for (int i = 0; i < 4; ++i) {
      const float32x4_t part = value.part[i];
      const float32x4_t clamped =
          vminq_f32(vmaxq_f32(part, vdupq_n_f32(-kLargestHalf)), vdupq_n_f32(kLargestHalf));
      const uint16x4_t rounded = vreinterpret_u16_f16(vcvt_f16_f32(clamped));
      const uint16x4_t is_number = vmovn_u32(vceqq_f32(part, part));
      vst1_u16(bits + 4 * i, vbsl_u16(is_number, rounded, vdup_n_u16(kNanBits)));
    }
  }

  static D splat(double value) {
    return D::each([&](int) { return vdupq_n_f64(value); });
  }
  static D load_double(const double* from) {
    return D::each([&](int i) { return vld1q_f64(from + 2 * i); });
  }
  static I load_int(const int32_t* from) {
    return I::each([&](int i) { return vld1q_s32(from + 4 * i); });
  }
  static void store_int(int32_t* to, const I& value) {
    for (int i = 0; i < 4; ++i) vst1q_s32(to + 4 * i, value.part[i]);
  }
  static I load_int8(const std::byte* from) {
    const int8x16_t bytes = vld1q_s8(reinterpret_cast<const int8_t*>(from));
    const int16x8_t low = vmovl_s8(vget_low_s8(bytes)), high = vmovl_high_s8(bytes);
    return {{vmovl_s16(vget_low_s16(low)), vmovl_high_s16(low), vmovl_s16(vget_low_s16(high)),
             vmovl_high_s16(high)}};
  }
  static D to_double(const I& value) {
    return D::each([&](int i) {
      const int32x4_t four = value.part[i / 2];
      return vcvtq_f64_s64(i % 2 == 0 ? vmovl_s32(vget_low_s32(four)) : vmovl_high_s32(four));
    });
  }
  static D max(const D& a, const D& b) {
    return D::each([&](int i) { return vmaxq_f64(a.part[i], b.part[i]); });
  }
  static D min(const D& a, const D& b) {
    return D::each([&](int i) { return vminq_f64(a.part[i], b.part[i]); });
  }
  static D round_away(const D& value) {
    return D::each([&](int i) { return vrndaq_f64(value.part[i]); });
  }
  static D where_positive(const D& value, const D& yes, const D& no) {
    return D::each(
        [&](int i) { return vbslq_f64(vcgtzq_f64(value.part[i]), yes.part[i], no.part[i]); });
  }
  /// Rounded half away from zero, saturated; no magnitude passes 32 bits.
  static void store_int8(std::byte* to, const D& value) {
    const auto four = [&](int i) {
      return vmovn_high_s64(vmovn_s64(vcvtaq_s64_f64(value.part[i])),
                            vcvtaq_s64_f64(value.part[i + 1]));
    };
    const int16x8_t low = vqmovn_high_s32(vqmovn_s32(four(0)), four(2));
    const int16x8_t high = vqmovn_high_s32(vqmovn_s32(four(4)), four(6));
    vst1q_s8(reinterpret_cast<int8_t*>(to), vqmovn_high_s16(vqmovn_s16(low), high));
  }

  struct HalfArithmetic : HalfNumbers {
    using Acc = F;
    using Weights = F;
    static constexpr int kVectors = 1, kMostPositions = 6;

    static void convert(const Half* from, int64_t count, Input* to) {
      int64_t i = 0;
      for (; i + 4 <= count; i += 4) vst1q_f32(to + i, widen_half(&from[i].bits, kConvInfinity));
      for (; i < count; ++i) to[i] = convert_one(from[i]);
    }
    static Acc load(const Number* from) { return load_float(from); }
    static void store(Number* to, const Acc& value) {
      for (int i = 0; i < 4; ++i) vst1q_f32(to + 4 * i, value.part[i]);
    }
    static Weights load_weights(const Weight* from) {
      return F::each([&](int i) { return vcvt_f32_f16(halves(from + 4 * i)); });
    }
    static float32x4_t spread(const Input* from) { return vld1q_dup_f32(from); }
    static Acc step(const Acc& acc, float32x4_t x, const Weights& w) {
      return F::each([&](int i) { return vfmaq_f32(acc.part[i], x, w.part[i]); });
    }

    static F load_weight_lanes(const Lane* from) { return load_float(from); }
    static F load_lanes(const std::byte* from) {
      const auto* bits = reinterpret_cast<const uint16_t*>(from);
      return F::each([&](int i) { return widen_half(bits + 4 * i, kConvInfinity); });
    }
    static Acc step_lanes(const Acc& acc, const F& x, const F& w) {
      return F::each([&](int i) { return vfmaq_f32(acc.part[i], x.part[i], w.part[i]); });
    }
  };

  /// What INT8 convolutions share: inputs and weights as they are stored, four channels a step.
  struct Int8Layout {
    using Stored = int8_t;
    using Input = int8_t;
    using Weight = int8_t;
    using Number = int32_t;
    using Acc = I;
    static constexpr int kPerStep = 4, kBlock = 32, kVectors = 1;
    static constexpr Input kZero = 0;

    static Weight weight(int8_t stored) { return stored; }
    static Number start(int64_t) { return 0; }
    static Input convert_one(int8_t stored) { return stored; }
    static void convert(const int8_t* from, int64_t count, Input* to) {
      std::copy_n(from, count, to);
    }
    static Acc load(const Number* from) { return load_int(from); }
    static void store(Number* to, const Acc& value) { store_int(to, value); }

    using Lane = int32_t;
    static Lane lane(int8_t stored) { return stored; }
    static I load_weight_lanes(const Lane* from) { return load_int(from); }
    static I load_lanes(const std::byte* from) { return load_int8(from); }
    static Acc step_lanes(const Acc& acc, const I& x, const I& w) {
      return I::each([&](int i) { return vmlaq_s32(acc.part[i], x.part[i], w.part[i]); });
    }
  };
};

}  // namespace
}  // namespace dlaexec::dla::core
