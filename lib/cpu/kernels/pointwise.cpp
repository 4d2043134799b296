#include "cpu/kernels/pointwise.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/error.h"
#include "base/half.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/pointwise.cpp"
// clang-format off
#include "cpu/kernels/foreach_isa.h"
#include "cpu/kernels/vector_math-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace dlaexec::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace {

/// output[i] = function(input[i]); the tail goes through a padded vector, so that an element's bits
/// do not depend on where it stands.
template <class Function>
HWY_INLINE void map(const float* input, float* output, int64_t count, Function&& function) {
  const Floats d;
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    hn::StoreU(function(hn::LoadU(d, input + i)), d, output + i);
  if (i == count) return;
  float tail[kLanes] = {};
  std::memcpy(tail, input + i, sizeof(float) * static_cast<size_t>(count - i));
  hn::StoreU(function(hn::LoadU(d, tail)), d, tail);
  std::memcpy(output + i, tail, sizeof(float) * static_cast<size_t>(count - i));
}

void activate(Activation activation, const float* input, float* output, int64_t count) {
  with_activation(activation, [&](auto&& function) { map(input, output, count, function); });
}

bool has_unary(ir::UnaryKind kind) {
  using ir::UnaryKind;
  switch (kind) {
    case UnaryKind::Exp:
    case UnaryKind::Log:
    case UnaryKind::Sqrt:
    case UnaryKind::Reciprocal:
    case UnaryKind::Abs:
    case UnaryKind::Neg:
    case UnaryKind::Ceil:
    case UnaryKind::Floor:
    case UnaryKind::Round:
    case UnaryKind::Erf:
      return true;
    default:
      return false;
  }
}

void unary(ir::UnaryKind kind, const float* input, float* output, int64_t count) {
  using ir::UnaryKind;
  const Floats d;
  const auto run = [&](auto&& function) { map(input, output, count, function); };
  switch (kind) {
    case UnaryKind::Exp:
      return run([](Vector x) { return exponential(x); });
    case UnaryKind::Log:
      return run([](Vector x) { return logarithm(x); });
    case UnaryKind::Sqrt:
      return run([](Vector x) { return hn::Sqrt(x); });
    case UnaryKind::Reciprocal:
      return run([&](Vector x) { return hn::Div(hn::Set(d, 1.0f), x); });
    case UnaryKind::Abs:
      return run([](Vector x) { return hn::Abs(x); });
    case UnaryKind::Neg:
      return run([](Vector x) { return hn::Neg(x); });
    case UnaryKind::Ceil:
      return run([](Vector x) { return hn::Ceil(x); });
    case UnaryKind::Floor:
      return run([](Vector x) { return hn::Floor(x); });
    case UnaryKind::Round:
      return run([](Vector x) { return hn::Round(x); });
    case UnaryKind::Erf:
      return run([](Vector x) { return error_function(x); });
    default:
      DLAEXEC_CHECK(false);
  }
}

bool has_binary(ir::ElementwiseKind kind) { return kind <= ir::ElementwiseKind::Max; }

void power(const float* left, int64_t left_step, const float* right, int64_t right_step,
           float* output, int64_t count) {
  if (right_step == 0 && *right == 2 && left_step == 1)
    return map(left, output, count, [](Vector x) { return hn::Mul(x, x); });
  if (right_step == 0 && *right == 0.5f && left_step == 1)
    return map(left, output, count, [](Vector x) { return hn::Sqrt(x); });
  for (int64_t i = 0; i < count; ++i)
    output[i] = std::pow(left[i * left_step], right[i * right_step]);
}

/// Calls @p body with the vector function of a kind; Pow has none.
template <class Body>
HWY_INLINE void with_binary(ir::ElementwiseKind kind, Body&& body) {
  using ir::ElementwiseKind;
  switch (kind) {
    case ElementwiseKind::Sum:
      return body([](Vector a, Vector b) { return hn::Add(a, b); });
    case ElementwiseKind::Sub:
      return body([](Vector a, Vector b) { return hn::Sub(a, b); });
    case ElementwiseKind::Prod:
      return body([](Vector a, Vector b) { return hn::Mul(a, b); });
    case ElementwiseKind::Div:
      return body([](Vector a, Vector b) { return hn::Div(a, b); });
    case ElementwiseKind::Min:
      return body([](Vector a, Vector b) { return either_nan(a, b, hn::Min(a, b)); });
    case ElementwiseKind::Max:
      return body([](Vector a, Vector b) { return either_nan(a, b, hn::Max(a, b)); });
    default:
      DLAEXEC_CHECK(false);
  }
}

