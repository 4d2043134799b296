// Depthwise convolution over pixels of channels: every channel has its own window.
//   In, Out, Residual, Act as in conv_mma.cu
//   kTaps, kStride  of a square window, or 0: any, read from the parameters
//   kRun            neighbouring outputs along a row that a thread makes, sharing their inputs
// A thread handles 16 bytes of channels. Grid: ceil(images * out_h * ceil(out_w / kRun) * vectors / 128).
#include "activation.cuh"
#include "mma.cuh"
#include "window_params.h"

using namespace dlaexec::gpu;

template <class In, class Out, class Residual, class Act, int kTaps, int kStride, int kRun>
__global__ void __launch_bounds__(128) depthwise(const __grid_constant__ WindowParams p) {
  constexpr int kVec = 16 / sizeof(In);
  using SumType = typename Sum<In>::type;
  release_next();
  const int index = blockIdx.x * 128 + threadIdx.x;
  const int runs = (p.out_w + kRun - 1) / kRun;
  const int vector = index % p.vectors, group = index / p.vectors;
  const int out_w = group % runs * kRun, rest = group / runs;
  const int out_h = rest % p.out_h, image = rest / p.out_h;
  wait_for_inputs();
  if (image >= p.images) return;
  const int taps_h = kTaps ? kTaps : p.taps_h, taps_w = kTaps ? kTaps : p.taps_w;
  const int stride_w = kStride ? kStride : p.stride_w;
  const In* x = static_cast<const In*>(p.x) +
                static_cast<long long>(image) * p.in_h * p.in_w * p.x_pixel + vector * kVec;
  const In* weights = static_cast<const In*>(p.weights) + vector * kVec;
  const int width = p.vectors * kVec;
  SumType sums[kRun][kVec] = {};
  const int first_h = out_h * p.stride_h - p.pad_h, first_w = out_w * stride_w - p.pad_w;
  const auto add = [&](SumType(&to)[kVec], const Vector<In, kVec>& a, const Vector<In, kVec>& b) {
#pragma unroll
    for (int i = 0; i < kVec; ++i) {
      if constexpr (sizeof(In) == 1)
        to[i] += static_cast<int>(a.at[i]) * static_cast<int>(b.at[i]);
      else
        to[i] = fmaf(to_float(a.at[i]), to_float(b.at[i]), to[i]);
    }
  };
#pragma unroll
  for (int r = 0; r < taps_h; ++r) {
    const int h = first_h + r * (kTaps ? 1 : p.dilation_h);
    if (h < 0 || h >= p.in_h) continue;
    const In* row = x + static_cast<long long>(h) * p.in_w * p.x_pixel;
    if constexpr (kTaps > 0) {
      Vector<In, kVec> taps[kTaps];
#pragma unroll
      for (int s = 0; s < kTaps; ++s)
        taps[s] = *reinterpret_cast<const Vector<In, kVec>*>(weights + (r * kTaps + s) * width);
#pragma unroll
      for (int column = 0; column < (kRun - 1) * kStride + kTaps; ++column) {
        const int w = first_w + column;
        Vector<In, kVec> in = {};
        if (w >= 0 && w < p.in_w)
          in = *reinterpret_cast<const Vector<In, kVec>*>(row + w * p.x_pixel);
#pragma unroll
        for (int run = 0; run < kRun; ++run) {
          const int s = column - run * kStride;
          if (s >= 0 && s < kTaps) add(sums[run], in, taps[s]);
        }
      }
    } else {
      for (int s = 0; s < taps_w; ++s) {
        const auto tap =
            *reinterpret_cast<const Vector<In, kVec>*>(weights + (r * taps_w + s) * width);
#pragma unroll
        for (int run = 0; run < kRun; ++run) {
          const int w = first_w + run * stride_w + s * p.dilation_w;
          if (w < 0 || w >= p.in_w) continue;
          add(sums[run], *reinterpret_cast<const Vector<In, kVec>*>(row + w * p.x_pixel), tap);
        }
      }
    }
  }
#pragma unroll
  for (int run = 0; run < kRun; ++run) {
    if (out_w + run >= p.out_w) break;
    const long long pixel = (static_cast<long long>(image) * p.out_h + out_h) * p.out_w + out_w + run;
    Vector<Out, kVec> out;
#pragma unroll
    for (int i = 0; i < kVec; ++i) {
      const int c = vector * kVec + i;
      float value = static_cast<float>(sums[run][i]);
      if constexpr (sizeof(In) == 1) value = __fmul_rn(value, p.multiplier[c]);
      value = __fadd_rn(value, p.bias[c]);
      if constexpr (!kIsNothing<Residual>)
        value = __fadd_rn(
            value, real(static_cast<const Residual*>(p.residual)[pixel * p.residual_pixel + c],
                        p.residual_scale));
      out.at[i] = stored<Out>(Act::of(value, p.alpha, p.beta), p.y_inverse);
    }
    *reinterpret_cast<Vector<Out, kVec>*>(static_cast<Out*>(p.y) + pixel * p.y_pixel + vector * kVec) = out;
  }
}
