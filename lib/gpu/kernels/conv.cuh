// What the convolution kernels share: reading tiles of the implicit matrix, and the way out.
//
// A convolution is the product of x's patches [pixels, taps * channels] and the weights
// [taps * channels, k]. Rows of both lie contiguous along the sum; a tile's rows are kRow bytes of
// shared memory whose 16-byte chunks are permuted by their row, so that neither copies nor
// ldmatrix nor wgmma (whose 128-byte swizzle this is) meet a bank twice.
#pragma once
#include "activation.cuh"
#include "cluster.cuh"
#include "conv_params.h"
#include "mma.cuh"

using namespace dlaexec::gpu;

/// Where chunk @p chunk of row @p row lies in a tile.
template <int kRow>
__device__ __forceinline__ int swizzled(int row, int chunk) {
  if constexpr (kRow == 128) return row * 128 + ((chunk ^ (row & 7)) << 4);
  return row * 64 + ((chunk ^ ((row >> 1) & 3)) << 4);
}

/// Patches: any kernel, stride, padding and dilation. Rows: 1 x 1 without stride and padding, or a
/// matrix.
enum Access { Patches, Rows };

/// Copies tiles of patches: each thread owns one 16-byte column of every kRowsPerPass-th row.
template <int kTileRows, int kRow, int kThreads, Access kAccess>
struct PatchReader {
  static constexpr int kChunks = kRow / 16;
  static constexpr int kRowsPerPass = kThreads / kChunks;
  static constexpr int kPasses = (kTileRows + kRowsPerPass - 1) / kRowsPerPass;

  const char* x;
  int offset[kPasses];  // of the row's first tap; 64-bit bases would cost registers
  int h[kAccess == Patches ? kPasses : 1], w[kAccess == Patches ? kPasses : 1];
  bool inside[kAccess == Rows ? kPasses : 1];
  int channel, tap_h, tap_w;

  static __device__ __forceinline__ int row() { return threadIdx.x / kChunks; }
  static __device__ __forceinline__ int chunk() { return threadIdx.x % kChunks; }

