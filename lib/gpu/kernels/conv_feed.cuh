// How convolution kernels read: tiles of the implicit matrix and of the weights, ahead of the
// products.
//
// A convolution is the product of x's patches [pixels, taps * channels] and the weights
// [taps * channels, k]. Rows of both lie contiguous along the sum.
#pragma once
#include "conv_params.h"
#include "tile.cuh"

using namespace dlaexec::gpu;

/// Patches: any kernel, stride, padding and dilation. Rows: 1 x 1 without stride and padding, or a
/// matrix. Groups: patches of which each tile of output channels reads those of its own groups,
/// a window of channel_bytes; weights are zero where the window is another group's.
enum Access { Patches, Rows, Groups };

/// Where in a pixel the window of the tile that starts at output channel @p first_k begins. No
/// window reaches beyond the pixel.
template <Access kAccess>
__device__ __forceinline__ int first_byte(const ConvParams& p, int first_k) {
  if constexpr (kAccess != Groups) return 0;
  return min(first_k / p.group_outputs * p.group_bytes & ~15, p.last_window);
}

/// Copies tiles of patches: each thread owns one 16-byte column of every kRowsPerPass-th row.
template <int kTileRows, int kRow, int kThreads, Access kAccess>
struct PatchReader {
  static constexpr int kChunks = kRow / 16;
  static constexpr int kRowsPerPass = kThreads / kChunks;
  static constexpr int kPasses = (kTileRows + kRowsPerPass - 1) / kRowsPerPass;

  const char* x;
  int offset[kPasses];  // of the row's first tap; 64-bit bases would cost registers
  int h[kAccess == Rows ? 1 : kPasses], w[kAccess == Rows ? 1 : kPasses];
  bool inside[kAccess == Rows ? kPasses : 1];
  int channel, tap_h, tap_w;

  static __device__ __forceinline__ int row() { return threadIdx.x / kChunks; }
  static __device__ __forceinline__ int chunk() { return threadIdx.x % kChunks; }

  /// Goes to the tile whose first pixel is @p first_pixel and first output channel @p first_k.
  __device__ __forceinline__ void start(const ConvParams& p, int first_pixel, int first_k,
                                        int first_step) {
    const int window = first_byte<kAccess>(p, first_k);
#pragma unroll
    for (int i = 0; i < kPasses; ++i) {
      const int pixel = first_pixel + row() + i * kRowsPerPass;
      const bool there = pixel < p.pixels;
      if constexpr (kAccess == Rows) {
        inside[i] = there;
        offset[i] = pixel * p.x_pixel_bytes;
      } else {
        const int image = pixel / (p.out_h * p.out_w);
        const int rest = pixel - image * (p.out_h * p.out_w);
        const int at_h = rest / p.out_w;
        h[i] = there ? at_h * p.stride_h - p.pad_h : -(1 << 28);
        w[i] = (rest - at_h * p.out_w) * p.stride_w - p.pad_w;
        offset[i] =
            image * p.x_image_bytes + h[i] * p.x_row_bytes + w[i] * p.x_pixel_bytes + window;
      }
    }
    channel = first_step * kRow + chunk() * 16;
    tap_h = tap_w = 0;
    if constexpr (kAccess != Rows) {
      const int tap = channel / p.channel_bytes;
      channel -= tap * p.channel_bytes;
      tap_h = tap / p.taps_w;
      tap_w = tap - tap_h * p.taps_w;
    }
  }

  /// Starts copying the present step's tile to @p to, then moves on by one step.
  __device__ __forceinline__ void copy(const ConvParams& p, unsigned to) {
    const int dh = tap_h * p.dilation_h, dw = tap_w * p.dilation_w;
    const int delta = dh * p.x_row_bytes + dw * p.x_pixel_bytes + channel;
    const bool in_sum = kAccess == Rows ? channel < p.channel_bytes : tap_h < p.taps_h;
#pragma unroll
    for (int i = 0; i < kPasses; ++i) {
      const int at = row() + i * kRowsPerPass;
      if (kTileRows % kRowsPerPass != 0 && at >= kTileRows) break;
      bool valid = in_sum;
      if constexpr (kAccess == Rows)
        valid = valid && inside[i];
      else
        valid = valid && static_cast<unsigned>(h[i] + dh) < static_cast<unsigned>(p.in_h) &&
                static_cast<unsigned>(w[i] + dw) < static_cast<unsigned>(p.in_w);
      copy_async(to + swizzled<kRow>(at, chunk()), valid ? x + (offset[i] + delta) : x, valid);
    }
    channel += kRow;
    if constexpr (kAccess != Rows)
      while (channel >= p.channel_bytes && tap_h < p.taps_h) {
        channel -= p.channel_bytes;
        if (++tap_w == p.taps_w) {
          tap_w = 0;
          ++tap_h;
        }
      }
  }
};

/// Copies tiles of weights; rows past the last read the last, and nobody uses them.
template <int kTileRows, int kRow, int kThreads>
struct WeightReader {
  static constexpr int kChunks = kRow / 16;
  static constexpr int kRowsPerPass = kThreads / kChunks;
  static constexpr int kPasses = (kTileRows + kRowsPerPass - 1) / kRowsPerPass;

  const char* weights;
  int offset[kPasses];
  int left;  // bytes of the row from this chunk on

  static __device__ __forceinline__ int row() { return threadIdx.x / kChunks; }
  static __device__ __forceinline__ int chunk() { return threadIdx.x % kChunks; }

