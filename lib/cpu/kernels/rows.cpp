#include "cpu/kernels/rows.h"

#include <algorithm>
#include <cmath>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/rows.cpp"
// clang-format off
#include "cpu/kernels/foreach_isa.h"
#include "cpu/kernels/vector_math-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace dlaexec::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Folds a row with @p add into four sums that @p join makes one; the tail folds into the first
/// lanes of a vector of neutral elements.
template <class Add, class Join>
HWY_INLINE Vector fold(const float* input, int64_t count, float neutral, Add&& add, Join&& join) {
  const Floats d;
  Vector part[4] = {hn::Set(d, neutral), hn::Set(d, neutral), hn::Set(d, neutral),
                    hn::Set(d, neutral)};
  int64_t i = 0;
  for (; i + 4 * kLanes <= count; i += 4 * kLanes)
#pragma GCC unroll 4
    for (int p = 0; p < 4; ++p) part[p] = add(part[p], hn::LoadU(d, input + i + p * kLanes));
  for (; i + kLanes <= count; i += kLanes) part[0] = add(part[0], hn::LoadU(d, input + i));
  if (i < count) {
    float tail[kLanes];
    float after[kLanes];
    std::fill_n(tail, kLanes, 0.0f);
    std::copy(input + i, input + count, tail);
    hn::StoreU(add(part[1], hn::LoadU(d, tail)), d, after);
    hn::StoreU(part[1], d, tail);
    std::copy(after, after + (count - i), tail);
    part[1] = hn::LoadU(d, tail);
  }
  return join(join(part[0], part[1]), join(part[2], part[3]));
}

HWY_INLINE float lanes_sum(Vector x) { return hn::GetLane(hn::SumOfLanes(Floats(), x)); }

float sum(const float* input, int64_t count) {
  const auto add = [](Vector a, Vector b) { return hn::Add(a, b); };
  return lanes_sum(fold(input, count, 0, add, add));
}

float max(const float* input, int64_t count) {
  const auto pick = [](Vector a, Vector b) { return either_nan(a, b, hn::Max(a, b)); };
  return hn::GetLane(hn::MaxOfLanes(Floats(), fold(input, count, -kInfinity, pick, pick)));
}

float min(const float* input, int64_t count) {
  const auto pick = [](Vector a, Vector b) { return either_nan(a, b, hn::Min(a, b)); };
  return hn::GetLane(hn::MinOfLanes(Floats(), fold(input, count, kInfinity, pick, pick)));
}

template <class Function>
HWY_INLINE void map(const float* input, float* output, int64_t count, Function&& function) {
  const Floats d;
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    hn::StoreU(function(hn::LoadU(d, input + i), i), d, output + i);
  if (i == count) return;
  float tail[kLanes] = {};
  std::copy(input + i, input + count, tail);
  hn::StoreU(function(hn::LoadU(d, tail), i), d, tail);
  std::copy(tail, tail + (count - i), output + i);
}

void softmax(const float* input, float* output, int64_t count) {
  const Floats d;
  const Vector top = hn::Set(d, max(input, count));
  map(input, output, count, [&](Vector x, int64_t) { return exponential(hn::Sub(x, top)); });
  const Vector factor = hn::Set(d, 1.0f / sum(output, count));
  map(output, output, count, [&](Vector x, int64_t) { return hn::Mul(x, factor); });
}

void log_softmax(const float* input, float* output, int64_t count) {
  const Floats d;
  const float largest = max(input, count);
  const Vector top = hn::Set(d, largest);
  const auto add = [&](Vector so_far, Vector x) {
    return hn::Add(so_far, exponential(hn::Sub(x, top)));
  };
  const auto join = [](Vector a, Vector b) { return hn::Add(a, b); };
  const Vector total = hn::Set(d, std::log(lanes_sum(fold(input, count, 0, add, join))));
  map(input, output, count, [&](Vector x, int64_t) { return hn::Sub(hn::Sub(x, top), total); });
}

/// Mean and one over the deviation.
struct Moments {
  float mean, factor;
};