  /// Goes to the tile whose first pixel is @p first_pixel.
  __device__ __forceinline__ void start(const ConvParams& p, int first_pixel, int first_step) {
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
        offset[i] = image * p.x_image_bytes + h[i] * p.x_row_bytes + w[i] * p.x_pixel_bytes;
      }
    }
    channel = first_step * kRow + chunk() * 16;
    tap_h = tap_w = 0;
    if constexpr (kAccess == Patches) {
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
    if constexpr (kAccess == Patches)
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

/// The way out of a tile that is nobody else's: multiplier, bias, residual and activation in the
/// registers that hold the sums, then through shared memory in the output's type, so that rows are
/// written 16 bytes a thread while the next tile's copies are on their way.
template <class In, class Out, class Residual, class Act, int kTileRows, int kTileK, int kThreads>
struct Direct {
  using SumType = typename Sum<In>::type;
  static constexpr int kPitch = kTileK * sizeof(Out) + 16;  // bytes; 16 keep banks apart
  static constexpr int kBytes = kTileRows * kPitch;
  static constexpr int kVector = 16 / sizeof(Out);
  static constexpr int kColumns = kTileK / kVector;
  static constexpr bool kAdds = !kIsNothing<Residual>;

  /// Starts copying the residual to where the results will stand. Part of the next group.
  static __device__ __forceinline__ void fetch(const ConvParams& p, unsigned out, int first_pixel,
                                               int first_k) {
    if (!kAdds || !p.whole_vectors) return;
    const Residual* residual = static_cast<const Residual*>(p.residual) + blockIdx.y * p.residual_batch;
#pragma unroll 2
    for (int i = threadIdx.x; i < kTileRows * kColumns; i += kThreads) {
      const int row = i / kColumns, column = i % kColumns * kVector;
      const int pixel = first_pixel + row, k = first_k + column;
      const bool valid = pixel < p.pixels && k < p.k_written;
      const Residual* from = residual + static_cast<long long>(pixel) * p.residual_pixel + k;
      copy_async(out + row * kPitch + column * static_cast<int>(sizeof(Out)),
                        valid ? from : residual, valid);
    }
  }

  /// What is the same for a pair of columns in all rows.
  struct Column {
    float bias[2], multiplier[2];
  };
  static __device__ __forceinline__ Column column(const ConvParams& p, int k) {
    Column c;
    const int at = min(k, (p.k_padded - 1) & ~1);  // columns past the last are not written
    const float2 bias = *reinterpret_cast<const float2*>(p.bias + at);
    c.bias[0] = bias.x;
    c.bias[1] = bias.y;
    if constexpr (sizeof(In) == 1) {
      const float2 multiplier = *reinterpret_cast<const float2*>(p.multiplier + at);
      c.multiplier[0] = multiplier.x;
      c.multiplier[1] = multiplier.y;
    }
    return c;
  }

  /// Two neighbouring sums with all that follows them; @p add: the residual, if there is one.
  static __device__ __forceinline__ Vector<Out, 2> finished(const ConvParams& p, const Column& c,
                                                            SumType sum0, SumType sum1,
                                                            const Vector<Residual, 2>& add) {
    float value[2] = {static_cast<float>(sum0), static_cast<float>(sum1)};
    Vector<Out, 2> result;
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      if constexpr (sizeof(In) == 1) value[i] = __fmul_rn(value[i], c.multiplier[i]);
      value[i] = __fadd_rn(value[i], c.bias[i]);
      if constexpr (kAdds) value[i] = __fadd_rn(value[i], real(add.at[i], p.residual_scale));
      result.at[i] = stored<Out>(Act::of(value[i], p.alpha, p.beta), p.y_inverse);
    }
    return result;
  }

  /// Finishes two neighbouring sums and puts them where @p out holds the residual.
  static __device__ __forceinline__ void put(const ConvParams& p, unsigned char* out, const Column& c,
                                             int row, int column, int first_pixel, int first_k,
                                             SumType sum0, SumType sum1) {
    auto* at = reinterpret_cast<Vector<Out, 2>*>(out + row * kPitch + column * static_cast<int>(sizeof(Out)));
    Vector<Residual, 2> add;
    if constexpr (kAdds) {
      if (p.whole_vectors) {
        add = *reinterpret_cast<const Vector<Residual, 2>*>(at);
      } else {
#pragma unroll
        for (int i = 0; i < 2; ++i) {
          const int pixel = first_pixel + row, k = first_k + column + i;
          add.at[i] = Residual{};
          if (pixel < p.pixels && k < p.k_written)
            add.at[i] = static_cast<const Residual*>(
                p.residual)[blockIdx.y * p.residual_batch +
                            static_cast<long long>(pixel) * p.residual_pixel + k];
        }
      }
    }
    *at = finished(p, c, sum0, sum1, add);
  }

  /// Writes the finished tile.
  static __device__ __forceinline__ void store(const ConvParams& p, const unsigned char* out,
                                               int first_pixel, int first_k) {
    Out* y = static_cast<Out*>(p.y) + blockIdx.y * p.y_batch;
#pragma unroll 4
    for (int i = threadIdx.x; i < kTileRows * kColumns; i += kThreads) {
      const int row = i / kColumns, column = i % kColumns * kVector;
      const int pixel = first_pixel + row, k = first_k + column;
      if (pixel >= p.pixels || k >= p.k_written) continue;
      const auto vector = *reinterpret_cast<const Vector<Out, kVector>*>(
          out + row * kPitch + column * static_cast<int>(sizeof(Out)));
      Out* to = y + static_cast<long long>(pixel) * p.y_pixel + k;
      if (p.whole_vectors) {
        *reinterpret_cast<Vector<Out, kVector>*>(to) = vector;
      } else {
#pragma unroll
        for (int j = 0; j < kVector; ++j)
          if (k + j < p.k_written) to[j] = vector.at[j];
      }
    }
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
    patches.start(p, tile / p.tiles_k * kTileRows, first);
    weights.start(p, all_weights, tile % p.tiles_k * kTileK, first);
  }
  __device__ __forceinline__ unsigned a_tile(int stage) const { return tiles + stage * kStage; }
  __device__ __forceinline__ unsigned b_tile(int stage, int at_step) const {
    if constexpr (kStays) return tiles + kStages * kATile + at_step * kBTile;
    return tiles + stage * kStage + kATile;
  }

  /// Constants that need not wait for other kernels: the weights of the first @p ahead steps, or all.
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
    if (tile >= p.tiles) return;
    step = 0;  // more than one tile a block means that sums are not split
    patches.start(p, tile / p.tiles_k * kTileRows, 0);
    if constexpr (!kStays) weights.start(p, all_weights, tile % p.tiles_k * kTileK, 0);
  }
};

