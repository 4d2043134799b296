// Convolution of few channels whose taps share one copy of their inputs, fed by the copy engine:
// sm_90a.
//   In, Out   half, signed char; Act as in conv_mma.cu
//   kK        output channels: 64 or 128, some of them may only pad
//   kRow      bytes of a pixel in shared memory: 64 or 128
//   kTaps     of the window, in all
//   kGroups   warpgroups that multiply: 2, or 3 where they need few registers
//   kPixels   in shared memory, of the tile of inputs that each warpgroup has there
// A tile is rows of an image with their borders, at most 128 pixels, and lies in shared memory with
// the rows around it, one pixel after the other: so a tap reads the same rows of the implicit
// matrix, from another pixel on. What comes out between the rows means nothing and is not written.
// Weights stay. Stride and dilation are 1. A thread of the last warpgroup feeds the others, which
// take every so-many-th tile. Two take turns: one multiplies while the other finishes its sums and
// sends them out; else both would multiply together, and then both finish.
// Grid: a block for each tile, or fewer. Dynamic shared memory: product_halo.cpp.
#include "bulk.cuh"
#include "panel.cuh"
#include "wgmma.cuh"

template <class In, class Out, class Act, int kK, int kRow, int kTaps, int kGroups, int kPixels>
__global__ void __launch_bounds__((kGroups + 1) * 128, 1)
    conv_halo(const __grid_constant__ HaloParams all) {
#if __CUDA_ARCH__ >= 900
  using SumType = typename Sum<In>::type;
  constexpr int kOutSize = static_cast<int>(sizeof(Out));
  constexpr int kPanel = kK * kOutSize < 128 ? kK * kOutSize : 128;
  constexpr int kPanels = kK * kOutSize / kPanel, kPanelBytes = 128 * kPanel;
  using Way = PanelWay<In, Out, Nothing, Act, kPanel>;
  constexpr int kInput = kPixels * kRow, kWeight = kK * kRow;
  extern __shared__ __align__(1024) unsigned char shared_memory[];
  __shared__ __align__(8) unsigned long long barriers[3 * kGroups + 1];
  const auto input_there = [&](int i) { return Barrier{shared_address(barriers + i)}; };
  const auto input_free = [&](int i) { return Barrier{shared_address(barriers + kGroups + i)}; };
  const Barrier weights_there{shared_address(barriers + 2 * kGroups)};
  constexpr bool kTakesTurns = kGroups == 2;
  const auto turn = [&](int group) {
    return Barrier{shared_address(barriers + 2 * kGroups + 1 + group)};
  };
  const unsigned weights = (shared_address(shared_memory) + 1023) & ~1023u;
  const unsigned inputs = weights + kTaps * kWeight, outs = inputs + kGroups * kInput;
  const ConvParams& p = all.conv;
  const int group = threadIdx.x / 128;

  prepare_barriers(barriers, [](int) { return 1; });

  if (group == kGroups) {
    give_registers_back<kGroups == 2 ? 40 : 32>();
    if (threadIdx.x == kGroups * 128) {
      weights_there.arrive_expecting(kTaps * kWeight);
      for (int tap = 0; tap < kTaps; ++tap)
        copy_columns<Out>(weights + tap * kWeight, &all.weights, weights_there,
                          tap * (p.channel_bytes / static_cast<int>(sizeof(In))), 0);
      wait_for_inputs();
      Ring<kGroups> ring;
      for (int tile = blockIdx.x; tile < p.tiles; tile += gridDim.x) {
        input_free(ring.stage).wait(ring.phase ^ 1);
        input_there(ring.stage).arrive_expecting(all.input_bytes);
        copy_box(inputs + ring.stage * kInput, &all.x, input_there(ring.stage), 0, -p.pad_w,
                 tile % all.bands * all.rows - p.pad_h, tile / all.bands);
        ring.next();
      }
      release_next();
    }
  } else {
    take_registers<kGroups == 2 ? 232 : 160>();
    wait_for_inputs();
    const bool leads = threadIdx.x % 128 == 0;
    const unsigned panels = outs + group * kPanels * kPanelBytes;
    unsigned phase = 0;
    weights_there.wait(0);
    for (int tile = blockIdx.x + group * gridDim.x; tile < p.tiles; tile += kGroups * gridDim.x) {
      SumType sums[2][kK / 2];
#pragma unroll
      for (int i = 0; i < kK / 2; ++i) sums[0][i] = sums[1][i] = 0;
      input_there(group).wait(phase);
      if constexpr (kTakesTurns) turn(group).wait(group == 0 ? phase ^ 1 : phase);
      phase ^= 1;
      unsigned long long row = tile_descriptor<kRow>(inputs + group * kInput);
      unsigned long long tap = tile_descriptor<kRow>(weights);
      for (int h = 0; h < p.taps_h; ++h, row = further(row, all.row_pixels * kRow))
        for (int w = 0; w < p.taps_w; ++w, tap = further(tap, kWeight)) {
          fence_products();
#pragma unroll
          for (int step = 0; step < kRow / 32; ++step)
#pragma unroll
            for (int m = 0; m < 2; ++m)
              GroupMma<In, kK>::run(sums[m], further(row, (m * 64 + w) * kRow + step * 32),
                                    further(tap, step * 32), 1);
          commit_products();
          if constexpr (kTakesTurns) wait_products<1>();  // the turn ends when the sums do
        }
      if (kTakesTurns && leads) turn(group ^ 1).arrive();
      wait_products<0>();
      hold(sums[0]);
      hold(sums[1]);
      if (leads) {
        input_free(group).arrive();
        wait_stores_read<0>();
      }
      group_barrier(group);  // its first thread has seen the last results leave
#pragma unroll
      for (int i = 0; i < kPanels; ++i)
#pragma unroll
        for (int m = 0; m < 2; ++m)
          Way::finish(p, panels + i * kPanelBytes + m * 64 * kPanel, i * (kPanel / kOutSize),
                      sums[m], i * Way::kSums);
      fence_copies();
      group_barrier(group);
      if (leads) {
        for (int i = 0; i < kPanels; ++i)
          store_box(&all.y, panels + i * kPanelBytes, i * (kPanel / kOutSize), 0,
                    tile % all.bands * all.rows, tile / all.bands);
        commit_stores();
      }
    }
    if (leads) wait_stores();
  }
#endif
}