  /// Goes to the tile whose first output channel is @p first_k; @p base is where all weights start.
  __device__ __forceinline__ void start(const ConvParams& p, const char* base, int first_k,
                                        int first_step) {
    weights = base + first_step * kRow;
    left = p.weight_row_bytes - first_step * kRow - chunk() * 16;
#pragma unroll
    for (int i = 0; i < kPasses; ++i) {
      const int k = first_k + row() + i * kRowsPerPass;
      offset[i] = (k < p.k_padded ? k : p.k_padded - 1) * p.weight_row_bytes + chunk() * 16;
    }
  }
  __device__ __forceinline__ void copy(unsigned to) {
#pragma unroll
    for (int i = 0; i < kPasses; ++i) {
      const int at = row() + i * kRowsPerPass;
      if (kTileRows % kRowsPerPass != 0 && at >= kTileRows) break;
      copy_async(to + swizzled<kRow>(at, chunk()), left > 0 ? weights + offset[i] : weights,
                 left > 0);
    }
    weights += kRow;
    left -= kRow;
  }
};

/// Both readers, running ahead of the products through all tiles of a block.
///   Way     Direct, whose residuals come along, or Nothing
///   kOuts   tiles of results, so that residuals may arrive before their tile's turn
///   kStays  the block's weights are copied once and stay; its tiles must share their channels
template <class Way, int kTileRows, int kTileK, int kRow, int kThreads, int kStages, Access kAccess,
          bool kStays, int kOuts>
struct Feed {
  static constexpr int kATile = kTileRows * kRow, kBTile = kTileK * kRow;
  static constexpr int kStage = kATile + (kStays ? 0 : kBTile);

  PatchReader<kTileRows, kRow, kThreads, kAccess> patches;
  WeightReader<kTileK, kRow, kThreads> weights;
  const char* all_weights;
  unsigned tiles;
  unsigned outs;  // where the tiles of results start
  int tile, step, last_step, writing, out;

  __device__ __forceinline__ Feed(const ConvParams& p, unsigned shared, int first, int last)
      : tiles(shared), tile(blockIdx.x), step(first), last_step(last), writing(0), out(0) {
    outs = shared + kStages * kStage + (kStays ? p.steps * kBTile : 0);
    patches.x = static_cast<const char*>(p.x) + blockIdx.y * p.x_batch_bytes;
    // What the way out needs comes closer meanwhile: 32 floats are a line.
    const int first_k = tile % p.tiles_k * kTileK + static_cast<int>(threadIdx.x) * 32;
    if (static_cast<int>(threadIdx.x) * 32 < kTileK && first_k < p.k_padded) {
      asm volatile("prefetch.global.L1 [%0];" ::"l"(p.bias + first_k));
      if (p.multiplier) asm volatile("prefetch.global.L1 [%0];" ::"l"(p.multiplier + first_k));
    }
    all_weights = static_cast<const char*>(p.weights) + blockIdx.y * p.weights_batch_bytes;
    patches.start(p, tile / p.tiles_k * kTileRows, tile % p.tiles_k * kTileK, first);
    weights.start(p, all_weights, tile % p.tiles_k * kTileK, first);
  }
  __device__ __forceinline__ unsigned a_tile(int stage) const { return tiles + stage * kStage; }
  __device__ __forceinline__ unsigned b_tile(int stage, int at_step) const {
    if constexpr (kStays) return tiles + kStages * kATile + at_step * kBTile;
    return tiles + stage * kStage + kATile;
  }

  /// Constants that need not wait for other kernels: the weights of the first @p ahead steps, or
  /// all.
  template <int kAhead>
  __device__ __forceinline__ void begin(const ConvParams& p) {
    if constexpr (kStays) {
      for (int i = 0; i < last_step; ++i) weights.copy(b_tile(0, i));
      wait_for_inputs();
#pragma unroll
      for (int i = 0; i < kAhead; ++i) advance(p, true);
    } else {
      const int there = last_step - step;
      const bool early = p.weights_batch_bytes == 0;
      if (early)
#pragma unroll
        for (int i = 0; i < kAhead; ++i)
          if (i < there) weights.copy(b_tile(i, 0));
      wait_for_inputs();
#pragma unroll
      for (int i = 0; i < kAhead; ++i) advance(p, early && i < there);
    }
  }

  /// Starts the copies of the next step, of the next tile if this one is complete, as one group.
  /// @p without_weights: they are there or on their way already.
  __device__ __forceinline__ void advance(const ConvParams& p, bool without_weights = kStays) {
    if (tile < p.tiles) {
      if constexpr (!kIsNothing<Way>) {
        if (Way::kAdds && step == 0) {
          Way::fetch(p, outs + out * Way::kBytes, tile / p.tiles_k * kTileRows,
                     tile % p.tiles_k * kTileK);
          out = out + 1 == kOuts ? 0 : out + 1;
        }
      }
      patches.copy(p, a_tile(writing));
      if (!kStays && !without_weights) weights.copy(b_tile(writing, 0));
      if (++step == last_step) next_tile(p);
    }
    commit_copies();
    writing = writing + 1 == kStages ? 0 : writing + 1;
  }

 private:
  __device__ __forceinline__ void next_tile(const ConvParams& p) {
    tile += gridDim.x;
    if (tile >= p.tiles) {
      if (p.releases_early) release_next();
      return;
    }
    step = 0;  // more than one tile a block means that sums are not split
    patches.start(p, tile / p.tiles_k * kTileRows, tile % p.tiles_k * kTileK, 0);
    if constexpr (!kStays) weights.start(p, all_weights, tile % p.tiles_k * kTileK, 0);
  }
};