/// The way out of a tile whose sums are shared, or whose residual has another type: the sums lie in shared memory as [kTileRows][kPitch] words; multiplier,
/// bias, residual and activation follow, and rows are written 16 bytes a thread.
template <class In, class Out, class Residual, class Act, int kTileRows, int kTileK, int kThreads>
struct Epilogue {
  using SumType = typename Sum<In>::type;
  static constexpr int kPitch = kTileK + 4;
  static constexpr int kVector = 16 / sizeof(Out);
  static constexpr int kColumns = kTileK / kVector;
  static constexpr bool kAdds = !kIsNothing<Residual>;

  /// Writes rows [first_row, last_row) of the tile at (@p first_pixel, @p first_k); @p gather gives
  /// kVector sums at (row, column).
  template <class Gather>
  static __device__ __forceinline__ void write(const ConvParams& p, int first_pixel, int first_k,
                                               int first_row, int last_row, Gather&& gather) {
    const Residual* residual = static_cast<const Residual*>(p.residual);
    Out* y = static_cast<Out*>(p.y);
    if constexpr (kAdds) residual += blockIdx.y * p.residual_batch;
    y += blockIdx.y * p.y_batch;
#pragma unroll 2
    for (int i = first_row * kColumns + threadIdx.x; i < last_row * kColumns; i += kThreads) {
      const int row = i / kColumns, column = (i % kColumns) * kVector;
      const int pixel = first_pixel + row, k = first_k + column;
      if (pixel >= p.pixels || k >= p.k_written) continue;
      const Residual* add = nullptr;
      if constexpr (kAdds) add = residual + static_cast<long long>(pixel) * p.residual_pixel + k;
      SumType sums[kVector];
      gather(row, column, sums);
      put(p, add, y + static_cast<long long>(pixel) * p.y_pixel + k, k, sums);
    }
  }

 private:
  static __device__ __forceinline__ void put(const ConvParams& p, const Residual* residual, Out* y,
                                             int k, const SumType (&sums)[kVector]) {
    Vector<Out, kVector> out;
    Vector<Residual, kVector> add;
    if constexpr (kAdds) {
      if (p.whole_vectors)
        add = *reinterpret_cast<const Vector<Residual, kVector>*>(residual);
      else
        for_each(p, k, [&](int j) { add.at[j] = residual[j]; });
    }
#pragma unroll
    for (int j = 0; j < kVector; ++j) {
      float value = static_cast<float>(sums[j]);
      if constexpr (sizeof(In) == 1) value = __fmul_rn(value, p.multiplier[k + j]);
      value = __fadd_rn(value, p.bias[k + j]);
      if constexpr (kAdds) value = __fadd_rn(value, real(add.at[j], p.residual_scale));
      out.at[j] = stored<Out>(Act::of(value, p.alpha, p.beta), p.y_inverse);
    }
    if (p.whole_vectors)
      *reinterpret_cast<Vector<Out, kVector>*>(y) = out;
    else
      for_each(p, k, [&](int j) { y[j] = out.at[j]; });
  }

  /// Calls @p body for the columns of a vector that are there.
  template <class Body>
  static __device__ __forceinline__ void for_each(const ConvParams& p, int k, Body&& body) {
#pragma unroll
    for (int j = 0; j < kVector; ++j)
      if (k + j < p.k_written) body(j);
  }
};

/// The way from a block's own sums, staged in shared memory, to y: alone, with its cluster, or over
/// device memory.
enum Share { Alone, Cluster, Memory };

/// True if a tile goes out through Direct.
template <class Out, class Residual, Share kShare>
inline constexpr bool kIsDirect = kShare == Alone && (kIsNothing<Residual> || kIsSame<Out, Residual>);

template <class In, class Out, class Residual, class Act, int kTileRows, int kTileK, int kThreads,
          Share kShare>
struct Finish {
  using Way = Epilogue<In, Out, Residual, Act, kTileRows, kTileK, kThreads>;
  using SumType = typename Way::SumType;
  static constexpr int kVector = Way::kVector;

