// Convolution as an implicit matrix product on Hopper's warpgroups, fed by the copy engine: sm_90a.
//   In, Out      half, signed char; Residual: Out or Nothing; Act, kAccess as in conv_mma.cu
//   kTileRows    output pixels of a tile: 64 or 128
//   kTileK       output channels of a tile: 64, 128 or 256
//   kStages      tiles of both sides in shared memory
//   kOuts        tiles of results of a warpgroup: 1 to 4; from 2 on residuals come kOuts / 2 ahead
// Three warpgroups: one thread of the last feeds the other two, which take turns at tiles: one
// multiplies while the other finishes its sums and sends them out.
// Grid: a block for each tile, or fewer: a block takes every so-many-th. The tile along k runs
// fastest. Dynamic shared memory: ProductTactic::shared_bytes.
#include "conv_walk.cuh"
#include "panel.cuh"
#include "wgmma.cuh"

template <class In, class Out, class Residual, class Act, int kTileRows, int kTileK, int kStages,
          Access kAccess, int kOuts>
__global__ void __launch_bounds__(384, 1) conv_bulk(const __grid_constant__ BulkParams all) {
#if __CUDA_ARCH__ >= 900
  using SumType = typename Sum<In>::type;
  constexpr int kOutSize = static_cast<int>(sizeof(Out)), kRow = kTileK * kOutSize;
  constexpr int kPanel = kRow < 128 ? kRow : 128, kPanels = kRow / kPanel;
  using Way = PanelWay<In, Out, Residual, Act, kPanel>;
  constexpr int kATile = kTileRows * 128, kBTile = kTileK * 128, kStage = kATile + kBTile;
  constexpr int kOut = kTileRows * kRow;
  constexpr int kAhead = kOuts / 2;  // of residuals, in tiles
  extern __shared__ __align__(1024) unsigned char shared_memory[];
  __shared__ __align__(8) unsigned long long barriers[2 * kStages + 2 + 2 * kOuts];
  const unsigned tiles = (shared_address(shared_memory) + 1023) & ~1023u;
  const unsigned outs = tiles + kStages * kStage;
  const ConvParams& p = all.conv;
  const auto full = [&](int stage) { return Barrier{shared_address(barriers + stage)}; };
  const auto empty = [&](int stage) { return Barrier{shared_address(barriers + kStages + stage)}; };
  const auto turn = [&](int group) {
    return Barrier{shared_address(barriers + 2 * kStages + group)};
  };
  const auto residual_there = [&](int out) {
    return Barrier{shared_address(barriers + 2 * kStages + 2 + out)};
  };
  const int count = (p.pixels + kTileRows - 1) / kTileRows * p.tiles_k;
  const int first = blockIdx.x, stride = gridDim.x;
  const int group = threadIdx.x / 128;
  const auto pixel_of = [&](int tile) { return tile / p.tiles_k * kTileRows; };
  const auto k_of = [&](int tile) { return tile % p.tiles_k * kTileK; };

  prepare_barriers(barriers, [](int) { return 1; });

  if (group == 2) {
    give_registers_back<40>();
    if (threadIdx.x == 256) {
      const int tap_elements = p.channel_bytes / static_cast<int>(sizeof(In));
      const auto copy_weights = [&](int stage, int tile, const SumWalk<kAccess>& walk) {
        copy_columns<Out>(tiles + stage * kStage + kATile, &all.weights, full(stage),
                          walk.element(all, tap_elements), k_of(tile));
      };
      // Weights of the first stages need not wait for other kernels.
      int early = 0;
      if (p.weights_batch_bytes == 0 && first < count)
        for (SumWalk<kAccess> walk(all, pixel_of(first), k_of(first), 0);
             early < kStages && early < p.steps; ++early, walk.next(all)) {
          full(early).arrive_expecting(kStage);
          copy_weights(early, first, walk);
        }
      wait_for_inputs();
      Ring<kStages> ring;
      for (int tile = first; tile < count; tile += stride) {
        SumWalk<kAccess> walk(all, pixel_of(tile), k_of(tile), 0);
        for (int step = 0; step < p.steps; ++step, walk.next(all), ring.next()) {
          const bool weights_there = early > 0;
          if (weights_there) {
            --early;
          } else {
            empty(ring.stage).wait(ring.phase ^ 1);
            full(ring.stage).arrive_expecting(kStage);
            copy_weights(ring.stage, tile, walk);
          }
          walk.copy(all, tiles + ring.stage * kStage, full(ring.stage));
        }
      }
    }
  } else {
    take_registers<232>();
    wait_for_inputs();
    const bool leads = threadIdx.x % 128 == 0;
    const auto panel_of = [&](int out, int i) {
      return outs + (group * kOuts + out) * kOut + i * kTileRows * kPanel;
    };
    const auto fetch_residual = [&](int tile, int out) {
      if (tile >= count) return;
      const Barrier there = residual_there(group * kOuts + out);
      there.arrive_expecting(kOut);
      for (int i = 0; i < kPanels; ++i)
        copy_box(panel_of(out, i), &all.residual, there, k_of(tile) + i * (kPanel / kOutSize),
                 pixel_of(tile));
    };
    Ring<kStages> ring;
    if (group == 1) ring.skip(p.steps);
    Ring<kOuts> out;
    unsigned turn_phase = group ^ 1;
    if (Way::kAdds && leads)
      for (int i = 0; i < kAhead; ++i) fetch_residual(first + (group + 2 * i) * stride, i);
    for (int tile = first + group * stride; tile < count; tile += 2 * stride) {
      if (leads) {  // a tile of results that has left is free again
        wait_stores_read<Way::kAdds ? kOuts - 1 - kAhead : kOuts - 1>();
        if constexpr (Way::kAdds)
          fetch_residual(tile + 2 * kAhead * stride, (out.stage + kAhead) % kOuts);
      }
      SumType sums[kTileRows / 64][kTileK / 2];
#pragma unroll
      for (int m = 0; m < kTileRows / 64; ++m)
#pragma unroll
        for (int i = 0; i < kTileK / 2; ++i) sums[m][i] = 0;
      // A stage's phases are told apart by their parity alone: nobody may wait for one that lies
      // more than one turn of the ring ahead, so the other warpgroup's tile must have gone through.
      turn(group).wait(turn_phase);
      turn_phase ^= 1;
      int last_stage = 0;
      for (int step = 0; step < p.steps; ++step) {
        full(ring.stage).wait(ring.phase);
        const unsigned long long a = tile_descriptor(tiles + ring.stage * kStage);
        const unsigned long long b = further(a, kATile);
        fence_products();
#pragma unroll
        for (int i = 0; i < 4; ++i)
#pragma unroll
          for (int m = 0; m < kTileRows / 64; ++m)
            GroupMma<In, kTileK>::run(sums[m], further(a, m * 64 * 128 + i * 32), further(b, i * 32),
                                      1);
        commit_products();
        wait_products<1>();
        if (step > 0 && leads) empty(last_stage).arrive();
        last_stage = ring.stage;
        ring.next();
      }
      if (leads) turn(group ^ 1).arrive();
      wait_products<0>();
      if (leads) empty(last_stage).arrive();
      release_next();
      ring.skip(p.steps);  // the other warpgroup's tile
      if constexpr (Way::kAdds)
        residual_there(group * kOuts + out.stage).wait(out.phase);
      else
        group_barrier(group);  // its first thread has seen the tile of results free
#pragma unroll
      for (int i = 0; i < kPanels; ++i)
#pragma unroll
        for (int m = 0; m < kTileRows / 64; ++m)
          Way::finish(p, panel_of(out.stage, i) + m * 64 * kPanel,
                      k_of(tile) + i * (kPanel / kOutSize), sums[m], i * Way::kSums);
      fence_copies();
      group_barrier(group);
      if (leads) {
        for (int i = 0; i < kPanels; ++i)
          store_box(&all.y, panel_of(out.stage, i), k_of(tile) + i * (kPanel / kOutSize),
                    pixel_of(tile));
        commit_stores();
      }
      out.next();
    }
    if (leads) wait_stores();
  }
#endif
}
