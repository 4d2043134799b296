// Two 1 x 1 layers as one launch, fed by the copy engine: sm_90a. The first makes many channels of
// few, and writes them; the second makes few of many again, and reads them from the shared memory
// in which they wait to be written.
//   T           half, signed char: of everything; Residual: T or Nothing, added by the first
//   Act1, Act2  activations
//   kSteps      32-byte steps along the first layer's sum
//   kShortcut   along the sum of a layer that makes the residual; 0: it comes from memory
//   kAccess     of the first layer's input; kShortcutAccess: of the shortcut's
//   kGroups     warpgroups that multiply: 2, or 3 where they need few registers
//   kLast       columns of the second layer: 64, 128 or 256, some of them may only pad
//   kInputs     tiles of inputs in shared memory
//   kWeights    tiles of weights, of both layers by turns; kStay: all that there are
//   kOuts       panels of results of each warpgroup, which their residuals come to
// A panel is 64 pixels x 128 bytes. Each warpgroup takes 64 of a tile's pixels and goes through the
// first layer's columns panel by panel: product, way out in place of the residual, then the
// copy engine carries the panel out while it is multiplied with the second layer's weights.
// Grid: a block for each tile, or fewer. Dynamic shared memory: Tactic::bytes of
// pair_bulk.cpp.
#include "bulk.cuh"
#include "pair_params.h"
#include "panel.cuh"
#include "wgmma.cuh"

#if __CUDA_ARCH__ >= 900
/// Copies @p pieces of 128 bytes of kRows pixels, from output pixel @p pixel of @p conv on.
template <Access kAccess, class T, int kRows>
__device__ __forceinline__ void copy_pixels(unsigned to, const TensorMap& map,
                                            const ConvParams& conv, Barrier done, int pieces,
                                            int pixel) {
  constexpr int kElements = 128 / static_cast<int>(sizeof(T)), kPiece = kRows * 128;
  const int image = pixel / (conv.out_h * conv.out_w), rest = pixel % (conv.out_h * conv.out_w);
  const int h = rest / conv.out_w * conv.stride_h, w = rest % conv.out_w * conv.stride_w;
  for (int i = 0; i < pieces; ++i)
    if constexpr (kAccess == Patches)
      copy_patches(to + i * kPiece, &map, done, i * kElements, w, h, image, 0, 0);
    else
      copy_box(to + i * kPiece, &map, done, i * kElements, pixel);
}

/// The product of 64 of kRows pixels at @p x with a panel's columns at @p weights.
template <class T, int kSteps, int kRows, class SumType, int kCount>
__device__ __forceinline__ void multiply(SumType (&sums)[kCount], unsigned x, unsigned weights) {
  const unsigned long long a = tile_descriptor(x), b = tile_descriptor(weights);
  fence_products();
#pragma unroll
  for (int i = 0; i < kSteps; ++i)
    GroupMma<T, kCount * 2>::run(sums, further(a, i / 4 * kRows * 128 + i % 4 * 32),
                                 further(b, i / 4 * kCount * 256 + i % 4 * 32), i > 0);
  commit_products();
  wait_products<0>();
  hold(sums);
}
#endif

template <class T, class Residual, class Act1, class Act2, int kSteps, int kShortcut,
          Access kAccess, Access kShortcutAccess, int kGroups, int kLast, int kInputs, int kWeights,
          bool kStay, int kOuts>
