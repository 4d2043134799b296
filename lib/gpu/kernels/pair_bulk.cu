// Two 1 x 1 layers as one launch, fed by the copy engine: sm_90a. The first makes many channels of
// few, and writes them; the second makes few of many again, and reads them from the shared memory
// in which they wait to be written.
//   T           half, signed char: of everything; Residual: T or Nothing, added by the first
//   Act1, Act2  activations
//   kSteps      32-byte steps along the first layer's sum: 2, or a multiple of 4
//   kLast       columns of the second layer: 64, 128 or 256, some of them may only pad
//   kInputs     tiles of inputs in shared memory
//   kWeights    tiles of weights, of both layers by turns; kStay: all that there are
//   kOuts       panels of results of each warpgroup, which their residuals come to
// A panel is 64 pixels x 128 bytes. Two warpgroups take 64 of a tile's pixels each and go through
// the first layer's columns panel by panel: product, way out in place of the residual, then the
// copy engine carries the panel out while it is multiplied with the second layer's weights.
// Grid: a block for each 128 pixels, or fewer. Dynamic shared memory: Tactic::bytes of
// pair_bulk.cpp.
#include "bulk.cuh"
#include "pair_params.h"
#include "panel.cuh"
#include "wgmma.cuh"

template <class T, class Residual, class Act1, class Act2, int kSteps, int kLast, int kInputs,
          int kWeights, bool kStay, int kOuts>
