// Two 1 x 1 convolutions, of which the second multiplies what the first makes, in one launch. A
// cluster of blocks shares the pixels of a tile. Each block makes its share of the first one's
// channels, keeps them in shared memory, and multiplies them with its share of the second one's
// weights; the parts of the second sums go to the rows' owners. Weights come while the kernel
// before still runs. What the first adds is read, or made here by a third convolution. sm_90.
//   T            half or signed char: of everything that is read and written
//   Residual     T where the first product adds one, or Nothing
//   kAccess      of the first product: Patches where it has a stride, or Rows
//   kShortcut    the residual is made here
//   Act1, Act2   of the first and the second
//   kShare       Alone where a cluster is one block, or Cluster
//   kRows        pixels of a tile
//   kWide        the first one's channels of a block
//   kNarrow      the second one's channels, all of them
//   kWarpRows, kWarpK    warps along pixels and along channels
// Grid: (tiles, 1, blocks of a cluster), clusters along z. Dynamic shared memory: shared_bytes() of
// pair_cluster.cpp.
#include "conv_direct.cuh"
#include "conv_feed.cuh"
#include "conv_finish.cuh"
#include "pair_params.h"

#if __CUDA_ARCH__ >= 900
/// The first product's results of a block, as they are multiplied again.
template <class T, int kRows, int kWide>
struct WideTile {
  static constexpr int kRowBytes = kWide * static_cast<int>(sizeof(T));
  static constexpr int kRow = kRowBytes < 128 ? kRowBytes : 128;  // of a piece of the second sum
  static constexpr int kSteps = kRowBytes / kRow;
  static constexpr int kStepBytes = kRows * kRow;
  static constexpr int kVector = 16 / static_cast<int>(sizeof(T));
  static_assert(kRow == 64 || kRow == 128);

  static __device__ __forceinline__ int at(int row, int column) {
    const int byte = column * static_cast<int>(sizeof(T));
    return byte / kRow * kStepBytes + swizzled<kRow>(row, byte % kRow / 16) + byte % 16;
  }

  /// Finishes a warp's sums of a first product and puts them where the residual, if any, stands.
  template <class Way, class SumType, int kMmaRows, int kMmaK>
  static __device__ __forceinline__ void put(const ConvParams& p, unsigned char* wide, int first_k,
                                             int first_row, int first_column,
                                             const SumType (&sums)[kMmaRows][kMmaK][4]) {
    const int lane = threadIdx.x % 32;
#pragma unroll
    for (int j = 0; j < kMmaK; ++j) {
      const int column = first_column + j * 8 + lane % 4 * 2;
      const auto constants = Way::column(p, first_k + column);
#pragma unroll
      for (int i = 0; i < kMmaRows * 2; ++i) {
        auto* const to =
            reinterpret_cast<Vector<T, 2>*>(wide + at(first_row + i * 8 + lane / 4, column));
        Vector<Select<Way::kAdds, T, Nothing>, 2> add;
        if constexpr (Way::kAdds) add = *to;
        *to = Way::finished(p, constants, sums[i / 2][j][i % 2 * 2], sums[i / 2][j][i % 2 * 2 + 1],
                            add);
      }
    }
  }

  /// Calls @p body with row, column, pixel and channel of every vector.
  template <int kThreads, class Body>
  static __device__ __forceinline__ void for_each(int first_pixel, int first_k, Body&& body) {
    constexpr int kColumns = kWide / kVector;
#pragma unroll 4
    for (int i = threadIdx.x; i < kRows * kColumns; i += kThreads) {
      const int row = i / kColumns, column = i % kColumns * kVector;
      body(row, column, first_pixel + row, first_k + column);
    }
  }
};

/// Both operands of a block's share of a product, the whole sum of each in shared memory.
template <int kRows, int kWide, int kThreads, Access kAccess>
struct WholeSum {
  static constexpr int kStep = (kRows + kWide) * 128;
  unsigned at;
  int steps;

  __device__ __forceinline__ unsigned end() const { return at + steps * kStep; }
  __device__ __forceinline__ void fetch_weights(const ConvParams& p, int first_k) const {
    WeightReader<kWide, 128, kThreads> weights;
    weights.start(p, static_cast<const char*>(p.weights), first_k, 0);
    for (int i = 0; i < steps; ++i) weights.copy(at + i * kStep + kRows * 128);
  }
  __device__ __forceinline__ void fetch_patches(const ConvParams& p, int first_pixel) const {
    PatchReader<kRows, 128, kThreads, kAccess> patches;
    patches.x = static_cast<const char*>(p.x);
    patches.start(p, first_pixel, 0, 0);
    for (int i = 0; i < steps; ++i) patches.copy(p, at + i * kStep);
  }
  template <class T, class SumType, int kMmaRows, int kMmaK>
  __device__ __forceinline__ void multiply(SumType (&sums)[kMmaRows][kMmaK][4], int row,
                                           int column) const {
#pragma unroll 2
    for (int i = 0; i < steps; ++i)
      multiply_tile<T, kMmaRows, kMmaK, 128>(sums, at + i * kStep, at + i * kStep + kRows * 128,
                                             row, column);
  }
};

