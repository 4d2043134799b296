// The way out of convolution tiles whose sums several blocks share, or that Direct does not take.
#pragma once
#include "activation.cuh"
#include "barrier.cuh"
#include "cluster.cuh"
#include "conv_params.h"
#include "mma.cuh"

using namespace dlaexec::gpu;

/// Multiplier, bias, residual and activation of finished sums; rows are written 16 bytes a thread.
template <class In, class Out, class Residual, class Act, int kTileRows, int kTileK, int kThreads>
struct Epilogue {
  using SumType = typename Sum<In>::type;
  static constexpr int kPitch = kTileK + 4;
  static constexpr int kVector = 16 / sizeof(Out);
  static constexpr int kColumns = kTileK / kVector;
  static constexpr bool kAdds = !kIsNothing<Residual>;
  static_assert(kThreads % kColumns == 0, "a thread keeps to its columns");
  using Add = Vector<Residual, kVector>;

  /// Writes rows [first_row, last_row) of the tile at (@p first_pixel, @p first_k). What does not
  /// depend on sums is asked for first; @p ready returns once they are there, and @p gather gives
  /// kVector of them at (row, column).
  template <class Ready, class Gather>
  static __device__ __forceinline__ void write(const ConvParams& p, int first_pixel, int first_k,
                                               int first_row, int last_row, Ready&& ready,
                                               Gather&& gather) {
    constexpr int kRowsPerPass = kThreads / kColumns;
    const int column = static_cast<int>(threadIdx.x) % kColumns * kVector, k = first_k + column;
    int row = first_row + static_cast<int>(threadIdx.x) / kColumns;
    const Residual* residual = static_cast<const Residual*>(p.residual);
    if constexpr (kAdds) residual += blockIdx.y * p.residual_batch;
    Out* y = static_cast<Out*>(p.y) + blockIdx.y * p.y_batch;
    float bias[kVector] = {}, multiplier[kVector] = {};
    if (k < p.k_written) {
      load(p.bias + k, bias);
      if constexpr (sizeof(In) == 1) load(p.multiplier + k, multiplier);
    }
    Add add = added(p, residual, first_pixel + row, k, row < last_row);
    ready();
#pragma unroll 1  // mostly there is one
    for (; row < last_row; row += kRowsPerPass) {
      const int pixel = first_pixel + row;
      if (pixel >= p.pixels || k >= p.k_written) break;
      SumType sums[kVector];
      gather(row, column, sums);
      put(p, bias, multiplier, add, y + static_cast<long long>(pixel) * p.y_pixel + k, k, sums);
      add = added(p, residual, pixel + kRowsPerPass, k, row + kRowsPerPass < last_row);
    }
  }

 private:
  static __device__ __forceinline__ void load(const float* from, float (&to)[kVector]) {
#pragma unroll
    for (int j = 0; j < kVector; j += 4) {
      const float4 part = *reinterpret_cast<const float4*>(from + j);
      to[j] = part.x;
      to[j + 1] = part.y;
      to[j + 2] = part.z;
      to[j + 3] = part.w;
    }
  }

  /// The residual of a row's columns, where it is @p wanted and there.
  static __device__ __forceinline__ Add added(const ConvParams& p, const Residual* residual,
                                              int pixel, int k, bool wanted) {
    Add add{};
    if constexpr (kAdds) {
      if (!wanted || pixel >= p.pixels || k >= p.k_written) return add;
      const Residual* from = residual + static_cast<long long>(pixel) * p.residual_pixel + k;
      if (p.whole_vectors)
        add = *reinterpret_cast<const Add*>(from);
      else
        for_each(p, k, [&](int j) { add.at[j] = from[j]; });
    }
    return add;
  }

