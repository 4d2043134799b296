// Convolution as an implicit matrix product on Hopper's warpgroups, fed by the copy engine: sm_90a.
//   In, Out      half, signed char; Residual: Out or Nothing; Act, kAccess as in conv_mma.cu
//   kTileRows    output pixels of a tile: 64 or 128
//   kTileK       output channels of a tile: 64, 128 or 256
//   kStages      tiles of both sides in shared memory
//   kPair        1, or 2: blocks of a cluster that share each tile of weights
//   kOuts        tiles of results of a warpgroup: 2 when residuals come a tile ahead, else 1
// Three warpgroups: one thread of the last feeds the other two, which take turns at tiles: one
// multiplies while the other finishes its sums and sends them out.
// Grid: kPair times the tiles' pairs, or fewer: a pair takes every so-many-th. The tile along k runs
// fastest. Dynamic shared memory: ProductTactic::shared_bytes.
#include "bulk.cuh"
#include "cluster.cuh"
#include "conv.cuh"
#include "wgmma.cuh"

#if __CUDA_ARCH__ >= 900
/// Counts through the ring of stages.
template <int kStages>
struct Ring {
  int stage = 0;
  unsigned phase = 0;
  __device__ __forceinline__ void next() {
    if (++stage == kStages) {
      stage = 0;
      phase ^= 1;
    }
  }
  __device__ __forceinline__ void skip(int steps) {
    stage += steps;
    phase ^= stage / kStages & 1;
    stage %= kStages;
  }
};
#endif

template <class In, class Out, class Residual, class Act, int kTileRows, int kTileK, int kStages,
          Access kAccess, int kPair, int kOuts>
