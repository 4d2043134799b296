// Max and average pooling over pixels of channels.
//   T, Out  half, float, signed char;  Kind: Max or Average;  kVec: channels of a thread
//   kTaps   of a square window without dilation, whose rows are then loaded at once; 0: any
//   Max of padding is the lowest value, an average leaves padding out unless count_include_pad.
// Grid: ceil(images * out_h * out_w * vectors / 256) blocks.
#include "types.cuh"
#include "window_params.h"

using namespace dlaexec::gpu;

struct Max {};
struct Average {};

template <class T, class Out, class Kind, int kVec, int kTaps>
__global__ void __launch_bounds__(256) pool(const __grid_constant__ WindowParams p) {
  wait_for_inputs();
  release_next();
  const int index = blockIdx.x * 256 + threadIdx.x;
  const int vector = index % p.vectors, pixel = index / p.vectors;
  const int out_w = pixel % p.out_w, rest = pixel / p.out_w;
  const int out_h = rest % p.out_h, image = rest / p.out_h;
  if (image >= p.images) return;
  const T* x = static_cast<const T*>(p.x) +
               static_cast<long long>(image) * p.in_h * p.in_w * p.x_pixel + vector * kVec;
  constexpr bool kMax = kIsSame<Kind, Max>;
  float best[kVec];
#pragma unroll
  for (int i = 0; i < kVec; ++i) best[i] = kMax ? -__int_as_float(0x7f800000) : 0.f;
  const int first_h = out_h * p.stride_h - p.pad_h, first_w = out_w * p.stride_w - p.pad_w;
  int cells = 0;
  const auto add = [&](const Vector<T, kVec>& in) {
#pragma unroll
    for (int i = 0; i < kVec; ++i) {
      const float value = real(in.at[i], p.x_scale);
      best[i] = kMax ? (value > best[i] || value != value ? value : best[i]) : best[i] + value;
    }
  };
  const auto is_inside = [&](int h, int w) {
    if (h < p.in_h + p.end_pad_h && w < p.in_w + p.end_pad_w) cells += p.count_include_pad;
    const bool inside = h >= 0 && h < p.in_h && w >= 0 && w < p.in_w;
    if (inside) cells += 1 - p.count_include_pad;
    return inside;
  };
  const auto at = [&](int h, int w) {
    return *reinterpret_cast<const Vector<T, kVec>*>(x + (static_cast<long long>(h) * p.in_w + w) * p.x_pixel);
  };
  if constexpr (kTaps > 0) {
#pragma unroll 1
    for (int r = 0; r < kTaps; ++r) {
      const int h = first_h + r;
      Vector<T, kVec> in[kTaps];
      bool inside[kTaps];
#pragma unroll
      for (int c = 0; c < kTaps; ++c) {
        inside[c] = is_inside(h, first_w + c);
        if (inside[c]) in[c] = at(h, first_w + c);
      }
#pragma unroll
      for (int c = 0; c < kTaps; ++c)
        if (inside[c]) add(in[c]);
    }
  } else {
    for (int r = 0; r < p.taps_h; ++r)
      for (int s = 0; s < p.taps_w; ++s) {
        const int h = first_h + r * p.dilation_h, w = first_w + s * p.dilation_w;
        if (is_inside(h, w)) add(at(h, w));
      }
  }
  // One step of Newton's makes up for the approximation; an exact division would be a call.
  float inverse = __fdividef(1.f, static_cast<float>(cells));
  inverse = inverse * (2.f - static_cast<float>(cells) * inverse);
  Vector<Out, kVec> out;
#pragma unroll
  for (int i = 0; i < kVec; ++i)
    out.at[i] = stored<Out>(kMax ? best[i] : best[i] * inverse, p.y_inverse);
  *reinterpret_cast<Vector<Out, kVec>*>(static_cast<Out*>(p.y) +
                                        static_cast<long long>(pixel) * p.y_pixel + vector * kVec) = out;
}