__global__ void __launch_bounds__(384, 1) pair_bulk(const __grid_constant__ PairBulkParams p) {
#if __CUDA_ARCH__ >= 900
  using SumType = typename Sum<T>::type;
  constexpr int kSize = static_cast<int>(sizeof(T)), kColumns = 128 / kSize;
  constexpr int kRows = 128, kPanel = 64 * 128;
  constexpr int kIn = (kSteps + 3) / 4;  // 128-byte pieces of a pixel's input
  constexpr int kInput = kIn * kRows * 128;
  constexpr int kFirst = kIn * kColumns * 128, kSecond = kLast * 128;
  constexpr int kWeight = kFirst > kSecond ? kFirst : kSecond;
  constexpr int kLastRow = kLast * kSize < 128 ? kLast * kSize : 128;  // bytes of a panel's row
  constexpr int kLasts = kLast * kSize / kLastRow;
  using Way1 = PanelWay<T, T, Residual, Act1, 128>;
  using Way2 = PanelWay<T, T, Nothing, Act2, kLastRow>;

  extern __shared__ __align__(1024) unsigned char shared_memory[];
  __shared__ __align__(8) unsigned long long barriers[2 * (kWeights + kInputs + kOuts)];
  const auto barrier = [&](int i) { return Barrier{shared_address(barriers + i)}; };
  const auto weights_there = [&](int i) { return barrier(i); };
  const auto weights_free = [&](int i) { return barrier(kWeights + i); };
  const auto input_there = [&](int i) { return barrier(2 * kWeights + i); };
  const auto input_free = [&](int i) { return barrier(2 * kWeights + kInputs + i); };
  const int group = threadIdx.x / 128;
  const auto panel_there = [&](int i) {
    return barrier(2 * (kWeights + kInputs) + group * kOuts + i);
  };
  const unsigned weights = (shared_address(shared_memory) + 1023) & ~1023u;
  const unsigned inputs = weights + kWeights * kWeight;
  const unsigned panels = inputs + kInputs * kInput + group * kOuts * kPanel;

  if (threadIdx.x == 0) {
    for (int i = 0; i < kWeights; ++i) weights_there(i).init(1), weights_free(i).init(2);
    for (int i = 0; i < kInputs; ++i) input_there(i).init(1), input_free(i).init(2);
    for (int i = 2 * (kWeights + kInputs); i < 2 * (kWeights + kInputs + kOuts); ++i)
      barrier(i).init(1);
    fence_barrier_init();
    fence_copies();
  }
  __syncthreads();

  if (group == 2) {
    give_registers_back<40>();
    if (threadIdx.x == 256) {
      Ring<kWeights> ring;
      const auto begin = [&](int bytes) {
        if constexpr (!kStay) weights_free(ring.stage).wait(ring.phase ^ 1);
        weights_there(ring.stage).arrive_expecting(bytes);
        return weights + ring.stage * kWeight;
      };
      for (int tile = blockIdx.x; tile < p.tiles; tile += gridDim.x) {
        for (int chunk = 0; chunk < p.chunks; ++chunk) {
          const unsigned first = begin(kFirst);
          for (int i = 0; i < kIn; ++i)
            copy_columns<T>(first + i * kColumns * 128, &p.first_weights, weights_there(ring.stage),
                            i * kColumns, chunk * kColumns);
          ring.next();
          copy_columns<T>(begin(kSecond), &p.second_weights, weights_there(ring.stage),
                          chunk * kColumns, 0);
          ring.next();
        }
        if (kStay) break;
      }
    } else if (threadIdx.x == 288) {
      wait_for_inputs();
      Ring<kInputs> ring;
      for (int tile = blockIdx.x; tile < p.tiles; tile += gridDim.x) {
        input_free(ring.stage).wait(ring.phase ^ 1);
        input_there(ring.stage).arrive_expecting(kInput);
        for (int i = 0; i < kIn; ++i)
          copy_box(inputs + ring.stage * kInput + i * kRows * 128, &p.x, input_there(ring.stage),
                   i * kColumns, tile * kRows);
        ring.next();
      }
      release_next();
    }
  } else {
    take_registers<232>();
    wait_for_inputs();
    const bool leads = threadIdx.x % 128 == 0;
    const auto panel = [&](int i) { return panels + i * kPanel; };
    // Gives free panels to what comes to them, in the order of their use.
    int next_tile = blockIdx.x, next_panel = 0;
    const auto grant = [&](int i) {
      if (next_tile >= p.tiles) return;
      if (Way1::kAdds && next_panel < p.chunks) {
        panel_there(i).arrive_expecting(kPanel);
        copy_box(panel(i), &p.residual, panel_there(i), next_panel * kColumns,
                 next_tile * kRows + group * 64);
      } else {
        panel_there(i).arrive();
      }
      if (++next_panel == p.chunks + kLasts) {
        next_panel = 0;
        next_tile += gridDim.x;
      }
    };
    // Carries a panel out; the one before it has been read by now, and multiplied.
    bool is_first = true;
    const auto send = [&](int i, const void* map, int column, int tile) {
      fence_copies();
      group_barrier(group);
      if (!leads) return;
      store_box(map, panel(i), column, tile * kRows + group * 64);
      commit_stores();
      wait_stores_read<1>();
      if (!is_first) grant(i == 0 ? kOuts - 1 : i - 1);
      is_first = false;
    };
    if (leads)
      for (int i = 0; i < kOuts; ++i) grant(i);

    Ring<kWeights> ring;
    Ring<kInputs> input;
    Ring<kOuts> out;
    const auto wait_for_weights = [&] { weights_there(ring.stage).wait(kStay ? 0 : ring.phase); };
    const auto free_weights = [&](int stage) {
      if (!kStay && leads) weights_free(stage).arrive();
    };
    for (int tile = blockIdx.x; tile < p.tiles; tile += gridDim.x) {
      SumType last[kLast / 2];
      int second_stage = 0;
      input_there(input.stage).wait(input.phase);
      const unsigned x = inputs + input.stage * kInput + group * 64 * 128;
#pragma unroll 1
      for (int chunk = 0; chunk < p.chunks; ++chunk) {
        SumType sums[kColumns / 2];
        wait_for_weights();
        const unsigned first = weights + ring.stage * kWeight;
        fence_products();
#pragma unroll
        for (int i = 0; i < kSteps; ++i)
          GroupMma<T, kColumns>::run(sums, tile_descriptor(x + i / 4 * kRows * 128 + i % 4 * 32),
                                     tile_descriptor(first + i / 4 * kColumns * 128 + i % 4 * 32),
                                     i > 0);
        commit_products();
        wait_products<0>();
        hold(sums);
        free_weights(ring.stage);
        if (chunk > 0) free_weights(second_stage);
        if (chunk == p.chunks - 1 && leads) input_free(input.stage).arrive();
        ring.next();

        panel_there(out.stage).wait(out.phase);
        Way1::finish(p.first, panel(out.stage), chunk * kColumns, sums, 0);
        send(out.stage, &p.wide, chunk * kColumns, tile);

        wait_for_weights();
        const unsigned second = weights + ring.stage * kWeight;
        fence_products();
#pragma unroll
        for (int i = 0; i < 4; ++i)
          GroupMma<T, kLast>::run(last, tile_descriptor(panel(out.stage) + i * 32),
                                  tile_descriptor(second + i * 32), i > 0 || chunk > 0);
        commit_products();
        second_stage = ring.stage;
        ring.next();
        out.next();
      }
      wait_products<0>();
      hold(last);
      free_weights(second_stage);
      input.next();
#pragma unroll
      for (int i = 0; i < kLasts; ++i) {
        panel_there(out.stage).wait(out.phase);
        Way2::finish(p.second, panel(out.stage), i * (kLastRow / kSize), last, i * Way2::kSums);
        send(out.stage, &p.narrow, i * (kLastRow / kSize), tile);
        out.next();
      }
    }
    if (leads) wait_stores();
  }
#endif
}
