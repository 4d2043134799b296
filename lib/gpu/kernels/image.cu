// Planes to pixels and back: NCHW to NHWC with channels padded by zeros, an image with a border of
// zeros for first layers, and NHWC to NCHW.
//   In, Out   half, float, signed char
//   kVec      channels of a pixel that a thread handles
// Grid: (ceil(pixels / 256), vectors of a pixel, images).
#include "image_params.h"
#include "types.cuh"

using namespace dlaexec::gpu;

template <class In, class Out, int kVec>
__global__ void __launch_bounds__(256) to_pixels(const __grid_constant__ ImageParams p) {
  wait_for_inputs();
  release_next();
  const int pixel = blockIdx.x * 256 + threadIdx.x;
  if (pixel >= p.pixels_h * p.pixels_w) return;
  const int h = pixel / p.pixels_w - p.pad_h, w = pixel % p.pixels_w - p.pad_w;
  const bool there = h >= 0 && h < p.height && w >= 0 && w < p.width;
  const int first = blockIdx.y * kVec;
  Vector<Out, kVec> out;
#pragma unroll
  for (int i = 0; i < kVec; ++i) {
    const int c = first + i;
    float value = 0.f;
    if (there && c < p.channels)
      value = real(static_cast<const In*>(p.in)[blockIdx.z * p.stride_n + c * p.stride_c +
                                                h * p.stride_h + w * p.stride_w],
                   p.in_scale);
    out.at[i] = stored<Out>(value, p.out_inverse);
  }
  const long long at =
      (static_cast<long long>(blockIdx.z) * p.pixels_h * p.pixels_w + pixel) * p.vectors +
      blockIdx.y;
  static_cast<Vector<Out, kVec>*>(p.out)[at] = out;
}

template <class In, class Out, int kVec>
__global__ void __launch_bounds__(256) to_planes(const __grid_constant__ ImageParams p) {
  wait_for_inputs();
  release_next();
  const int pixel = blockIdx.x * 256 + threadIdx.x;
  if (pixel >= p.height * p.width) return;
  const int h = pixel / p.width, w = pixel % p.width;
  const long long at =
      (static_cast<long long>(blockIdx.z) * p.height * p.width + pixel) * p.vectors + blockIdx.y;
  const Vector<In, kVec> in = static_cast<const Vector<In, kVec>*>(p.in)[at];
#pragma unroll
  for (int i = 0; i < kVec; ++i) {
    const int c = blockIdx.y * kVec + i;
    if (c < p.channels)
      static_cast<Out*>(p.out)[blockIdx.z * p.stride_n + c * p.stride_c + h * p.stride_h +
                               w * p.stride_w] =
          stored<Out>(real(in.at[i], p.in_scale), p.out_inverse);
  }
}
