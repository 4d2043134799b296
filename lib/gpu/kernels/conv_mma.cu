// Convolution as an implicit matrix product on tensor cores, mma.sync: sm_75 and later.
//   In, Out      half, signed char, float (as tf32; sm_80 and later); In: or FullFloat
//   Residual     type of what is added before the activation, or Nothing
//   Act          activation.cuh
//   kTileRows, kTileK    output pixels and channels of a block
//   kWarpRows, kWarpK    warps along each
//   kRow         bytes of a row in shared memory: 64 or 128
//   kStages      tiles in flight
//   kAccess      Patches, Rows for 1 x 1 and matrices, Groups for grouped convolutions
//   kShare       how the blocks along gridDim.z add up their parts of the sum
//   kOuts        tiles of results in shared memory: with a residual, one more than tiles on their
//   way kStays       weights are copied once for all tiles of a block; needs one tile along k
// Grid: (tiles, batch, split), or fewer along x: then a block takes every gridDim.x-th tile, which
// only tiles that go out through Direct may do. The tile along k runs fastest, so that neighbours
// share patches. Dynamic shared memory: ProductTactic::shared_bytes.
#include "conv.cuh"

template <class In, class Out, class Residual, class Act, int kTileRows, int kTileK, int kWarpRows,
          int kWarpK, int kRow, int kStages, Access kAccess, Share kShare, bool kStays, int kOuts>
__global__ void __launch_bounds__(kWarpRows* kWarpK * 32)
    conv_mma(const __grid_constant__ ConvParams p) {
  constexpr int kThreads = kWarpRows * kWarpK * 32;
  constexpr int kMmaRows = kTileRows / kWarpRows / 16, kMmaK = kTileK / kWarpK / 8;
  static_assert(kMmaRows > 0 && kMmaK > 0 && kMmaK % 2 == 0);
  using SumType = typename Sum<In>::type;
  using Way = Direct<In, Out, Residual, Act, kTileRows, kTileK, kThreads>;
  constexpr bool kDirect = kIsDirect<Out, Residual, kShare>;
  using End = Finish<In, Out, Residual, Act, kTileRows, kTileK, kThreads, kShare>;
  using Feeder = Feed<Select<kDirect, Way, Nothing>, kTileRows, kTileK, kRow, kThreads, kStages,
                      kAccess, kStays, kOuts>;
  extern __shared__ __align__(128) unsigned char shared[];

  const int part = static_cast<int>(blockIdx.z);
  const int first_step = kShare == Alone ? 0 : part * p.steps / p.split;
  const int last_step = kShare == Alone ? p.steps : (part + 1) * p.steps / p.split;
  Feeder feed(p, shared_address(shared), first_step, last_step);
  __shared__ __align__(8) unsigned long long sums_there;
  const SumsOf<kShare, SumType, kTileRows, kTileK> cluster_sums(
      shared + (feed.outs - shared_address(shared)), &sums_there, p.split, kThreads);
  cluster_sums.invite();
  feed.template begin<kStages - 1>(p);

  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int warp_row = warp % kWarpRows * (kTileRows / kWarpRows);
  const int warp_k = warp / kWarpRows * (kTileK / kWarpK);
  unsigned char* outs = shared + (feed.outs - shared_address(shared));
  int reading = 0, finishing = 0;
  for (int tile = blockIdx.x; tile < p.tiles; tile += gridDim.x) {
    const int first_pixel = tile / p.tiles_k * kTileRows, first_k = tile % p.tiles_k * kTileK;
    SumType sums[kMmaRows][kMmaK][4] = {};
    for (int step = first_step; step < last_step; ++step) {
      wait_copies<kStages - 2>();
      __syncthreads();
      feed.advance(p);
      multiply_tile<In, kMmaRows, kMmaK, kRow>(sums, feed.a_tile(reading),
                                               feed.b_tile(reading, step), warp_row, warp_k);
      reading = reading + 1 == kStages ? 0 : reading + 1;
    }
    release_next();
    if constexpr (kDirect) {
      // The residual came with the first step's copies and was waited for with them.
      unsigned char* out = outs + finishing * Way::kBytes;
      finishing = finishing + 1 == kOuts ? 0 : finishing + 1;
#pragma unroll
      for (int j = 0; j < kMmaK; ++j) {
        const int column = warp_k + j * 8 + lane % 4 * 2;
        const auto shares = Way::column(p, first_k + column);
#pragma unroll
        for (int i = 0; i < kMmaRows; ++i)
#pragma unroll
          for (int half_row = 0; half_row < 2; ++half_row)
            Way::put(p, out, shares, warp_row + i * 16 + half_row * 8 + lane / 4, column,
                     first_pixel, first_k, sums[i][j][half_row * 2], sums[i][j][half_row * 2 + 1]);
      }
      __syncthreads();
      Way::store(p, out, first_pixel, first_k);
    } else if constexpr (kShare == Cluster) {
      cluster_sums.open();
#pragma unroll
      for (int i = 0; i < kMmaRows; ++i)
#pragma unroll
        for (int j = 0; j < kMmaK; j += 2)
#pragma unroll
          for (int half_row = 0; half_row < 2; ++half_row)
            cluster_sums.send(warp_row + i * 16 + half_row * 8 + lane / 4, warp_k + j * 8,
                              {sums[i][j][half_row * 2], sums[i][j][half_row * 2 + 1]},
                              {sums[i][j + 1][half_row * 2], sums[i][j + 1][half_row * 2 + 1]});
      cluster_sums.sent();
      End::run(p, cluster_sums, first_pixel, first_k);
    } else {
      // One tile a block: its sums take the place of the copies.
      wait_copies<0>();
      __syncthreads();
      SumType* staged = reinterpret_cast<SumType*>(shared);
#pragma unroll
      for (int i = 0; i < kMmaRows; ++i)
#pragma unroll
        for (int j = 0; j < kMmaK; ++j)
#pragma unroll
          for (int half_row = 0; half_row < 2; ++half_row) {
            const int row = warp_row + i * 16 + half_row * 8 + lane / 4;
            const int column = warp_k + j * 8 + lane % 4 * 2;
            Vector<SumType, 2> pair = {sums[i][j][half_row * 2], sums[i][j][half_row * 2 + 1]};
            *reinterpret_cast<Vector<SumType, 2>*>(staged + row * End::Way::kPitch + column) = pair;
          }
      __syncthreads();
      End::run(p, staged, tile, first_pixel, first_k);
    }
  }
}
