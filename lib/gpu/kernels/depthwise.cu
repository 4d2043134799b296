// Depthwise convolution over pixels of channels: every channel has its own window.
//   In, Out, Residual, Act as in conv_mma.cu
//   kTaps, kStride  of a square window, or 0: any, read from the parameters
//   kRun, kRows     neighbouring outputs along a row, and rows, that a thread makes: what they share of
//                   the input is read once; kRows is 1 for any window
// A thread handles 16 bytes of channels.
// Grid: ceil(images * ceil(out_h / kRows) * ceil(out_w / kRun) * vectors / 128).
#include "activation.cuh"
#include "mma.cuh"
#include "window_params.h"

using namespace dlaexec::gpu;

template <class In, int kVec>
__device__ __forceinline__ void add_products(typename Sum<In>::type (&to)[kVec], const Vector<In, kVec>& a,
                                             const Vector<In, kVec>& b) {
#pragma unroll
  for (int i = 0; i < kVec; ++i) {
    if constexpr (sizeof(In) == 1)
      to[i] += static_cast<int>(a.at[i]) * static_cast<int>(b.at[i]);
    else
      to[i] = fmaf(to_float(a.at[i]), to_float(b.at[i]), to[i]);
  }
}

template <class In, class Out, class Residual, class Act, int kTaps, int kStride, int kRun, int kRows>
__global__ void
    __launch_bounds__(128, kTaps == 5 && sizeof(In) == 1 ? 2 : kTaps == 5 && kRun == 4 ? 3 : 4) depthwise(const __grid_constant__ WindowParams p) {
  constexpr int kVec = 16 / sizeof(In);
  using SumType = typename Sum<In>::type;
  using In16 = Vector<In, kVec>;
  const int index = blockIdx.x * 128 + threadIdx.x;
  const int runs = (p.out_w + kRun - 1) / kRun, bands = (p.out_h + kRows - 1) / kRows;
  const int vector = index % p.vectors, group = index / p.vectors;
  const int out_w = group % runs * kRun, rest = group / runs;
  const int out_h = rest % bands * kRows, image = rest / bands;
  wait_for_inputs();
  release_next();
  if (image >= p.images) return;
  const In* x = static_cast<const In*>(p.x) +
                static_cast<long long>(image) * p.in_h * p.in_w * p.x_pixel + vector * kVec;
  const In* weights = static_cast<const In*>(p.weights) + vector * kVec;
  const int width = p.vectors * kVec;
  SumType sums[kRows][kRun][kVec] = {};
  const int stride_h = kStride ? kStride : p.stride_h, stride_w = kStride ? kStride : p.stride_w;
  const int first_h = out_h * stride_h - p.pad_h, first_w = out_w * stride_w - p.pad_w;
  if constexpr (kTaps > 0) {
    constexpr int kInputs = (kRun - 1) * kStride + kTaps;
#pragma unroll 1
    for (int r = 0; r < (kRows - 1) * kStride + kTaps; ++r) {
      const int h = first_h + r;
      if (h < 0 || h >= p.in_h) continue;
      const In* row = x + static_cast<long long>(h) * p.in_w * p.x_pixel;
      In16 in[kInputs];
#pragma unroll
      for (int column = 0; column < kInputs; ++column) {
        const int w = first_w + column;
        in[column] = In16{};
        if (w >= 0 && w < p.in_w) in[column] = *reinterpret_cast<const In16*>(row + w * p.x_pixel);
      }
#pragma unroll
      for (int o = 0; o < kRows; ++o) {
        const int tap_h = r - o * kStride;
        if (tap_h < 0 || tap_h >= kTaps) continue;
#pragma unroll
        for (int s = 0; s < kTaps; ++s) {
          const auto tap = *reinterpret_cast<const In16*>(weights + (tap_h * kTaps + s) * width);
#pragma unroll
          for (int run = 0; run < kRun; ++run)
            add_products<In, kVec>(sums[o][run], in[run * kStride + s], tap);
        }
      }
    }
  } else {
    for (int r = 0; r < p.taps_h; ++r) {
      const int h = first_h + r * p.dilation_h;
      if (h < 0 || h >= p.in_h) continue;
      const In* row = x + static_cast<long long>(h) * p.in_w * p.x_pixel;
      for (int s = 0; s < p.taps_w; ++s) {
        const auto tap = *reinterpret_cast<const In16*>(weights + (r * p.taps_w + s) * width);
#pragma unroll
        for (int run = 0; run < kRun; ++run) {
          const int w = first_w + run * stride_w + s * p.dilation_w;
          if (w < 0 || w >= p.in_w) continue;
          add_products<In, kVec>(sums[0][run],
                                 *reinterpret_cast<const In16*>(row + w * p.x_pixel), tap);
        }
      }
    }
  }
  float bias[kVec], multiplier[kVec];
#pragma unroll
  for (int i = 0; i < kVec; ++i) {
    bias[i] = p.bias[vector * kVec + i];
    if constexpr (sizeof(In) == 1) multiplier[i] = p.multiplier[vector * kVec + i];
  }
#pragma unroll
  for (int o = 0; o < kRows; ++o)
#pragma unroll
    for (int run = 0; run < kRun; ++run) {
      if (out_w + run >= p.out_w || out_h + o >= p.out_h) continue;
      const long long pixel =
          (static_cast<long long>(image) * p.out_h + out_h + o) * p.out_w + out_w + run;
      Vector<Out, kVec> out;
#pragma unroll
      for (int i = 0; i < kVec; ++i) {
        float value = static_cast<float>(sums[o][run][i]);
        if constexpr (sizeof(In) == 1) value = __fmul_rn(value, multiplier[i]);
        value = __fadd_rn(value, bias[i]);
        if constexpr (!kIsNothing<Residual>)
          value = __fadd_rn(value, real(static_cast<const Residual*>(
                                            p.residual)[pixel * p.residual_pixel + vector * kVec + i],
                                        p.residual_scale));
        out.at[i] = stored<Out>(ActivationFor<Act, Out>::of(value, p.alpha, p.beta), p.y_inverse);
      }
      *reinterpret_cast<Vector<Out, kVec>*>(static_cast<Out*>(p.y) + pixel * p.y_pixel + vector * kVec) =
          out;
    }
}
