// Convolution and deconvolution of any kind, one output element a thread: the last resort, and the
// second opinion in tests.
//   In, Out, Residual, Act as in conv_mma.cu
//   kTransposed  a deconvolution: x's pixels are spread over y
// Weights: [k][taps][channels of a group], dense. Grid: ceil(images * out_h * out_w * y_pixel / 128); channels
// that only pad a pixel get zeros.
#include "activation.cuh"
#include "mma.cuh"
#include "window_params.h"

using namespace dlaexec::gpu;

template <class In, class Out, class Residual, class Act, bool kTransposed>
__global__ void __launch_bounds__(128) conv_plain(const __grid_constant__ WindowParams p) {
  using SumType = typename Sum<In>::type;
  wait_for_inputs();
  release_next();
  const long long index = blockIdx.x * 128ll + threadIdx.x;
  const int k = static_cast<int>(index % p.y_pixel);
  const long long pixel = index / p.y_pixel;
  const int out_w = static_cast<int>(pixel % p.out_w);
  const long long rest = pixel / p.out_w;
  const int out_h = static_cast<int>(rest % p.out_h), image = static_cast<int>(rest / p.out_h);
  if (image >= p.images) return;
  if (k >= p.channels) {
    static_cast<Out*>(p.y)[index] = Out{};
    return;
  }
  const int group = k / p.group_outputs;
  const In* x = static_cast<const In*>(p.x) +
                static_cast<long long>(image) * p.in_h * p.in_w * p.x_pixel +
                group * p.group_inputs;
  const In* weights = static_cast<const In*>(p.weights) +
                      static_cast<long long>(k) * p.taps_h * p.taps_w * p.group_inputs;
  SumType sum = 0;
  for (int r = 0; r < p.taps_h; ++r)
    for (int s = 0; s < p.taps_w; ++s) {
      int h, w;
      if constexpr (kTransposed) {
        h = out_h + p.pad_h - r * p.dilation_h;
        w = out_w + p.pad_w - s * p.dilation_w;
        if (h < 0 || w < 0 || h % p.stride_h != 0 || w % p.stride_w != 0) continue;
        h /= p.stride_h;
        w /= p.stride_w;
      } else {
        h = out_h * p.stride_h - p.pad_h + r * p.dilation_h;
        w = out_w * p.stride_w - p.pad_w + s * p.dilation_w;
      }
      if (h < 0 || h >= p.in_h || w < 0 || w >= p.in_w) continue;
      const In* from = x + (static_cast<long long>(h) * p.in_w + w) * p.x_pixel;
      const In* tap = weights + (r * p.taps_w + s) * p.group_inputs;
      for (int c = 0; c < p.group_inputs; ++c) {
        if constexpr (sizeof(In) == 1)
          sum += static_cast<int>(from[c]) * static_cast<int>(tap[c]);
        else
          sum = fmaf(to_float(from[c]), to_float(tap[c]), sum);
      }
    }
  float value = static_cast<float>(sum);
  if constexpr (sizeof(In) == 1) value = __fmul_rn(value, p.multiplier[k]);
  value = __fadd_rn(value, p.bias[k]);
  if constexpr (!kIsNothing<Residual>)
    value = __fadd_rn(value, real(static_cast<const Residual*>(p.residual)[pixel * p.residual_pixel + k],
                                  p.residual_scale));
  static_cast<Out*>(p.y)[pixel * p.y_pixel + k] =
      stored<Out>(ActivationFor<Act, Out>::of(value, p.alpha, p.beta), p.y_inverse);
}
