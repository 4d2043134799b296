// Two 1 x 1 convolutions, of which the second multiplies what the first makes, in one launch. A
// cluster of blocks shares the pixels of a tile. Each block makes its share of the first one's
// channels, keeps them in shared memory, and multiplies them with its share of the second one's
// weights; the parts of the second sums go to the rows' owners. Weights come while the kernel
// before still runs. sm_90.
//   T            half or signed char: of everything that is read and written
//   Residual     T where the first product adds one, or Nothing
//   Act1, Act2   of the first and the second
//   kRows        pixels of a tile
//   kWide        the first one's channels of a block
//   kNarrow      the second one's channels, all of them
//   kWarpRows, kWarpK    warps along pixels and along channels
// Grid: (tiles, 1, blocks of a cluster), clusters along z. Dynamic shared memory: ClusterShape::
// shared_bytes of pair_cluster.cpp.
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

/// What the ways out need comes closer: 32 floats are a line.
__device__ __forceinline__ void prefetch_floats(const float* from, int first, int count, int last) {
  const int at = static_cast<int>(threadIdx.x) * 32;
  if (from && at < count && first + at < last)
    asm volatile("prefetch.global.L1 [%0];" ::"l"(from + first + at));
}
#endif

template <class T, class Residual, class Act1, class Act2, int kRows, int kWide, int kNarrow,
          int kWarpRows, int kWarpK>
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
  using First = Direct<T, T, Residual, Act1, kRows, kWide, kThreads>;
  using Second = Epilogue<T, T, Nothing, Act2, kRows, kNarrow, kThreads>;
  using Sums = ClusterSums<SumType, kRows, kNarrow>;
  extern __shared__ __align__(128) unsigned char shared[];
  __shared__ __align__(8) unsigned long long sums_there;

  // Patches and the first weights, in whose place sums are received later; the second weights; the
  // first results.
  const int steps = p.first.steps;
  const int received_bytes = kRows * Sums::kPitch * static_cast<int>(sizeof(SumType));
  unsigned char* const seconds = shared + max(steps * (kRows + kWide) * 128, received_bytes);
  unsigned char* const wide = seconds + kNarrow * Wide::kRowBytes;
  const unsigned patches_at = shared_address(shared), firsts_at = patches_at + steps * kRows * 128;
  const unsigned seconds_at = shared_address(seconds), wide_at = shared_address(wide);
  const int rank = static_cast<int>(blockIdx.z), first_k = rank * kWide;
  const int first_pixel = static_cast<int>(blockIdx.x) * kRows;
  const Sums sums(shared, &sums_there, static_cast<int>(gridDim.z));

  WeightReader<kWide, 128, kThreads> first_weights;
  first_weights.start(p.first, static_cast<const char*>(p.first.weights), first_k, 0);
  for (int i = 0; i < steps; ++i) first_weights.copy(firsts_at + i * kWide * 128);
  WeightReader<kNarrow, Wide::kRow, kThreads> second_weights;
  second_weights.start(p.second, static_cast<const char*>(p.second.weights), 0,
                       rank * Wide::kSteps);
#pragma unroll 1
  for (int i = 0; i < Wide::kSteps; ++i)
    second_weights.copy(seconds_at + i * kNarrow * Wide::kRow);
  prefetch_floats(p.first.bias, first_k, kWide, p.first.k_padded);
  prefetch_floats(p.first.multiplier, first_k, kWide, p.first.k_padded);
  prefetch_floats(p.second.bias, 0, kNarrow, p.second.k_padded);
  prefetch_floats(p.second.multiplier, 0, kNarrow, p.second.k_padded);
  wait_for_inputs();

  PatchReader<kRows, 128, kThreads, Rows> patches;
  patches.x = static_cast<const char*>(p.first.x);
  patches.start(p.first, first_pixel, 0);
  for (int i = 0; i < steps; ++i) patches.copy(p.first, patches_at + i * kRows * 128);
  commit_copies();
  if constexpr (First::kAdds)
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

  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int warp_row = warp % kWarpRows * (kRows / kWarpRows), warp_k = warp / kWarpRows;
  wait_copies<1>();
  __syncthreads();
  {
    SumType products[kMmaRows][kMmaWide][4] = {};
#pragma unroll 2
    for (int i = 0; i < steps; ++i)
      multiply_tile<T, kMmaRows, kMmaWide, 128>(products, patches_at + i * kRows * 128,
                                                firsts_at + i * kWide * 128, warp_row,
                                                warp_k * (kWide / kWarpK));
    sums.invite();
    wait_copies<0>();
    __syncthreads();
#pragma unroll
    for (int j = 0; j < kMmaWide; ++j) {
      const int column = warp_k * (kWide / kWarpK) + j * 8 + lane % 4 * 2;
      const auto constants = First::column(p.first, first_k + column);
#pragma unroll
      for (int i = 0; i < kMmaRows * 2; ++i) {
        auto* const at = reinterpret_cast<Vector<T, 2>*>(
            wide + Wide::at(warp_row + i * 8 + lane / 4, column));
        Vector<Residual, 2> add;
        if constexpr (First::kAdds) add = *at;
        *at = First::finished(p.first, constants, products[i / 2][j][i % 2 * 2],
                              products[i / 2][j][i % 2 * 2 + 1], add);
      }
    }
  }
  __syncthreads();

  sums.open();
#pragma unroll 1
  for (int chunk = 0; chunk < kNarrow; chunk += kChunk) {
    const int column = chunk + warp_k * (kChunk / kWarpK);
    SumType products[kMmaRows][kMmaNarrow][4] = {};
#pragma unroll
    for (int i = 0; i < Wide::kSteps; ++i)
      multiply_tile<T, kMmaRows, kMmaNarrow, Wide::kRow>(
          products, wide_at + i * Wide::kStepBytes, seconds_at + i * kNarrow * Wide::kRow,
          warp_row, column);
#pragma unroll
    for (int i = 0; i < kMmaRows * 2; ++i)
#pragma unroll
      for (int j = 0; j < kMmaNarrow; ++j)
        sums.send(warp_row + i * 8 + lane / 4, column + j * 8 + lane % 4 * 2,
                  products[i / 2][j][i % 2 * 2], products[i / 2][j][i % 2 * 2 + 1]);
  }
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
