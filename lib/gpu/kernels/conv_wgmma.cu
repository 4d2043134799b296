// Convolution as an implicit matrix product on Hopper's warpgroups: sm_90a.
//   In           half, signed char; the other types, Act, kAccess and kShare as in conv_mma.cu
//   kTileRows    output pixels of a block: 64 for each warpgroup
//   kTileK       output channels of a block: 64, 128 or 256
//   kStages      tiles in shared memory; kStages - 2 of them are on their way
// Grid and dynamic shared memory as conv_mma.cu with kRow = 128, and 1024 bytes to align.
#include "conv.cuh"
#include "wgmma.cuh"

template <class In, class Out, class Residual, class Act, int kTileRows, int kTileK, int kStages,
          Access kAccess, Share kShare>
__global__ void __launch_bounds__(kTileRows * 2) conv_wgmma(const __grid_constant__ ConvParams p) {
#if __CUDA_ARCH__ >= 900
  constexpr int kThreads = kTileRows * 2, kRow = 128, kAhead = kStages - 2;
  constexpr int kATile = kTileRows * kRow, kStage = kATile + kTileK * kRow;
  using SumType = typename Sum<In>::type;
  extern __shared__ __align__(1024) unsigned char shared_memory[];
  unsigned char* shared =
      shared_memory + ((1024 - (shared_address(shared_memory) & 1023)) & 1023);
  const unsigned tiles = shared_address(shared);

  const int tile = blockIdx.x;
  const int first_pixel = tile / p.tiles_k * kTileRows, first_k = tile % p.tiles_k * kTileK;
  const int part = static_cast<int>(blockIdx.z);
  const int first_step = kShare == Alone ? 0 : part * p.steps / p.split;
  const int last_step = kShare == Alone ? p.steps : (part + 1) * p.steps / p.split;

  release_next();
  PatchReader<kTileRows, kRow, kThreads, kAccess> patches(
      p, static_cast<const char*>(p.x) + blockIdx.y * p.x_batch_bytes, first_pixel, first_step);
  WeightReader<kTileK, kRow, kThreads> weights(
      p, static_cast<const char*>(p.weights) + blockIdx.y * p.weights_batch_bytes, first_k,
      first_step);
  const bool early = p.weights_batch_bytes == 0;  // constants need not wait for other kernels
  if (early)
#pragma unroll
    for (int stage = 0; stage < kAhead; ++stage)
      if (first_step + stage < last_step) weights.copy(tiles + stage * kStage + kATile);
  wait_for_inputs();
#pragma unroll
  for (int stage = 0; stage < kAhead; ++stage) {
    if (first_step + stage < last_step) {
      patches.copy(p, tiles + stage * kStage);
      if (!early) weights.copy(tiles + stage * kStage + kATile);
    }
    commit_copies();
  }

  SumType sums[kTileK / 2];
#pragma unroll
  for (int i = 0; i < kTileK / 2; ++i) sums[i] = 0;
  const unsigned own_rows = threadIdx.x / 128 * 64 * kRow;
  int reading = 0, writing = kAhead;
  for (int step = first_step; step < last_step; ++step) {
    wait_copies<kAhead - 1>();
    fence_copies();
    __syncthreads();  // the tile is complete, and nobody reads the one of two steps ago any more
    fence_products();
#pragma unroll
    for (int i = 0; i < kRow / 32; ++i)
      GroupMma<In, kTileK>::run(sums,
                                tile_descriptor(tiles + reading * kStage + own_rows + i * 32),
                                tile_descriptor(tiles + reading * kStage + kATile + i * 32), 1);
    commit_products();
    wait_products<1>();
    if (step + kAhead < last_step) {
      patches.copy(p, tiles + writing * kStage);
      weights.copy(tiles + writing * kStage + kATile);
    }
    commit_copies();
    reading = reading + 1 == kStages ? 0 : reading + 1;
    writing = writing + 1 == kStages ? 0 : writing + 1;
  }
  wait_products<0>();
  wait_copies<0>();
  __syncthreads();

  using End = Finish<In, Out, Residual, Act, kTileRows, kTileK, kThreads, kShare>;
  SumType* staged = reinterpret_cast<SumType*>(shared);
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int i = 0; i < kTileK / 8; ++i)
#pragma unroll
    for (int half_row = 0; half_row < 2; ++half_row) {
      const int row = threadIdx.x / 32 * 16 + half_row * 8 + lane / 4;
      const int column = i * 8 + lane % 4 * 2;
      Vector<SumType, 2> pair = {sums[i * 4 + half_row * 2], sums[i * 4 + half_row * 2 + 1]};
      *reinterpret_cast<Vector<SumType, 2>*>(staged + row * End::Way::kPitch + column) = pair;
    }
  __syncthreads();
  End::run(p, staged, tile, first_pixel, first_k);
#endif
}