__global__ void __launch_bounds__((kGroups + 1) * 128, 1)
    pair_bulk(const __grid_constant__ PairBulkParams p) {
#if __CUDA_ARCH__ >= 900
  using SumType = typename Sum<T>::type;
  constexpr int kSize = static_cast<int>(sizeof(T)), kColumns = 128 / kSize;
  constexpr int kRows = kGroups * 64, kPanel = 64 * 128;
  constexpr int kIn = (kSteps + 3) / 4, kIn0 = (kShortcut + 3) / 4;  // 128-byte pieces of a pixel
  constexpr int kInput = (kIn + kIn0) * kRows * 128;
  constexpr int kMost = kIn > kIn0 ? kIn : kIn0, kSecond = kLast * 128;
  constexpr int kFirst = kMost * kColumns * 128, kWeight = kFirst > kSecond ? kFirst : kSecond;
  constexpr int kLastRow = kLast * kSize < 128 ? kLast * kSize : 128;  // bytes of a panel's row
  constexpr int kLasts = kLast * kSize / kLastRow;
  using Way0 = PanelWay<T, T, Nothing, None, 128>;
  using Way1 = PanelWay<T, T, Residual, Act1, 128>;
  using Way2 = PanelWay<T, T, Nothing, Act2, kLastRow>;

  extern __shared__ __align__(1024) unsigned char shared_memory[];
  __shared__ __align__(8) unsigned long long barriers[2 * (kWeights + kInputs) + kGroups * kOuts];
  const auto barrier = [&](int i) { return Barrier{shared_address(barriers + i)}; };
  const auto weights_free = [&](int i) { return barrier(i); };
  const auto input_free = [&](int i) { return barrier(kWeights + i); };
  const auto weights_there = [&](int i) { return barrier(kWeights + kInputs + i); };
  const auto input_there = [&](int i) { return barrier(2 * kWeights + kInputs + i); };
  const int group = threadIdx.x / 128;
  const auto panel_there = [&](int i) {
    return barrier(2 * (kWeights + kInputs) + group * kOuts + i);
  };
  const unsigned weights = (shared_address(shared_memory) + 1023) & ~1023u;
  const unsigned inputs = weights + kWeights * kWeight;
  const unsigned panels = inputs + kInputs * kInput + group * kOuts * kPanel;

  // Each warpgroup frees weights and inputs.
  constexpr int kFrees = kWeights + kInputs;
  prepare_barriers(barriers, [](int i) { return i < kFrees ? kGroups : 1; });

  if (group == kGroups) {
    give_registers_back<kGroups == 2 ? 40 : 32>();
    if (threadIdx.x == kGroups * 128) {
      Ring<kWeights> ring;
      const auto copy_tile = [&](const TensorMap& map, int pieces, int columns, int c, int k) {
        if constexpr (!kStay) weights_free(ring.stage).wait(ring.phase ^ 1);
        const Barrier there = weights_there(ring.stage);
        there.arrive_expecting(pieces * columns * 128);
        for (int i = 0; i < pieces; ++i)
          copy_columns<T>(weights + ring.stage * kWeight + i * columns * 128, &map, there,
                          c + i * kColumns, k);
        ring.next();
      };
      for (int tile = blockIdx.x; tile < p.tiles; tile += gridDim.x) {
        for (int chunk = 0; chunk < p.chunks; ++chunk) {
          if constexpr (kShortcut > 0)
            copy_tile(p.shortcut_weights, kIn0, kColumns, 0, chunk * kColumns);
          copy_tile(p.first_weights, kIn, kColumns, 0, chunk * kColumns);
          copy_tile(p.second_weights, 1, kLast, chunk * kColumns, 0);
        }
        if (kStay) break;
      }
    } else if (threadIdx.x == kGroups * 128 + 32) {
      wait_for_inputs();
      Ring<kInputs> ring;
      for (int tile = blockIdx.x; tile < p.tiles; tile += gridDim.x) {
        input_free(ring.stage).wait(ring.phase ^ 1);
        const unsigned to = inputs + ring.stage * kInput;
        input_there(ring.stage).arrive_expecting(kInput);
        copy_pixels<kAccess, T, kRows>(to, p.x, p.first, input_there(ring.stage), kIn,
                                       tile * kRows);
        if constexpr (kShortcut > 0)
          copy_pixels<kShortcutAccess, T, kRows>(to + kIn * kRows * 128, p.shortcut_x, p.shortcut,
                                                 input_there(ring.stage), kIn0, tile * kRows);
        ring.next();
      }
      release_next();
    }
  } else {
    take_registers<kGroups == 2 ? 232 : 160>();
    wait_for_inputs();
    const bool leads = threadIdx.x % 128 == 0;
    const auto panel = [&](int i) { return panels + i * kPanel; };
    // Gives free panels to what comes to them, in the order of their use.
    int next_tile = blockIdx.x, next_panel = 0;
    const auto grant = [&](int i) {
      if (next_tile >= p.tiles) return;
      if (Way1::kAdds && kShortcut == 0 && next_panel < p.chunks) {
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
    const auto publish = [&] {
      fence_copies();
      group_barrier(group);
    };
    // Carries a panel out; the one before it has been read by now, and multiplied.
    bool is_first = true;
    const auto send = [&](int i, const void* map, int column, int tile) {
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
        if constexpr (kShortcut > 0) {
          wait_for_weights();
          multiply<T, kShortcut, kRows>(sums, x + kIn * kRows * 128,
                                        weights + ring.stage * kWeight);
          free_weights(ring.stage);
          if (chunk > 0) free_weights(second_stage);
          ring.next();
          panel_there(out.stage).wait(out.phase);
          Way0::finish(p.shortcut, panel(out.stage), chunk * kColumns, sums, 0);
          __syncwarp();  // a warp's threads read what others of it have written, no other warp's
        }
        wait_for_weights();
        multiply<T, kSteps, kRows>(sums, x, weights + ring.stage * kWeight);
        free_weights(ring.stage);
        if (kShortcut == 0 && chunk > 0) free_weights(second_stage);
        if (chunk == p.chunks - 1 && leads) input_free(input.stage).arrive();
        ring.next();

        if constexpr (kShortcut == 0) panel_there(out.stage).wait(out.phase);
        Way1::finish(p.first, panel(out.stage), chunk * kColumns, sums, 0);
        publish();

        wait_for_weights();
        const unsigned long long wide = tile_descriptor(panel(out.stage));
        const unsigned long long second = tile_descriptor(weights + ring.stage * kWeight);
        fence_products();
#pragma unroll
        for (int i = 0; i < 4; ++i)
          GroupMma<T, kLast>::run(last, further(wide, i * 32), further(second, i * 32),
                                  i > 0 || chunk > 0);
        commit_products();
        second_stage = ring.stage;
        ring.next();
        send(out.stage, &p.wide, chunk * kColumns, tile);
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
        publish();
        send(out.stage, &p.narrow, i * (kLastRow / kSize), tile);
        out.next();
      }
    }
    if (leads) wait_stores();
  }
#endif
}