__global__ void __launch_bounds__(384, 1) conv_bulk(const __grid_constant__ BulkParams all) {
#if __CUDA_ARCH__ >= 900
  using SumType = typename Sum<In>::type;
  using Way = Direct<In, Out, Residual, Act, kTileRows, kTileK, 128>;
  constexpr bool kAdds = Way::kAdds;
  constexpr int kATile = kTileRows * 128, kBTile = kTileK * 128, kStage = kATile + kBTile;
  constexpr int kPanel = kTileK * static_cast<int>(sizeof(Out)) < 128 ? kTileK * static_cast<int>(sizeof(Out)) : 128;
  constexpr int kPanels = kTileK * static_cast<int>(sizeof(Out)) / kPanel;
  constexpr int kOut = kTileRows * kPanel * kPanels;
  extern __shared__ __align__(1024) unsigned char shared_memory[];
  __shared__ __align__(8) unsigned long long barriers[2 * kStages + 6];
  unsigned char* shared = shared_memory + ((1024 - (shared_address(shared_memory) & 1023)) & 1023);
  const unsigned tiles = shared_address(shared), outs = tiles + kStages * kStage;
  const ConvParams& p = all.conv;
  const auto full = [&](int stage) { return Barrier{shared_address(barriers + stage)}; };
  const auto empty = [&](int stage) { return Barrier{shared_address(barriers + kStages + stage)}; };
  const auto turn = [&](int group) { return Barrier{shared_address(barriers + 2 * kStages + group)}; };
  const auto residual_there = [&](int out) {
    return Barrier{shared_address(barriers + 2 * kStages + 2 + out)};
  };
  const int rank = kPair == 1 ? 0 : blockIdx.x % kPair;
  const int pairs = ((p.pixels + kTileRows * kPair - 1) / (kTileRows * kPair)) * p.tiles_k;
  const int first = blockIdx.x / kPair, stride = gridDim.x / kPair;
  const int group = threadIdx.x / 128;
  const auto pixel_of = [&](int pair) { return (pair / p.tiles_k * kPair + rank) * kTileRows; };
  const auto k_of = [&](int pair) { return pair % p.tiles_k * kTileK; };

  if (threadIdx.x == 0) {
    for (int i = 0; i < kStages; ++i) {
      full(i).init(1);
      empty(i).init(kPair);
    }
    for (int i = 0; i < 2; ++i) turn(i).init(1);
    for (int i = 0; i < 4; ++i) residual_there(i).init(1);
    fence_barrier_init();
    fence_copies();
  }
  __syncthreads();
  if constexpr (kPair > 1) cluster_barrier();

  if (group == 2) {
    give_registers_back<40>();
    if (threadIdx.x == 256) {
      const auto copy_weights = [&](int stage, int pair, int element) {
        const unsigned to = tiles + stage * kStage + kATile;
        if constexpr (kPair == 1)
          copy_box(to, &all.weights, full(stage), element, k_of(pair));
        else
          copy_box_to_all(to + rank * (kBTile / kPair), &all.weights, full(stage), element,
                          k_of(pair) + rank * (kTileK / kPair), (1 << kPair) - 1);
      };
      const int tap_elements = p.channel_bytes / static_cast<int>(sizeof(In));
      // Weights of the first stages need not wait for other kernels.
      int early = 0;
      if (kPair == 1 && p.weights_batch_bytes == 0 && first < pairs)
        for (; early < kStages && early < p.steps; ++early) {
          full(early).arrive_expecting(kStage);
          copy_weights(early, first, early / all.steps_of_tap * tap_elements +
                                         early % all.steps_of_tap * all.elements);
        }
      wait_for_inputs();
      Ring<kStages> ring;
      for (int pair = first; pair < pairs; pair += stride) {
        const int pixel = pixel_of(pair);
        int image = 0, h = 0, w = 0;
        if constexpr (kAccess == Patches) {
          image = pixel / (p.out_h * p.out_w);
          const int rest = pixel - image * (p.out_h * p.out_w);
          h = rest / p.out_w;
          w = (rest - h * p.out_w) * p.stride_w - p.pad_w;
          h = h * p.stride_h - p.pad_h;
        }
        int piece = 0, tap_h = 0, tap_w = 0, tap = 0;
        for (int step = 0; step < p.steps; ++step) {
          const bool weights_there = early > 0;
          if (weights_there) {
            --early;
          } else {
            empty(ring.stage).wait(ring.phase ^ 1);
            full(ring.stage).arrive_expecting(kStage);
            copy_weights(ring.stage, pair, tap * tap_elements + piece * all.elements);
          }
          const unsigned to = tiles + ring.stage * kStage;
          if constexpr (kAccess == Patches)
            copy_patches(to, &all.x, full(ring.stage), piece * all.elements, w, h, image,
                         static_cast<unsigned short>(tap_w * p.dilation_w),
                         static_cast<unsigned short>(tap_h * p.dilation_h));
          else
            copy_box(to, &all.x, full(ring.stage), piece * all.elements, pixel);
          ring.next();
          if (++piece == all.steps_of_tap) {
            piece = 0;
            ++tap;
            if (++tap_w == p.taps_w) {
              tap_w = 0;
              ++tap_h;
            }
          }
        }
      }
    }
  } else {
    take_registers<232>();
    wait_for_inputs();
    const int lane = threadIdx.x % 32, own_row = threadIdx.x % 128 / 32 * 16 + lane / 4;
    const bool leads = threadIdx.x % 128 == 0;
    const auto fetch_residual = [&](int pair, int buffer) {
      if (pair >= pairs) return;
      const Barrier there = residual_there(group * kOuts + buffer);
      there.arrive_expecting(kOut);
      for (int i = 0; i < kPanels; ++i)
        copy_box(outs + (group * kOuts + buffer) * kOut + i * kTileRows * kPanel, &all.residual, there,
                 k_of(pair) + i * (kPanel / static_cast<int>(sizeof(Out))), pixel_of(pair));
    };
    Ring<kStages> ring;
    if (group == 1) ring.skip(p.steps);
    unsigned turn_phase = group ^ 1;
    int turns = 0;
    if (kOuts == 2 && leads) fetch_residual(first + group * stride, 0);
    for (int pair = first + group * stride; pair < pairs; pair += 2 * stride) {
      const int first_pixel = pixel_of(pair), first_k = k_of(pair);
      const int buffer = turns % kOuts;
      unsigned char* out = shared + kStages * kStage + (group * kOuts + buffer) * kOut;
      if (leads) {
        wait_stores_read();  // the other tile of results, or the only one, is free again
        if constexpr (kAdds) fetch_residual(kOuts == 2 ? pair + 2 * stride : pair, kOuts == 2 ? buffer ^ 1 : 0);
      }
      SumType sums[kTileRows / 64][kTileK / 2];
#pragma unroll
      for (int m = 0; m < kTileRows / 64; ++m)
#pragma unroll
        for (int i = 0; i < kTileK / 2; ++i) sums[m][i] = 0;
      // A stage's phases are told apart by their parity alone: nobody may wait for one that lies more
      // than one turn of the ring ahead, so the other warpgroup's tile must have gone through.
      turn(group).wait(turn_phase);
      turn_phase ^= 1;
      int last_stage = 0;
      for (int step = 0; step < p.steps; ++step) {
        full(ring.stage).wait(ring.phase);
        const unsigned a = tiles + ring.stage * kStage, b = a + kATile;
        fence_products();
#pragma unroll
        for (int i = 0; i < 4; ++i)
#pragma unroll
          for (int m = 0; m < kTileRows / 64; ++m)
            GroupMma<In, kTileK>::run(sums[m], tile_descriptor(a + m * 64 * 128 + i * 32),
                                      tile_descriptor(b + i * 32), 1);
        commit_products();
        wait_products<1>();
        if (step > 0 && leads) {
#pragma unroll
          for (int other = 0; other < kPair; ++other)
            if (kPair == 1)
              empty(last_stage).arrive();
            else
              empty(last_stage).arrive_at(other);
        }
        last_stage = ring.stage;
        ring.next();
      }
      if (leads) turn(group ^ 1).arrive();
      wait_products<0>();
      if (leads)
#pragma unroll
        for (int other = 0; other < kPair; ++other)
          if (kPair == 1)
            empty(last_stage).arrive();
          else
            empty(last_stage).arrive_at(other);
      release_next();
      ring.skip(p.steps);  // the other warpgroup's tile
      if constexpr (kAdds) {
        residual_there(group * kOuts + buffer).wait(turns / kOuts & 1);
      } else {
        group_barrier(group);  // its first thread has seen the tile of results free
      }
#pragma unroll
      for (int i = 0; i < kTileK / 8; ++i) {
        const int column = i * 8 + lane % 4 * 2, byte = column * static_cast<int>(sizeof(Out));
        const auto shares = Way::column(p, first_k + column);
        unsigned char* panel = out + byte / kPanel * kTileRows * kPanel + byte % 16;
#pragma unroll
        for (int m = 0; m < kTileRows / 64; ++m)
#pragma unroll
          for (int half_row = 0; half_row < 2; ++half_row) {
            const int row = m * 64 + own_row + half_row * 8;
            auto* at = reinterpret_cast<Vector<Out, 2>*>(panel +
                                                         swizzled<kPanel>(row, byte % kPanel / 16));
            Vector<Residual, 2> add;
            if constexpr (kAdds) add = *reinterpret_cast<const Vector<Residual, 2>*>(at);
            *at = Way::finished(p, shares, sums[m][i * 4 + half_row * 2],
                                sums[m][i * 4 + half_row * 2 + 1], add);
          }
      }
      fence_copies();
      group_barrier(group);
      if (leads) {
        for (int i = 0; i < kPanels; ++i)
          store_box(&all.y, outs + (group * kOuts + buffer) * kOut + i * kTileRows * kPanel,
                    first_k + i * (kPanel / static_cast<int>(sizeof(Out))), first_pixel);
        commit_stores();
      }
      ++turns;
    }
    if (leads) wait_stores();
  }
  if constexpr (kPair > 1) {
    __syncwarp();
    cluster_barrier();  // nobody leaves while others write to its memory
  }
#endif
}
