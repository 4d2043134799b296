// Convolution as an implicit matrix product on tensor cores, mma.sync: sm_75 and later.
//   In, Out      half, signed char, float (as tf32; sm_80 and later)
//   Residual     type of what is added before the activation, or Nothing
//   Act          activation.cuh
//   kTileRows, kTileK    output pixels and channels of a block
//   kWarpRows, kWarpK    warps along each
//   kRow         bytes of a row in shared memory: 64 or 128
//   kStages      tiles in flight
//   kAccess      Patches, or Rows for 1 x 1 and matrices
//   kShare       how the blocks along gridDim.z add up their parts of the sum
// Grid: (tiles, batch, split); the tile along k runs fastest, so that neighbours share patches.
// Dynamic shared memory: max(kStages * (kTileRows + kTileK) * kRow, kTileRows * (kTileK + 4) * 4).
#include "conv.cuh"

template <class In, int kMmaRows, int kMmaK, int kRow>
__device__ __forceinline__ void multiply_tile(typename Sum<In>::type (&sums)[kMmaRows][kMmaK][4],
                                              unsigned a_tile, unsigned b_tile, int first_row,
                                              int first_k) {
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int step = 0; step < kRow / 32; ++step) {
    unsigned a[kMmaRows][4], b[kMmaK][2];
#pragma unroll
    for (int i = 0; i < kMmaRows; ++i)
      load_matrix_x4(a[i], a_tile + swizzled<kRow>(first_row + i * 16 + lane % 16,
                                                   step * 2 + lane / 16));
#pragma unroll
    for (int j = 0; j < kMmaK; j += 2) {
      unsigned both[4];
      load_matrix_x4(both, b_tile + swizzled<kRow>(first_k + j * 8 + (lane / 16) * 8 + lane % 8,
                                                   step * 2 + (lane / 8) % 2));
      b[j][0] = both[0];
      b[j][1] = both[1];
      b[j + 1][0] = both[2];
      b[j + 1][1] = both[3];
    }
#pragma unroll
    for (int i = 0; i < kMmaRows; ++i)
#pragma unroll
      for (int j = 0; j < kMmaK; ++j) Mma<In>::run(sums[i][j], a[i], b[j]);
  }
}

template <class In, class Out, class Residual, class Act, int kTileRows, int kTileK, int kWarpRows,
          int kWarpK, int kRow, int kStages, Access kAccess, Share kShare>
__global__ void __launch_bounds__(kWarpRows* kWarpK * 32)
    conv_mma(const __grid_constant__ ConvParams p) {
  constexpr int kThreads = kWarpRows * kWarpK * 32;
  constexpr int kMmaRows = kTileRows / kWarpRows / 16, kMmaK = kTileK / kWarpK / 8;
  constexpr int kATile = kTileRows * kRow, kStage = kATile + kTileK * kRow;
  static_assert(kMmaRows > 0 && kMmaK > 0 && kMmaK % 2 == 0);
  using SumType = typename Sum<In>::type;
  extern __shared__ __align__(128) unsigned char shared[];
  const unsigned tiles = shared_address(shared);

  const int tile = blockIdx.x;
  const int first_pixel = tile / p.tiles_k * kTileRows, first_k = tile % p.tiles_k * kTileK;
  const int first_step = kShare == Alone ? 0 : static_cast<int>(blockIdx.z) * p.steps / p.split;
  const int last_step = kShare == Alone ? p.steps : (static_cast<int>(blockIdx.z) + 1) * p.steps / p.split;

  release_next();
  PatchReader<kTileRows, kRow, kThreads, kAccess> patches(
      p, static_cast<const char*>(p.x) + blockIdx.y * p.x_batch_bytes, first_pixel, first_step);
  WeightReader<kTileK, kRow, kThreads> weights(
      p, static_cast<const char*>(p.weights) + blockIdx.y * p.weights_batch_bytes, first_k,
      first_step);
  const bool early = p.weights_batch_bytes == 0;  // constants need not wait for other kernels
  if (early)
#pragma unroll
    for (int stage = 0; stage < kStages - 1; ++stage)
      if (first_step + stage < last_step) weights.copy(tiles + stage * kStage + kATile);
  wait_for_inputs();
#pragma unroll
  for (int stage = 0; stage < kStages - 1; ++stage) {
    if (first_step + stage < last_step) {
      patches.copy(p, tiles + stage * kStage);
      if (!early) weights.copy(tiles + stage * kStage + kATile);
    }
    commit_copies();
  }

  SumType sums[kMmaRows][kMmaK][4] = {};
  const int warp = threadIdx.x / 32;
  const int warp_row = warp % kWarpRows * (kTileRows / kWarpRows);
  const int warp_k = warp / kWarpRows * (kTileK / kWarpK);
  int reading = 0, writing = kStages - 1;
  for (int step = first_step; step < last_step; ++step) {
    wait_copies<kStages - 2>();
    __syncthreads();
    if (step + kStages - 1 < last_step) {
      patches.copy(p, tiles + writing * kStage);
      weights.copy(tiles + writing * kStage + kATile);
    }
    commit_copies();
    multiply_tile<In, kMmaRows, kMmaK, kRow>(sums, tiles + reading * kStage,
                                             tiles + reading * kStage + kATile, warp_row, warp_k);
    reading = reading + 1 == kStages ? 0 : reading + 1;
    writing = writing + 1 == kStages ? 0 : writing + 1;
  }
  wait_copies<0>();
  __syncthreads();

  using End = Finish<In, Out, Residual, Act, kTileRows, kTileK, kThreads, kShare>;
  SumType* staged = reinterpret_cast<SumType*>(shared);
  const int lane = threadIdx.x % 32;
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
