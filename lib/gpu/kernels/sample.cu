// Images read at points between their pixels: grid samples, and regions pooled to one size.
//   In, Out   half, float, signed char
//   Point     half or float: the coordinates
// Grid: ceil(count / 256) blocks of 256, a thread an element of the result.
#include "sample_params.h"
#include "types.cuh"

using dlaexec::gpu::SampleParams;

enum Mode { Linear, Nearest, Cubic };
enum Padding { Zeros, Border, Reflection };

/// Folds a coordinate back into [low, high].
__device__ __forceinline__ float reflected(float x, float low, float high) {
  const float span = high - low;
  if (span <= 0.f) return low;
  const float rest = fmodf(fabsf(x - low), 2.f * span);
  return low + (rest > span ? 2.f * span - rest : rest);
}

__device__ __forceinline__ int held(int at, int size) {
  return at < 0 ? 0 : at >= size ? size - 1 : at;
}

/// The weight of a cubic at distance @p d.
__device__ __forceinline__ float cubic(float d) {
  constexpr float kA = -0.75f;
  d = fabsf(d);
  if (d <= 1.f) return (kA + 2.f) * d * d * d - (kA + 3.f) * d * d + 1.f;
  return d < 2.f ? kA * d * d * d - 5.f * kA * d * d + 8.f * kA * d - 4.f * kA : 0.f;
}

/// What one axis of a point reads: elements, -1 for none, and their weights.
template <Mode kMode, Padding kPadding, bool kAlign>
struct Taps {
  static constexpr int kCount = kMode == Nearest ? 1 : kMode == Linear ? 2 : 4;
  int element[kCount];
  float weight[kCount];

  static __device__ __forceinline__ int element_at(int at, int size) {
    if (at >= 0 && at < size) return at;
    if (kPadding == Zeros) return -1;
    if (kPadding == Border) return held(at, size);
    const float low = kAlign ? 0.f : -0.5f, high = static_cast<float>(size) - (kAlign ? 1.f : 0.5f);
    return held(static_cast<int>(rintf(reflected(static_cast<float>(at), low, high))), size);
  }

  __device__ __forceinline__ Taps(float grid, int size) {
    const float n = static_cast<float>(size);
    float x = kAlign ? (grid + 1.f) / 2.f * (n - 1.f) : ((grid + 1.f) * n - 1.f) / 2.f;
    if (kMode != Cubic && kPadding == Border) x = fminf(fmaxf(x, 0.f), n - 1.f);
    if (kMode != Cubic && kPadding == Reflection)
      x = reflected(x, kAlign ? 0.f : -0.5f, n - (kAlign ? 1.f : 0.5f));
    const bool somewhere = fabsf(x) < 1e9f;  // NaN and infinity point nowhere
    const int base = somewhere ? static_cast<int>(kMode == Nearest ? rintf(x) : floorf(x)) : 0;
#pragma unroll
    for (int i = 0; i < kCount; ++i) {
      const int at = base + i - (kMode == Cubic ? 1 : 0);
      const float distance = static_cast<float>(at) - x;
      element[i] = somewhere ? element_at(at, size) : -1;
      weight[i] = kMode == Nearest ? 1.f : kMode == Linear ? 1.f - fabsf(distance) : cubic(distance);
    }
  }
};

template <class In, class Point, class Out, Mode kMode, Padding kPadding, bool kAlign>
__global__ void __launch_bounds__(256) grid_sample(const __grid_constant__ SampleParams p) {
  release_next();
  wait_for_inputs();
  const long long at = blockIdx.x * 256ll + threadIdx.x;
  if (at >= p.count) return;
  const long long points = static_cast<long long>(p.out_h) * p.out_w;
  const long long point = at % points, plane = at / points, image = plane / p.channels;
  const Point* grid = static_cast<const Point*>(p.points) + (image * points + point) * 2;
  const Taps<kMode, kPadding, kAlign> across(to_float(grid[0]), p.in_w);
  const Taps<kMode, kPadding, kAlign> down(to_float(grid[1]), p.in_h);
  const In* x = static_cast<const In*>(p.x) + plane * p.in_h * p.in_w;
  float sum = 0.f;
#pragma unroll
  for (int i = 0; i < across.kCount; ++i)
#pragma unroll
    for (int j = 0; j < across.kCount; ++j)
      if (down.element[i] >= 0 && across.element[j] >= 0)
        sum += down.weight[i] * across.weight[j] *
               real(x[down.element[i] * p.in_w + across.element[j]], p.x_scale);
  static_cast<Out*>(p.y)[at] = stored<Out>(sum, p.y_inverse);
}