/// In the place of ClusterSums where a block makes all of the first one's channels: not launched as
/// a cluster, it may not send to itself.
template <class SumType, int kRows, int kColumns>
struct OwnSums {
  static constexpr int kPitch = kColumns + 4;
  SumType* received;

  __device__ __forceinline__ OwnSums(void* memory, unsigned long long*, int, int)
      : received(static_cast<SumType*>(memory)) {}
  __device__ __forceinline__ void invite() const {}
  __device__ __forceinline__ void open() const { __syncthreads(); }
  __device__ __forceinline__ void send(int row, int column, const SumType (&left)[2],
                                       const SumType (&right)[2]) const {
    const Neighbours<SumType> four(left, right);
    *reinterpret_cast<uint4*>(received + row * kPitch + column + four.column) = four.words;
  }
  __device__ __forceinline__ void sent() const {}
  __device__ __forceinline__ int first_row() const { return 0; }
  __device__ __forceinline__ int last_row() const { return kRows; }
  __device__ __forceinline__ void wait() const { __syncthreads(); }
  template <int kCount>
  __device__ __forceinline__ void add_up(int row, int column, SumType (&sums)[kCount]) const {
#pragma unroll
    for (int j = 0; j < kCount; ++j) sums[j] = received[row * kPitch + column + j];
  }
};

/// What the ways out need comes closer: 32 floats are a line.
__device__ __forceinline__ void prefetch_floats(const float* from, int first, int count, int last) {
  const int at = static_cast<int>(threadIdx.x) * 32;
  if (from && at < count && first + at < last)
    asm volatile("prefetch.global.L1 [%0];" ::"l"(from + first + at));
}
#endif

template <class T, class Residual, Access kAccess, bool kShortcut, class Act1, class Act2,
          Share kShare, int kRows, int kWide, int kNarrow, int kWarpRows, int kWarpK>