void binary(ir::ElementwiseKind kind, const float* left, int64_t left_step, const float* right,
            int64_t right_step, float* output, int64_t count) {
  if (kind == ir::ElementwiseKind::Pow)
    return power(left, left_step, right, right_step, output, count);
  const Floats d;
  with_binary(kind, [&](auto&& function) {
    if (right_step == 0) {
      const Vector b = hn::Set(d, *right);
      if (left_step == 0) {
        float one[kLanes];
        hn::StoreU(function(hn::Set(d, *left), b), d, one);
        std::fill_n(output, count, one[0]);
        return;
      }
      return map(left, output, count, [&](Vector a) { return function(a, b); });
    }
    if (left_step == 0) {
      const Vector a = hn::Set(d, *left);
      return map(right, output, count, [&](Vector b) { return function(a, b); });
    }
    int64_t i = 0;
    for (; i + kLanes <= count; i += kLanes)
      hn::StoreU(function(hn::LoadU(d, left + i), hn::LoadU(d, right + i)), d, output + i);
    if (i == count) return;
    float a[kLanes] = {}, b[kLanes] = {};
    const size_t bytes = sizeof(float) * static_cast<size_t>(count - i);
    std::memcpy(a, left + i, bytes);
    std::memcpy(b, right + i, bytes);
    hn::StoreU(function(hn::LoadU(d, a), hn::LoadU(d, b)), d, a);
    std::memcpy(output + i, a, bytes);
  });
}

void binary_rows(ir::ElementwiseKind kind, const float* left, bool left_repeats, const float* right,
                 bool right_repeats, float* output, int64_t rows) {
  const Floats d;
  if (kind == ir::ElementwiseKind::Pow) {
    for (int64_t i = 0; i < rows * 16; ++i)
      output[i] = std::pow(left[left_repeats ? i % 16 : i], right[right_repeats ? i % 16 : i]);
    return;
  }
  with_binary(kind, [&](auto&& function) {
    for (int64_t lane = 0; lane < 16; lane += kLanes) {
      const float* a = left + lane;
      const float* b = right + lane;
      for (int64_t row = 0; row < rows; ++row) {
        hn::StoreU(function(hn::LoadU(d, a), hn::LoadU(d, b)), d, output + lane + row * 16);
        if (!left_repeats) a += 16;
        if (!right_repeats) b += 16;
      }
    }
  });
}

void scale_rows(const float* input, const float* scale, const float* shift, float* output,
                int64_t rows) {
  const Floats d;
  for (int64_t lane = 0; lane < 16; lane += kLanes) {
    const Vector factor = hn::LoadU(d, scale + lane);
    const Vector addend = hn::LoadU(d, shift + lane);
    for (int64_t i = lane; i < rows * 16; i += 16)
      hn::StoreU(hn::MulAdd(hn::LoadU(d, input + i), factor, addend), d, output + i);
  }
}

void scale(const float* input, float factor, float addend, float* output, int64_t count) {
  const Floats d;
  const Vector a = hn::Set(d, factor), b = hn::Set(d, addend);
  map(input, output, count, [&](Vector x) { return hn::MulAdd(x, a, b); });
}

#if HWY_TARGET <= HWY_AVX2 || HWY_ARCH_ARM_A64  // one instruction rounds to nearest even
using Halfs = hn::FixedTag<hwy::float16_t, kLanes>;

HWY_INLINE Vector rounded_half(Vector x) {
  return hn::PromoteTo(Floats(), hn::DemoteTo(Halfs(), x));
}

void round_half(const float* input, float* output, int64_t count) {
  map(input, output, count, [](Vector x) { return rounded_half(x); });
}

void half_to_float(const uint16_t* input, float* output, int64_t count) {
  int64_t i = 0;
  const auto* halfs = reinterpret_cast<const hwy::float16_t*>(input);
  for (; i + kLanes <= count; i += kLanes)
    hn::StoreU(hn::PromoteTo(Floats(), hn::LoadU(Halfs(), halfs + i)), Floats(), output + i);
  for (; i < count; ++i) output[i] = static_cast<float>(Half::from_bits(input[i]));
}

void float_to_half(const float* input, uint16_t* output, int64_t count) {
  int64_t i = 0;
  auto* halfs = reinterpret_cast<hwy::float16_t*>(output);
  for (; i + kLanes <= count; i += kLanes)
    hn::StoreU(hn::DemoteTo(Halfs(), hn::LoadU(Floats(), input + i)), Halfs(), halfs + i);
  for (; i < count; ++i) output[i] = Half(input[i]).bits;
}
#else
void round_half(const float* input, float* output, int64_t count) {
  for (int64_t i = 0; i < count; ++i) output[i] = static_cast<float>(Half(input[i]));
}

