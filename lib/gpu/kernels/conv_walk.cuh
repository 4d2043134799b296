// How the copy engine is led along a tile's sum, for kernels that multiply what it brings.
#pragma once
#include "bulk.cuh"
#include "conv_feed.cuh"

#if __CUDA_ARCH__ >= 900
/// Where along the sum of a tile the next copies lie.
template <Access kAccess>
struct SumWalk {
  int pixel, image = 0, h = 0, w = 0;
  int channel;  // where a tap's pieces begin
  int piece, tap, tap_h, tap_w;

  __device__ __forceinline__ SumWalk(const BulkParams& all, int first_pixel, int first_k, int step)
      : pixel(first_pixel) {
    const ConvParams& p = all.conv;
    channel = first_byte<kAccess>(p, first_k) * all.elements / 128;
    tap = step / all.steps_of_tap;
    piece = step - tap * all.steps_of_tap;
    tap_h = tap / p.taps_w;
    tap_w = tap - tap_h * p.taps_w;
    if constexpr (kAccess != Rows) {
      image = pixel / (p.out_h * p.out_w);
      const int rest = pixel - image * (p.out_h * p.out_w);
      h = rest / p.out_w;
      w = (rest - h * p.out_w) * p.stride_w - p.pad_w;
      h = h * p.stride_h - p.pad_h;
    }
  }
  __device__ __forceinline__ void next(const BulkParams& all) {
    if (++piece < all.steps_of_tap) return;
    piece = 0;
    ++tap;
    if (++tap_w == all.conv.taps_w) {
      tap_w = 0;
      ++tap_h;
    }
  }
  /// @p tap_elements: of all channels of a tap.
  __device__ __forceinline__ int element(const BulkParams& all, int tap_elements) const {
    return tap * tap_elements + piece * all.elements;
  }
  __device__ __forceinline__ void copy(const BulkParams& all, unsigned to, Barrier done) const {
    if constexpr (kAccess != Rows)
      copy_patches(to, &all.x, done, channel + piece * all.elements, w, h, image,
                   static_cast<unsigned short>(tap_w * all.conv.dilation_w),
                   static_cast<unsigned short>(tap_h * all.conv.dilation_h));
    else
      copy_box(to, &all.x, done, piece * all.elements, pixel);
  }
};
#endif