  /// @p staged: [kTileRows][Way::kPitch], complete for this block after a barrier.
  static __device__ __forceinline__ void run(const ConvParams& p, SumType* staged, int tile,
                                             int first_pixel, int first_k) {
    if constexpr (kShare == Alone) {
      Way::write(p, first_pixel, first_k, 0, kTileRows, [&](int row, int column, auto& sums) {
        read(staged + row * Way::kPitch + column, sums);
      });
    }
#if __CUDA_ARCH__ >= 900
    if constexpr (kShare == Cluster) {
      cluster_barrier();
      const int rank = blockIdx.z;
      Way::write(p, first_pixel, first_k, kTileRows * rank / p.split,
                 kTileRows * (rank + 1) / p.split, [&](int row, int column, auto& sums) {
                   add_peers(p.split, shared_address(staged + row * Way::kPitch + column), sums);
                 });
      cluster_barrier();  // nobody leaves while others read its memory
    }
#endif
#if __CUDA_ARCH__ && __CUDA_ARCH__ < 900
    static_assert(kShare != Cluster, "clusters need sm_90");
#endif
    if constexpr (kShare == Memory) through_memory(p, staged, tile, first_pixel, first_k);
  }

 private:
  static __device__ __forceinline__ void read(const SumType* from, SumType (&sums)[kVector]) {
#pragma unroll
    for (int j = 0; j < kVector; j += 4) {
      const auto part = *reinterpret_cast<const Vector<SumType, 4>*>(from + j);
#pragma unroll
      for (int i = 0; i < 4; ++i) sums[j + i] = part.at[i];
    }
  }
#if __CUDA_ARCH__ >= 900
  static __device__ __forceinline__ void add_peers(int split, unsigned own,
                                                   SumType (&sums)[kVector]) {
#pragma unroll
    for (int j = 0; j < kVector; ++j) sums[j] = 0;
#pragma unroll 4
    for (int rank = 0; rank < split; ++rank) {
      const unsigned peer = peer_address(own, rank);
#pragma unroll
      for (int j = 0; j < kVector; j += 4) {
        const float4 part = load_peer(peer + j * 4);
        add(sums[j], part.x);
        add(sums[j + 1], part.y);
        add(sums[j + 2], part.z);
        add(sums[j + 3], part.w);
      }
    }
  }
#endif
  static __device__ __forceinline__ void add(float& to, float x) { to += x; }
  static __device__ __forceinline__ void add(int& to, float bits) { to += __float_as_int(bits); }

  /// Every block writes its sums; the last to arrive adds them all, always in the same order.
  static __device__ __forceinline__ void through_memory(const ConvParams& p, const SumType* staged,
                                                        int tile, int first_pixel, int first_k) {
    const long long size = static_cast<long long>(kTileRows) * kTileK;
    SumType* all = reinterpret_cast<SumType*>(p.partial) +
                   (static_cast<long long>(blockIdx.y) * gridDim.x + tile) * p.split * size;
    for (int i = threadIdx.x; i < kTileRows * kTileK / 4; i += kThreads) {
      const int row = i / (kTileK / 4), column = i % (kTileK / 4) * 4;
      *reinterpret_cast<Vector<SumType, 4>*>(all + blockIdx.z * size + row * kTileK + column) =
          *reinterpret_cast<const Vector<SumType, 4>*>(staged + row * Way::kPitch + column);
    }
    __threadfence();
    __shared__ int is_last;
    __syncthreads();
    int* arrived = p.arrived + blockIdx.y * gridDim.x + tile;
    if (threadIdx.x == 0) is_last = atomicAdd(arrived, 1) == p.split - 1;
    __syncthreads();
    if (!is_last) return;
    if (threadIdx.x == 0) *arrived = 0;
    __threadfence();
    Way::write(p, first_pixel, first_k, 0, kTileRows, [&](int row, int column, auto& sums) {
#pragma unroll
      for (int j = 0; j < kVector; ++j) sums[j] = 0;
      for (int part = 0; part < p.split; ++part) {
        const SumType* from = all + part * size + row * kTileK + column;
#pragma unroll
        for (int j = 0; j < kVector; ++j) sums[j] += __ldcg(from + j);
      }
    });
  }
};