  static __device__ __forceinline__ void put(const ConvParams& p, const float (&bias)[kVector],
                                             const float (&multiplier)[kVector], const Add& add,
                                             Out* y, int k, const SumType (&sums)[kVector]) {
    Vector<Out, kVector> out;
#pragma unroll
    for (int j = 0; j < kVector; ++j) {
      float value = static_cast<float>(sums[j]);
      if constexpr (sizeof(In) == 1) value = __fmul_rn(value, multiplier[j]);
      value = __fadd_rn(value, bias[j]);
      if constexpr (kAdds) value = __fadd_rn(value, real(add.at[j], p.residual_scale));
      out.at[j] = stored<Out>(ActivationFor<Act, Out>::of(value, p.alpha, p.beta), p.y_inverse);
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

/// Two lanes' sums of two blocks of eight columns, two neighbours of each, exchanged so that both
/// lanes hold four neighbours: of the left block in the even lane, of the right one in the odd.
template <class SumType>
struct Neighbours {
  uint4 words;
  int column;  ///< of the first, from the left block's first on

  __device__ __forceinline__ Neighbours(const SumType (&left)[2], const SumType (&right)[2]) {
    const int lane = threadIdx.x % 4;
    const bool odd = lane % 2;
    const unsigned a[2] = {bits(left[0]), bits(left[1])}, b[2] = {bits(right[0]), bits(right[1])};
    const unsigned other0 = __shfl_xor_sync(0xffffffffu, odd ? a[0] : b[0], 1);
    const unsigned other1 = __shfl_xor_sync(0xffffffffu, odd ? a[1] : b[1], 1);
    words = odd ? make_uint4(other0, other1, b[0], b[1]) : make_uint4(a[0], a[1], other0, other1);
    column = (odd ? 8 : 0) + lane / 2 * 4;
  }
  static __device__ __forceinline__ unsigned bits(float x) { return __float_as_uint(x); }
  static __device__ __forceinline__ unsigned bits(int x) { return static_cast<unsigned>(x); }
};

#if __CUDA_ARCH__ >= 900
/// A tile's sums that the blocks of a cluster share. Each block owns some of the rows and is sent
/// what the others have of them: nobody reads another's memory, so nobody waits to be read before
/// it leaves.
template <class SumType, int kTileRows, int kTileK>
struct ClusterSums {
  static constexpr int kPitch = kTileK + 4;  // words; four keep banks apart

  SumType* received;  ///< [block][rows of mine][kPitch]
  Barrier there;
  int rank, split, rows_log2, threads;

  /// @p memory holds kTileRows * kPitch words, @p barrier is in shared memory; @p threads_sending,
  /// the block's first, send.
  __device__ __forceinline__ ClusterSums(void* memory, unsigned long long* barrier, int blocks,
                                         int threads_sending)
      : received(static_cast<SumType*>(memory)),
        there{shared_address(barrier)},
        rank(static_cast<int>(blockIdx.z)),
        split(blocks),
        rows_log2(31 - __clz(kTileRows / blocks)),
        threads(threads_sending) {
    if (threadIdx.x == 0) {
      there.init(1);
      fence_barrier_init();
    }
  }
  /// Lets the others send, as soon as all of them have come here: @p memory is nobody else's.
  __device__ __forceinline__ void invite() const { cluster_arrive(); }
  /// Until the others have begun, and may be sent to.
  __device__ __forceinline__ void open() const { cluster_wait(); }
  /// Sends a lane's sums of two blocks of eight columns, from @p column on and as tensor cores
  /// leave them, to the row's owner; a block keeps its own, since the way between multiprocessors
  /// is narrow.
  __device__ __forceinline__ void send(int row, int column, const SumType (&left)[2],
                                       const SumType (&right)[2]) const {
    const int owner = row >> rows_log2, own_row = row & ((1 << rows_log2) - 1);
    const Neighbours<SumType> four(left, right);
    SumType* const to = received + ((rank << rows_log2) + own_row) * kPitch + column + four.column;
    if (owner == rank)
      *reinterpret_cast<uint4*>(to) = four.words;
    else
      send_four(shared_address(to), owner, there, four.words);
  }
  /// Sends what a warpgroup's lane has of 64 rows; @p row is the lane's first.
  __device__ __forceinline__ void send_group(int row, const SumType (&sums)[kTileK / 2]) const {
#pragma unroll
    for (int i = 0; i < kTileK / 8; i += 2)
#pragma unroll
      for (int half_row = 0; half_row < 2; ++half_row)
        send(row + half_row * 8, i * 8,
             {sums[i * 4 + half_row * 2], sums[i * 4 + half_row * 2 + 1]},
             {sums[i * 4 + half_row * 2 + 4], sums[i * 4 + half_row * 2 + 5]});
  }
  /// All sums are on their way or, the block's own, there. What others send may have come before it
  /// is expected.
  __device__ __forceinline__ void sent() const {
    if (threadIdx.x == 0)
      there.arrive_expecting((kTileRows - (1 << rows_log2)) * kTileK *
                             static_cast<int>(sizeof(SumType)));
    asm volatile("bar.sync 1, %0;" ::"r"(threads) : "memory");
  }
  __device__ __forceinline__ int first_row() const { return rank << rows_log2; }
  __device__ __forceinline__ int last_row() const { return (rank + 1) << rows_log2; }
  __device__ __forceinline__ void wait() const { there.wait_for_cluster(0); }
  /// All blocks' sums, added in the blocks' order.
  template <int kCount>
  __device__ __forceinline__ void add_up(int row, int column, SumType (&sums)[kCount]) const {
#pragma unroll
    for (int j = 0; j < kCount; ++j) sums[j] = 0;
#pragma unroll 4
    for (int from = 0; from < split; ++from) {
      const SumType* part = received + ((from << rows_log2) + row - first_row()) * kPitch + column;
#pragma unroll
      for (int j = 0; j < kCount; j += 4) {
        const auto four = *reinterpret_cast<const Vector<SumType, 4>*>(part + j);
#pragma unroll
        for (int i = 0; i < 4; ++i) sums[j + i] += four.at[i];
      }
    }
  }
};
#endif

/// The way from sums to y: a block's own, a cluster's, or several blocks' over device memory.
enum Share { Alone, Cluster, Memory };

/// In the place of ClusterSums where sums are not shared so.
template <class SumType>
struct NoClusterSums {
  __device__ __forceinline__ NoClusterSums(void*, unsigned long long*, int, int) {}
  __device__ __forceinline__ void invite() const {}
};
#if __CUDA_ARCH__ >= 900
template <Share kShare, class SumType, int kTileRows, int kTileK>
using SumsOf =
    Select<kShare == Cluster, ClusterSums<SumType, kTileRows, kTileK>, NoClusterSums<SumType>>;
#else
template <Share kShare, class SumType, int kTileRows, int kTileK>
using SumsOf = NoClusterSums<SumType>;
#endif

/// True if a tile goes out through Direct.
template <class Out, class Residual, Share kShare>
inline constexpr bool kIsDirect = kShare == Alone &&
                                  (kIsNothing<Residual> || kIsSame<Out, Residual>);

template <class In, class Out, class Residual, class Act, int kTileRows, int kTileK, int kThreads,
          Share kShare>
struct Finish {
  using Way = Epilogue<In, Out, Residual, Act, kTileRows, kTileK, kThreads>;
  using SumType = typename Way::SumType;
  static constexpr int kVector = Way::kVector;

  /// @p staged: [kTileRows][Way::kPitch], complete for this block after a barrier.
  static __device__ __forceinline__ void run(const ConvParams& p, SumType* staged, int tile,
                                             int first_pixel, int first_k) {
    if constexpr (kShare == Alone)
      Way::write(
          p, first_pixel, first_k, 0, kTileRows, [] {},
          [&](int row, int column, auto& sums) {
            read(staged + row * Way::kPitch + column, sums);
          });
    if constexpr (kShare == Memory) through_memory(p, staged, tile, first_pixel, first_k);
  }
#if __CUDA_ARCH__ >= 900
  /// @p shared_sums: sent by all blocks of the cluster.
  static __device__ __forceinline__ void run(
      const ConvParams& p, const ClusterSums<SumType, kTileRows, kTileK>& shared_sums,
      int first_pixel, int first_k) {
    Way::write(
        p, first_pixel, first_k, shared_sums.first_row(), shared_sums.last_row(),
        [&] { shared_sums.wait(); },
        [&](int row, int column, auto& sums) { shared_sums.add_up(row, column, sums); });
  }
#endif

 private:
  static __device__ __forceinline__ void read(const SumType* from, SumType (&sums)[kVector]) {
#pragma unroll
    for (int j = 0; j < kVector; j += 4) {
      const auto part = *reinterpret_cast<const Vector<SumType, 4>*>(from + j);
#pragma unroll
      for (int i = 0; i < 4; ++i) sums[j + i] = part.at[i];
    }
  }

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
    Way::write(
        p, first_pixel, first_k, 0, kTileRows, [] {},
        [&](int row, int column, auto& sums) {
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
