// Convolution as an implicit matrix product on Hopper's warpgroups: sm_90a.
//   In           half, signed char; the other types, Act, kAccess and kShare as in conv_mma.cu
//   kTileRows    output pixels of a block: 64 for each warpgroup
//   kTileK       output channels of a block: 64 or 128
//   kStages      tiles in shared memory; kStages - 2 of them are on their way
// Grid, kStays and dynamic shared memory as conv_mma.cu with kRow = 128, and 1024 bytes to align.
#include "conv.cuh"
#include "wgmma.cuh"

template <class In, class Out, class Residual, class Act, int kTileRows, int kTileK, int kStages,
          Access kAccess, Share kShare, bool kStays, int kOuts>
__global__ void __launch_bounds__(kTileRows * 2) conv_wgmma(const __grid_constant__ ConvParams p) {
#if __CUDA_ARCH__ >= 900
  constexpr int kThreads = kTileRows * 2, kRow = 128, kAhead = kStages - 2;
  using SumType = typename Sum<In>::type;
  using Way = Direct<In, Out, Residual, Act, kTileRows, kTileK, kThreads>;
  constexpr bool kDirect = kIsDirect<Out, Residual, kShare>;
  using End = Finish<In, Out, Residual, Act, kTileRows, kTileK, kThreads, kShare>;
  using Feeder = Feed<Select<kDirect, Way, Nothing>, kTileRows, kTileK, kRow, kThreads, kStages,
                      kAccess, kStays, kOuts>;
  extern __shared__ __align__(1024) unsigned char shared_memory[];
  unsigned char* shared = shared_memory + ((1024 - (shared_address(shared_memory) & 1023)) & 1023);

  const int part = static_cast<int>(blockIdx.z);
  const int first_step = kShare == Alone ? 0 : part * p.steps / p.split;
  const int last_step = kShare == Alone ? p.steps : (part + 1) * p.steps / p.split;
  Feeder feed(p, shared_address(shared), first_step, last_step);
  __shared__ __align__(8) unsigned long long sums_there;
  const SumsOf<kShare, SumType, kTileRows, kTileK> cluster_sums(
      shared + (feed.outs - shared_address(shared)), &sums_there, p.split, kThreads);
  cluster_sums.invite();
  feed.template begin<kAhead>(p);

  const int lane = threadIdx.x % 32, own_row = threadIdx.x / 32 * 16 + lane / 4;
  const unsigned own_rows = threadIdx.x / 128 * 64 * kRow;
  unsigned char* outs = shared + (feed.outs - shared_address(shared));
  int reading = 0, finishing = 0;
  for (int tile = blockIdx.x; tile < p.tiles; tile += gridDim.x) {
    const int first_pixel = tile / p.tiles_k * kTileRows, first_k = tile % p.tiles_k * kTileK;
    SumType sums[kTileK / 2];
#pragma unroll
    for (int i = 0; i < kTileK / 2; ++i) sums[i] = 0;
    for (int step = first_step; step < last_step; ++step) {
      wait_copies<kAhead - 1>();
      fence_copies();
      __syncthreads();  // the tile is complete, and nobody reads the one of two steps ago any more
      fence_products();
#pragma unroll
      for (int i = 0; i < kRow / 32; ++i)
        GroupMma<In, kTileK>::run(sums, tile_descriptor(feed.a_tile(reading) + own_rows + i * 32),
                                  tile_descriptor(feed.b_tile(reading, step) + i * 32), 1);
      commit_products();
      wait_products<1>();
      feed.advance(p);
      reading = reading + 1 == kStages ? 0 : reading + 1;
    }
    wait_products<0>();
    hold(sums);
    release_next();
    if constexpr (kDirect) {
      // The residual came with the first step's copies and was waited for with them.
      unsigned char* out = outs + finishing * Way::kBytes;
      finishing = finishing + 1 == kOuts ? 0 : finishing + 1;
#pragma unroll
      for (int i = 0; i < kTileK / 8; ++i) {
        const int column = i * 8 + lane % 4 * 2;
        const auto shares = Way::column(p, first_k + column);
#pragma unroll
        for (int half_row = 0; half_row < 2; ++half_row)
          Way::put(p, out, shares, own_row + half_row * 8, column, first_pixel, first_k,
                   sums[i * 4 + half_row * 2], sums[i * 4 + half_row * 2 + 1]);
      }
      __syncthreads();
      Way::store(p, out, first_pixel, first_k);
    } else if constexpr (kShare == Cluster) {
      cluster_sums.open();
      cluster_sums.send_group(own_row, sums);
      cluster_sums.sent();
      End::run(p, cluster_sums, first_pixel, first_k);
    } else {
      // One tile a block: its sums take the place of the copies.
      wait_copies<0>();
      __syncthreads();
      SumType* staged = reinterpret_cast<SumType*>(shared);
#pragma unroll
      for (int i = 0; i < kTileK / 8; ++i)
#pragma unroll
        for (int half_row = 0; half_row < 2; ++half_row) {
          Vector<SumType, 2> pair = {sums[i * 4 + half_row * 2], sums[i * 4 + half_row * 2 + 1]};
          *reinterpret_cast<Vector<SumType, 2>*>(
              staged + (own_row + half_row * 8) * End::Way::kPitch + i * 8 + lane % 4 * 2) = pair;
        }
      __syncthreads();
      End::run(p, staged, tile, first_pixel, first_k);
    }
  }
#endif
}
