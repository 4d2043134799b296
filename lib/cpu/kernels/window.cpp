#include "cpu/kernels/window.h"

#include <algorithm>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/window.cpp"
// clang-format off
#include "cpu/kernels/foreach_isa.h"
#include "cpu/kernels/float_vector-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace dlaexec::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace {

/// What one tap adds to an output, and what happens to it at the end.
struct MaxOf {
  HWY_INLINE Vector start() const {
    return hn::Set(Floats(), -std::numeric_limits<float>::infinity());
  }
  HWY_INLINE Vector add(Vector so_far, const float* input, int64_t) const {
    const Vector x = hn::LoadU(Floats(), input);
    return either_nan(so_far, x, hn::Max(so_far, x));
  }
  HWY_INLINE Vector end(Vector value, int64_t) const { return value; }
};

struct SumOf {
  HWY_INLINE Vector start() const { return hn::Zero(Floats()); }
  HWY_INLINE Vector add(Vector so_far, const float* input, int64_t) const {
    return hn::Add(so_far, hn::LoadU(Floats(), input));
  }
  HWY_INLINE Vector end(Vector value, int64_t) const { return value; }
};

struct Weighted {
  const WindowRow& row;
  int64_t lane;
  HWY_INLINE Vector start() const { return hn::LoadU(Floats(), row.bias + lane); }
  HWY_INLINE Vector add(Vector so_far, const float* input, int64_t tap) const {
    const Floats d;
    return hn::MulAdd(hn::LoadU(d, input), hn::LoadU(d, row.weights + tap * 16 + lane), so_far);
  }
  HWY_INLINE Vector end(Vector value, int64_t x) const {
    const Floats d;
    if (row.residual != nullptr) value = hn::Add(value, hn::LoadU(d, row.residual + x * 16 + lane));
    return between(hn::Set(d, row.low), hn::Set(d, row.high), value);
  }
};

/// Outputs side by side whose taps all fall inside.
constexpr int kRun = 8;

template <int kOutputs, class Operation>
HWY_INLINE void run_outputs(const WindowRow& row, const Operation& operation, int64_t lane,
                            int64_t x) {
  Vector sums[kOutputs];
#pragma GCC unroll 8
  for (int i = 0; i < kOutputs; ++i) sums[i] = operation.start();
  const int64_t step = row.stride_x * 16;
  for (int64_t ky = row.first_tap_y; ky < row.last_tap_y; ++ky) {
    const int64_t y = row.top + ky * row.dilation_y;
    const float* input = row.input + (y * row.width + x * row.stride_x - row.pad_x) * 16 + lane;
    for (int64_t kx = 0; kx < row.kernel_x; ++kx, input += row.dilation_x * 16)
#pragma GCC unroll 8
      for (int i = 0; i < kOutputs; ++i)
        sums[i] = operation.add(sums[i], input + i * step, ky * row.kernel_x + kx);
  }
#pragma GCC unroll 8
  for (int i = 0; i < kOutputs; ++i)
    hn::StoreU(operation.end(sums[i], x + i), Floats(), row.output + (x + i) * 16 + lane);
}

template <class Operation>
HWY_INLINE void run_edge(const WindowRow& row, const Operation& operation, int64_t lane,
                         int64_t x) {
  Vector sum = operation.start();
  for (int64_t ky = row.first_tap_y; ky < row.last_tap_y; ++ky) {
    const int64_t y = row.top + ky * row.dilation_y;
    for (int64_t kx = 0; kx < row.kernel_x; ++kx) {
      const int64_t at = x * row.stride_x - row.pad_x + kx * row.dilation_x;
      if (at < 0 || at >= row.width) continue;
      sum =
          operation.add(sum, row.input + (y * row.width + at) * 16 + lane, ky * row.kernel_x + kx);
    }
  }
  hn::StoreU(operation.end(sum, x), Floats(), row.output + x * 16 + lane);
}

template <class Operation>
HWY_INLINE void run_row(const WindowRow& row, const Operation& operation, int64_t lane) {
  // Outputs [first, last) have all their taps inside the row.
  const int64_t reach = (row.kernel_x - 1) * row.dilation_x;
  const int64_t first = std::min(row.output_width, (row.pad_x + row.stride_x - 1) / row.stride_x);
  const int64_t room = row.width - 1 - reach + row.pad_x;
  const int64_t last = std::clamp(room < 0 ? 0 : room / row.stride_x + 1, first, row.output_width);
  int64_t x = 0;
  for (; x < first; ++x) run_edge(row, operation, lane, x);
  for (; x + kRun <= last; x += kRun) run_outputs<kRun>(row, operation, lane, x);
  for (; x + 2 <= last; x += 2) run_outputs<2>(row, operation, lane, x);
  for (; x < last; ++x) run_outputs<1>(row, operation, lane, x);
  for (; x < row.output_width; ++x) run_edge(row, operation, lane, x);
}

void max(const WindowRow& row) {
  for (int64_t lane = 0; lane < 16; lane += kLanes) run_row(row, MaxOf{}, lane);
}

void sum(const WindowRow& row) {
  for (int64_t lane = 0; lane < 16; lane += kLanes) run_row(row, SumOf{}, lane);
}

void depthwise(const WindowRow& row) {
  for (int64_t lane = 0; lane < 16; lane += kLanes) run_row(row, Weighted{row, lane}, lane);
}

void multiply_pixels(float* pixels, const float* factors, int64_t count) {
  const Floats d;
  for (int64_t i = 0; i < count; ++i) {
    const Vector factor = hn::Set(d, factors[i]);
    for (int64_t lane = 0; lane < 16; lane += kLanes) {
      float* at = pixels + i * 16 + lane;
      hn::StoreU(hn::Mul(hn::LoadU(d, at), factor), d, at);
    }
  }
}

void sum_pixels(const float* pixels, int64_t count, float* sums) {
  const Floats d;
  for (int64_t lane = 0; lane < 16; lane += kLanes) {
    Vector part[4] = {hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
    for (int64_t i = 0; i < count; ++i) {
      Vector& one = part[i % 4];
      one = hn::Add(one, hn::LoadU(d, pixels + i * 16 + lane));
    }
    hn::StoreU(hn::Add(hn::Add(part[0], part[1]), hn::Add(part[2], part[3])), d, sums + lane);
  }
}

float total(const float* numbers, int64_t count) {
  const Floats d;
  Vector part[4] = {hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
  int64_t i = 0;
  for (; i + 4 * kLanes <= count; i += 4 * kLanes)
#pragma GCC unroll 4
    for (int p = 0; p < 4; ++p) part[p] = hn::Add(part[p], hn::LoadU(d, numbers + i + p * kLanes));
  float rest = 0;
  for (; i < count; ++i) rest += numbers[i];
  const Vector all = hn::Add(hn::Add(part[0], part[1]), hn::Add(part[2], part[3]));
  return hn::GetLane(hn::SumOfLanes(d, all)) + rest;
}

}  // namespace

extern const WindowKernels kWindowKernels;
const WindowKernels kWindowKernels{&max, &sum, &depthwise, &multiply_pixels, &sum_pixels, &total};

}  // namespace dlaexec::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dlaexec::cpu {

const WindowKernels& window_kernels(Isa isa) { return DLAEXEC_FOR_ISA(isa, kWindowKernels); }

}  // namespace dlaexec::cpu
#endif