__global__ void __launch_bounds__(kWarpRows* kWarpK * 32)
    pair_cluster(const __grid_constant__ PairParams p) {
#if __CUDA_ARCH__ >= 900
  constexpr int kThreads = kWarpRows * kWarpK * 32;
  constexpr int kMmaRows = kRows / kWarpRows / 16, kMmaWide = kWide / kWarpK / 8;
  constexpr int kChunk = kNarrow < 32 * kWarpK ? kNarrow : 32 * kWarpK;  // columns at a time
  constexpr int kMmaNarrow = kChunk / kWarpK / 8;
  static_assert(kMmaRows > 0 && kMmaWide > 0 && kMmaWide % 2 == 0 && kMmaNarrow % 2 == 0);
  using SumType = typename Sum<T>::type;
  using Wide = WideTile<T, kRows, kWide>;
  using Shortcut = Direct<T, T, Nothing, None, kRows, kWide, kThreads>;
  using First = Direct<T, T, Residual, Act1, kRows, kWide, kThreads>;
  using Second = Epilogue<T, T, Nothing, Act2, kRows, kNarrow, kThreads>;
  using Sums = Select<kShare == Alone, OwnSums<SumType, kRows, kNarrow>,
                      ClusterSums<SumType, kRows, kNarrow>>;
  extern __shared__ __align__(128) unsigned char shared[];
  __shared__ __align__(8) unsigned long long sums_there;

  // The first products' operands, in whose place sums are received later; the second weights; the
  // first results.
  const WholeSum<kRows, kWide, kThreads, kAccess> first{shared_address(shared), p.first.steps};
  const WholeSum<kRows, kWide, kThreads, Patches> shortcut{first.end(),
                                                           kShortcut ? p.shortcut.steps : 0};
  const int operands = static_cast<int>(shortcut.end() - first.at);
  const int received = kRows * Sums::kPitch * static_cast<int>(sizeof(SumType));
  unsigned char* const seconds = shared + max(operands, received);
  unsigned char* const wide = seconds + kNarrow * Wide::kRowBytes;
  const unsigned seconds_at = shared_address(seconds), wide_at = shared_address(wide);
  const int rank = static_cast<int>(blockIdx.z), first_k = rank * kWide;
  const int first_pixel = static_cast<int>(blockIdx.x) * kRows;
  const Sums sums(shared, &sums_there, static_cast<int>(gridDim.z), kThreads);

  first.fetch_weights(p.first, first_k);
  if constexpr (kShortcut) shortcut.fetch_weights(p.shortcut, first_k);
  WeightReader<kNarrow, Wide::kRow, kThreads> second_weights;
  second_weights.start(p.second, static_cast<const char*>(p.second.weights), 0,
                       rank * Wide::kSteps);
#pragma unroll 1
  for (int i = 0; i < Wide::kSteps; ++i) second_weights.copy(seconds_at + i * kNarrow * Wide::kRow);
  prefetch_floats(p.first.bias, first_k, kWide, p.first.k_padded);
  prefetch_floats(p.first.multiplier, first_k, kWide, p.first.k_padded);
  prefetch_floats(p.second.bias, 0, kNarrow, p.second.k_padded);
  prefetch_floats(p.second.multiplier, 0, kNarrow, p.second.k_padded);

  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int warp_row = warp % kWarpRows * (kRows / kWarpRows), warp_k = warp / kWarpRows;
  const int wide_column = warp_k * (kWide / kWarpK);
  // What the launch before does not write is there before the wait, and so are its sums.
  const bool first_early = kShortcut && p.first_early;
  const bool shortcut_early = kShortcut && p.shortcut_early;
  SumType products[kMmaRows][kMmaWide][4] = {}, added[kMmaRows][kMmaWide][4] = {};
  const auto fetch = [&](bool early) {
    if (early == first_early) first.fetch_patches(p.first, first_pixel);
    if constexpr (kShortcut)
      if (early == shortcut_early) shortcut.fetch_patches(p.shortcut, first_pixel);
    commit_copies();
  };
  const auto multiply = [&](bool early) {
    if (early == first_early) first.template multiply<T>(products, warp_row, wide_column);
    if constexpr (kShortcut)
      if (early == shortcut_early) shortcut.template multiply<T>(added, warp_row, wide_column);
  };
  if (first_early || shortcut_early) {
    fetch(true);
    wait_copies<0>();
    __syncthreads();
    multiply(true);
  }
  wait_for_inputs();
  fetch(false);
  if constexpr (First::kAdds && !kShortcut)
    Wide::template for_each<kThreads>(
        first_pixel, first_k, [&](int row, int column, int pixel, int k) {
          const T* const residual = static_cast<const T*>(p.first.residual);
          const bool valid = pixel < p.first.pixels && k < p.first.k_written;
          const T* const from =
              residual + static_cast<long long>(pixel) * p.first.residual_pixel + k;
          copy_async(wide_at + Wide::at(row, column), valid ? from : residual, valid);
        });
  commit_copies();
  release_next();
  wait_copies<1>();
  __syncthreads();
  multiply(false);
  sums.invite();
  wait_copies<0>();
  __syncthreads();
  if constexpr (kShortcut)
    Wide::template put<Shortcut>(p.shortcut, wide, first_k, warp_row, wide_column, added);
  Wide::template put<First>(p.first, wide, first_k, warp_row, wide_column, products);
  __syncthreads();

  sums.open();
#pragma unroll 1
  for (int chunk = 0; chunk < kNarrow; chunk += kChunk) {
    const int column = chunk + warp_k * (kChunk / kWarpK);
    SumType parts[kMmaRows][kMmaNarrow][4] = {};
#pragma unroll
    for (int i = 0; i < Wide::kSteps; ++i)
      multiply_tile<T, kMmaRows, kMmaNarrow, Wide::kRow>(parts, wide_at + i * Wide::kStepBytes,
                                                         seconds_at + i * kNarrow * Wide::kRow,
                                                         warp_row, column);
#pragma unroll
    for (int i = 0; i < kMmaRows * 2; ++i)
#pragma unroll
      for (int j = 0; j < kMmaNarrow; j += 2)
        sums.send(warp_row + i * 8 + lane / 4, column + j * 8,
                  {parts[i / 2][j][i % 2 * 2], parts[i / 2][j][i % 2 * 2 + 1]},
                  {parts[i / 2][j + 1][i % 2 * 2], parts[i / 2][j + 1][i % 2 * 2 + 1]});
  }
  sums.sent();
  Wide::template for_each<kThreads>(
      first_pixel, first_k, [&](int row, int column, int pixel, int k) {
        if (pixel >= p.first.pixels || k >= p.first.k_written) return;
        T* const y = static_cast<T*>(p.first.y) + static_cast<long long>(pixel) * p.first.y_pixel;
        *reinterpret_cast<uint4*>(y + k) =
            *reinterpret_cast<const uint4*>(wide + Wide::at(row, column));
      });
  Second::write(
      p.second, first_pixel, 0, sums.first_row(), sums.last_row(), [&] { sums.wait(); },
      [&](int row, int column, auto& all) { sums.add_up(row, column, all); });
#endif
}
