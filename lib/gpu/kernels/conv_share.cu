// Convolution whose sums the blocks of a cluster share, fed by the copy engine: for few tiles and
// long sums. sm_90a.
//   In, Out      half, signed char; Residual, Act, kAccess as in conv_mma.cu
//   kTileRows    output pixels of a tile: 64 for each warpgroup that multiplies
//   kTileK       output channels of a tile: 64 or 128
//   kStages      tiles of both sides in shared memory
// One thread of a warp of its own feeds the warpgroups. Grid: (tiles, 1, split), clusters along z.
// Dynamic shared memory: ProductTactic::shared_bytes.
#include "conv_finish.cuh"
#include "conv_walk.cuh"
#include "wgmma.cuh"

template <class In, class Out, class Residual, class Act, int kTileRows, int kTileK, int kStages,
          Access kAccess>
__global__ void __launch_bounds__(kTileRows * 2 + 32)
    conv_share(const __grid_constant__ BulkParams all) {
#if __CUDA_ARCH__ >= 900
  constexpr int kThreads = kTileRows * 2, kGroups = kTileRows / 64;
  constexpr int kATile = kTileRows * 128, kBTile = kTileK * 128, kStage = kATile + kBTile;
  using SumType = typename Sum<In>::type;
  using End = Finish<In, Out, Residual, Act, kTileRows, kTileK, kThreads, Cluster>;
  extern __shared__ __align__(1024) unsigned char shared_memory[];
  __shared__ __align__(8) unsigned long long barriers[2 * kStages + 1];
  unsigned char* shared = shared_memory + ((1024 - (shared_address(shared_memory) & 1023)) & 1023);
  const unsigned tiles = shared_address(shared);
  const ConvParams& p = all.conv;
  const auto full = [&](int stage) { return Barrier{shared_address(barriers + stage)}; };
  const auto empty = [&](int stage) { return Barrier{shared_address(barriers + kStages + stage)}; };
  const int first_pixel = static_cast<int>(blockIdx.x) / p.tiles_k * kTileRows;
  const int first_k = static_cast<int>(blockIdx.x) % p.tiles_k * kTileK;
  const int part = static_cast<int>(blockIdx.z);
  const int first_step = part * p.steps / p.split, last_step = (part + 1) * p.steps / p.split;

  if (threadIdx.x == 0)
    for (int i = 0; i < kStages; ++i) {
      full(i).init(1);
      empty(i).init(kGroups);
    }
  const ClusterSums<SumType, kTileRows, kTileK> sums_of(shared + kStages * kStage,
                                                        barriers + 2 * kStages, p.split, kThreads);
  if (threadIdx.x == 0) fence_copies();
  __syncthreads();
  sums_of.invite();

  if (threadIdx.x >= kThreads) {
    if (threadIdx.x > kThreads) return;
    const int tap_elements = p.channel_bytes / static_cast<int>(sizeof(In));
    // Weights of the first stages need not wait for other kernels.
    SumWalk<kAccess> ahead(all, first_pixel, first_k, first_step);
    const int early = min(kStages, last_step - first_step);
    for (int i = 0; i < early; ++i, ahead.next(all)) {
      full(i).arrive_expecting(kStage);
      copy_box(tiles + i * kStage + kATile, &all.weights, full(i), ahead.element(all, tap_elements),
               first_k);
    }
    wait_for_inputs();
    SumWalk<kAccess> walk(all, first_pixel, first_k, first_step);
    Ring<kStages> ring;
    for (int i = 0; i < last_step - first_step; ++i, walk.next(all), ring.next()) {
      if (i >= early) {
        empty(ring.stage).wait(ring.phase ^ 1);
        full(ring.stage).arrive_expecting(kStage);
        copy_box(tiles + ring.stage * kStage + kATile, &all.weights, full(ring.stage),
                 walk.element(all, tap_elements), first_k);
      }
      walk.copy(all, tiles + ring.stage * kStage, full(ring.stage));
    }
    if (p.releases_early) release_next();
    return;
  }

  wait_for_inputs();
  const int lane = threadIdx.x % 32, own_row = threadIdx.x / 32 * 16 + lane / 4;
  const bool leads = threadIdx.x % 128 == 0;
  const unsigned own_rows = threadIdx.x / 128 * 64 * 128;
  SumType sums[kTileK / 2];
#pragma unroll
  for (int i = 0; i < kTileK / 2; ++i) sums[i] = 0;
  Ring<kStages> ring;
  int last_stage = 0;
  for (int step = first_step; step < last_step; ++step, ring.next()) {
    full(ring.stage).wait(ring.phase);
    const unsigned a = tiles + ring.stage * kStage + own_rows;
    const unsigned b = tiles + ring.stage * kStage + kATile;
    fence_products();
#pragma unroll
    for (int i = 0; i < 4; ++i)
      GroupMma<In, kTileK>::run(sums, tile_descriptor(a + i * 32), tile_descriptor(b + i * 32), 1);
    commit_products();
    wait_products<1>();
    if (step > first_step && leads) empty(last_stage).arrive();
    last_stage = ring.stage;
  }
  wait_products<0>();
  hold(sums);
  release_next();
  sums_of.open();
  sums_of.send_group(own_row, sums);
  sums_of.sent();
  End::run(p, sums_of, first_pixel, first_k);
#endif
}