/// The four neighbours of a point, weighted: their sum, or the largest of them.
template <bool kLargest, class In>
__device__ __forceinline__ float between_pixels(const In* x, float h, float w,
                                                const SampleParams& p) {
  if (h < -1.f || h > static_cast<float>(p.in_h) || w < -1.f || w > static_cast<float>(p.in_w))
    return 0.f;
  h = fmaxf(h, 0.f);
  w = fmaxf(w, 0.f);
  const int top = held(static_cast<int>(h), p.in_h), left = held(static_cast<int>(w), p.in_w);
  const int bottom = held(top + 1, p.in_h), right = held(left + 1, p.in_w);
  const float dh = top == p.in_h - 1 ? 0.f : h - static_cast<float>(top);
  const float dw = left == p.in_w - 1 ? 0.f : w - static_cast<float>(left);
  const auto pixel = [&](int row, int column) { return real(x[row * p.in_w + column], p.x_scale); };
  const float a = (1.f - dh) * (1.f - dw) * pixel(top, left);
  const float b = (1.f - dh) * dw * pixel(top, right);
  const float c = dh * (1.f - dw) * pixel(bottom, left);
  const float d = dh * dw * pixel(bottom, right);
  return kLargest ? fmaxf(fmaxf(a, b), fmaxf(c, d)) : a + b + c + d;
}

/// Regions cut into bins, each the mean or the largest of samples inside.
template <class In, class Point, class Index, class Out, bool kLargest>
__global__ void __launch_bounds__(256) roi_align(const __grid_constant__ SampleParams p) {
  release_next();
  wait_for_inputs();
  const long long at = blockIdx.x * 256ll + threadIdx.x;
  if (at >= p.count) return;
  const int bin_w = static_cast<int>(at % p.out_w), bin_h = static_cast<int>(at / p.out_w % p.out_h);
  const long long plane = at / p.out_w / p.out_h, region = plane / p.channels;
  const Point* corners = static_cast<const Point*>(p.points) + region * 4;
  const float offset = p.half ? 0.5f : 0.f;
  const float left = to_float(corners[0]) * p.spatial - offset;
  const float top = to_float(corners[1]) * p.spatial - offset;
  float width = to_float(corners[2]) * p.spatial - offset - left;
  float height = to_float(corners[3]) * p.spatial - offset - top;
  if (!p.half) {  // the older convention makes every region at least one pixel
    width = fmaxf(width, 1.f);
    height = fmaxf(height, 1.f);
  }
  width /= static_cast<float>(p.out_w);
  height /= static_cast<float>(p.out_h);
  const int down = p.ratio > 0 ? p.ratio : static_cast<int>(ceilf(height));
  const int across = p.ratio > 0 ? p.ratio : static_cast<int>(ceilf(width));
  const int image = held(static_cast<int>(static_cast<const Index*>(p.images)[region]), p.all_images);
  const In* x = static_cast<const In*>(p.x) +
                (static_cast<long long>(image) * p.channels + plane % p.channels) * p.in_h * p.in_w;
  float result = kLargest ? -__int_as_float(0x7f800000) : 0.f;
  for (int i = 0; i < down; ++i)
    for (int j = 0; j < across; ++j) {
      const float h = top + static_cast<float>(bin_h) * height +
                      (static_cast<float>(i) + 0.5f) * height / static_cast<float>(down);
      const float w = left + static_cast<float>(bin_w) * width +
                      (static_cast<float>(j) + 0.5f) * width / static_cast<float>(across);
      const float sample = between_pixels<kLargest>(x, h, w, p);
      result = kLargest ? fmaxf(result, sample) : result + sample;
    }
  if (down <= 0 || across <= 0)
    result = 0.f;  // an empty region
  else if (!kLargest)
    result /= static_cast<float>(down * across);
  static_cast<Out*>(p.y)[at] = stored<Out>(result, p.y_inverse);
}