void half_to_float(const uint16_t* input, float* output, int64_t count) {
  for (int64_t i = 0; i < count; ++i) output[i] = static_cast<float>(Half::from_bits(input[i]));
}

void float_to_half(const float* input, uint16_t* output, int64_t count) {
  for (int64_t i = 0; i < count; ++i) output[i] = Half(input[i]).bits;
}
#endif

/// The integer that stands for x, as a float.
HWY_INLINE Vector quantized(Vector x, Vector scale) {
  const Floats d;
  const Vector q = hn::Round(hn::Div(x, scale));
  return between(hn::Set(d, -128.0f), hn::Set(d, 127.0f), q);
}

void round_int8(float scale, const float* input, float* output, int64_t count) {
  const Vector factor = hn::Set(Floats(), scale);
  map(input, output, count, [&](Vector x) { return hn::Mul(quantized(x, factor), factor); });
}

void int8_to_float(float scale, const int8_t* input, float* output, int64_t count) {
  for (int64_t i = 0; i < count; ++i) output[i] = static_cast<float>(input[i]) * scale;
}

void float_to_int8(float scale, const float* input, int8_t* output, int64_t count) {
  const Vector factor = hn::Set(Floats(), scale);
  constexpr int64_t kRun = 256;
  float whole[kRun];
  for (int64_t i = 0; i < count; i += kRun) {
    const int64_t run = std::min(kRun, count - i);
    map(input + i, whole, run, [&](Vector x) { return quantized(x, factor); });
    for (int64_t j = 0; j < run; ++j) output[i + j] = static_cast<int8_t>(whole[j]);
  }
}

template <class To>
void quantize(IntegerScale by, const float* input, To* output, int64_t count) {
  const Floats d;
  const hn::FixedTag<int32_t, kLanes> ints;
  const hn::FixedTag<To, kLanes> narrow;
  const Vector scale = hn::Set(d, by.scale);
  const Vector zero = hn::Set(d, static_cast<float>(by.zero));
  const Vector low = hn::Set(d, static_cast<float>(std::numeric_limits<To>::min()));
  const Vector high = hn::Set(d, static_cast<float>(std::numeric_limits<To>::max()));
  const auto run = [&](const float* from, To* to) {
    const Vector steps = hn::Add(hn::Round(hn::Div(hn::LoadU(d, from), scale)), zero);
    const Vector inside = between(low, high, steps);
    const Vector kept = hn::IfThenElseZero(hn::Eq(steps, steps), inside);
    hn::StoreU(hn::DemoteTo(narrow, hn::ConvertTo(ints, kept)), narrow, to);
  };
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) run(input + i, output + i);
  if (i == count) return;
  float last[kLanes] = {};
  To made[kLanes];
  std::copy(input + i, input + count, last);
  run(last, made);
  std::copy_n(made, count - i, output + i);
}

template <class From>
void dequantize(IntegerScale by, const From* input, float* output, int64_t count) {
  const Floats d;
  const hn::FixedTag<int32_t, kLanes> ints;
  const hn::FixedTag<From, kLanes> narrow;
  const auto zero = hn::Set(ints, by.zero);
  const Vector scale = hn::Set(d, by.scale);
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    const auto steps = hn::Sub(hn::PromoteTo(ints, hn::LoadU(narrow, input + i)), zero);
    hn::StoreU(hn::Mul(hn::ConvertTo(d, steps), scale), d, output + i);
  }
  for (; i < count; ++i)
    output[i] = static_cast<float>(static_cast<int32_t>(input[i]) - by.zero) * by.scale;
}

}  // namespace

extern const PointwiseKernels kPointwiseKernels;
const PointwiseKernels kPointwiseKernels{
    &activate,
    &has_unary,
    &unary,
    &has_binary,
    &binary,
    &binary_rows,
    &scale_rows,
    &scale,
    &round_half,
    &round_int8,
    &half_to_float,
    &float_to_half,
    &int8_to_float,
    &float_to_int8,
    &quantize<int8_t>,
    &quantize<uint8_t>,
    &dequantize<int8_t>,
    &dequantize<uint8_t>,
};

}  // namespace dlaexec::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dlaexec::cpu {

const PointwiseKernels& pointwise_kernels(Isa isa) {
  return DLAEXEC_FOR_ISA(isa, kPointwiseKernels);
}

}  // namespace dlaexec::cpu
#endif