HWY_INLINE Moments moments(const float* input, int64_t count, float epsilon) {
  const Floats d;
  const float mean = sum(input, count) / static_cast<float>(count);
  const Vector centre = hn::Set(d, mean);
  const auto add = [&](Vector so_far, Vector x) {
    const Vector off = hn::Sub(x, centre);
    return hn::MulAdd(off, off, so_far);
  };
  const auto join = [](Vector a, Vector b) { return hn::Add(a, b); };
  const float variance = lanes_sum(fold(input, count, 0, add, join)) / static_cast<float>(count);
  return {mean, 1.0f / std::sqrt(variance + epsilon)};
}

/// Loads up to a vector of a row of @p count numbers from @p i on; zeros past its end.
HWY_INLINE Vector load_within(const float* row, int64_t i, int64_t count) {
  const Floats d;
  if (i + kLanes <= count) return hn::LoadU(d, row + i);
  float tail[kLanes] = {};
  std::copy(row + i, row + count, tail);
  return hn::LoadU(d, tail);
}

void layer_norm(const float* input, const float* weights, const float* bias, float epsilon,
                float* output, int64_t count) {
  const Floats d;
  const Moments of = moments(input, count, epsilon);
  const Vector mean = hn::Set(d, of.mean), factor = hn::Set(d, of.factor);
  map(input, output, count, [&](Vector x, int64_t i) {
    const Vector normal = hn::Mul(hn::Sub(x, mean), factor);
    const Vector weight = load_within(weights, i, count);
    if (bias == nullptr) return hn::Mul(normal, weight);
    return hn::MulAdd(normal, weight, load_within(bias, i, count));
  });
}

void rms_norm(const float* input, const float* weights, float epsilon, float* output,
              int64_t count) {
  const auto add = [](Vector so_far, Vector x) { return hn::MulAdd(x, x, so_far); };
  const auto join = [](Vector a, Vector b) { return hn::Add(a, b); };
  const float mean = lanes_sum(fold(input, count, 0, add, join)) / static_cast<float>(count);
  const Vector factor = hn::Set(Floats(), 1.0f / std::sqrt(mean + epsilon));
  map(input, output, count, [&](Vector x, int64_t i) {
    return hn::Mul(hn::Mul(x, factor), load_within(weights, i, count));
  });
}

void instance_norm(const float* input, float scale, float shift, float epsilon, float* output,
                   int64_t count) {
  const Floats d;
  const Moments of = moments(input, count, epsilon);
  const Vector mean = hn::Set(d, of.mean), factor = hn::Set(d, of.factor * scale);
  const Vector addend = hn::Set(d, shift);
  map(input, output, count,
      [&](Vector x, int64_t) { return hn::MulAdd(hn::Sub(x, mean), factor, addend); });
}

void lrn(const LrnRun& run, const float* input, const float* window, int64_t channels,
         float* output) {
  const Floats d;
  const Vector alpha = hn::Set(d, run.alpha), bias = hn::Set(d, run.bias);
  const bool three_quarters = run.beta == 0.75f;
  map(input, output, run.pixels, [&](Vector x, int64_t i) {
    Vector squares = hn::Zero(d);
    for (int64_t c = 0; c < channels; ++c) {
      const Vector other = load_within(window + c * run.pixels, i, run.pixels);
      squares = hn::MulAdd(other, other, squares);
    }
    const Vector base = hn::MulAdd(alpha, squares, bias);
    if (three_quarters) {
      const Vector root = hn::Sqrt(base);
      return hn::Div(x, hn::Mul(root, hn::Sqrt(root)));
    }
    return hn::Mul(x, exponential(hn::Mul(hn::Set(d, -run.beta), logarithm(base))));
  });
}

}  // namespace

extern const RowKernels kRowKernels;
const RowKernels kRowKernels{&softmax, &log_softmax, &layer_norm, &rms_norm, &instance_norm,
                             &sum,     &max,         &min,        &lrn};

}  // namespace dlaexec::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dlaexec::cpu {

const RowKernels& row_kernels(Isa isa) { return DLAEXEC_FOR_ISA(isa, kRowKernels); }

}  // namespace dlaexec::cpu
#endif
