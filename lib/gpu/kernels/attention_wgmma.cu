// softmax(scale * q k^T) v in one launch on Hopper's warpgroups, fed by the copy engine: sm_90a.
//   kHead     elements of a row: a multiple of 16, at most 128
//   kKeys     of a step: 64, 112 or 208
//   kOneStep  all keys are one step's: no score waits for a larger one to come
// A block is one warpgroup with 64 queries. Scores stay in registers and are the weights of the
// second product where they lie. Rows that are not there are zeros, which the copy engine fills in.
// Grid: (tiles of 64 queries, heads, batches). Dynamic shared memory: the queries, then keys and
// values of one step or two, rows of 128 bytes for each 64 elements, and 1024 bytes to align them.
#include "attention_mma.cuh"
#include "attention_params.h"
#include "bulk.cuh"
#include "half8.cuh"
#include "special.cuh"

using namespace dlaexec::gpu;

#if __CUDA_ARCH__ >= 900
/// What has become of 64 queries so far. A thread holds parts of rows lane / 4 and lane / 4 + 8 of
/// its warp's 16.
template <int kPanels, int kKeys>
struct Queries {
  float out[kPanels][32];
  float highest[2] = {-1e30f, -1e30f}, sum[2] = {0.f, 0.f};  // sum: of this thread's columns
  unsigned weights[kKeys / 16][4];

  /// Turns the scores of a step, of which @p left keys are there, into weights; @p scale is
  /// positive.
  /// @p again: there were steps before, whose sums shrink if a score is larger than all of theirs.
  __device__ __forceinline__ void weigh(float (&score)[kKeys / 2], int left, float scale,
                                        bool again) {
#pragma unroll
    for (int j = 0; j < kKeys / 8; ++j)
      if (j * 8 + 8 > left)
#pragma unroll
        for (int c = 0; c < 4; ++c)
          if (j * 8 + static_cast<int>(threadIdx.x) % 4 * 2 + c % 2 >= left)
            score[j * 4 + c] = -1e30f;
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      float most = score[r * 2];
#pragma unroll
      for (int j = 0; j < kKeys / 8; ++j)
        most = fmaxf(most, fmaxf(score[j * 4 + r * 2], score[j * 4 + r * 2 + 1]));
      most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, 1));
      most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, 2));
      most = fmaxf(highest[r], most * scale);
      const float scale_down = power_of_two(highest[r] - most);
      highest[r] = most;
      sum[r] *= scale_down;
      if (!again) continue;
#pragma unroll
      for (int panel = 0; panel < kPanels; ++panel)
#pragma unroll
        for (int j = 0; j < 16; ++j) out[panel][j / 2 * 4 + r * 2 + j % 2] *= scale_down;
    }
    // Both rows in one go: weights take the registers of the scores that they come from.
#pragma unroll
    for (int j = 0; j < kKeys / 8; ++j)
#pragma unroll
      for (int r = 0; r < 2; ++r) {
        const float low = power_of_two(fmaf(score[j * 4 + r * 2], scale, -highest[r]));
        const float high = power_of_two(fmaf(score[j * 4 + r * 2 + 1], scale, -highest[r]));
        sum[r] += low + high;
        weights[j / 2][j % 2 * 2 + r] = packed(low, high);
      }
  }

  /// The sum of row @p r over the threads that share it.
  __device__ __forceinline__ float whole_sum(int r) const {
    const float two = sum[r] + __shfl_xor_sync(0xffffffffu, sum[r], 1);
    return two + __shfl_xor_sync(0xffffffffu, two, 2);
  }
};
#endif

template <int kHead, int kKeys, bool kOneStep>
__global__ void __launch_bounds__(128, kHead <= 64 ? 3 : 1)
    attention_wgmma(const __grid_constant__ AttentionMaps all) {
#if __CUDA_ARCH__ >= 900
  constexpr int kPanels = (kHead + 63) / 64, kStages = kOneStep ? 1 : 2;
  constexpr int kQueryPanel = 64 * 128, kKeyPanel = kKeys * 128, kSide = kKeyPanel * kPanels;
  extern __shared__ unsigned char unaligned[];
  __shared__ __align__(8) unsigned long long barriers[1 + 2 * kStages];
  unsigned char* shared = unaligned + ((1024 - (shared_address(unaligned) & 1023)) & 1023);
  const AttentionParams& p = all.attention;
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, head = blockIdx.y, batch = blockIdx.z;
  const int steps = kOneStep ? 1 : (p.keys + kKeys - 1) / kKeys;
  const unsigned tile = shared_address(shared), sides = tile + kQueryPanel * kPanels;
  const Barrier queries_there{shared_address(barriers)};
  const auto keys_there = [&](int stage) { return Barrier{shared_address(barriers + 1 + stage)}; };
  const auto values_there = [&](int stage) {
    return Barrier{shared_address(barriers + 1 + kStages + stage)};
  };
  // A tile that is not full starts earlier, each head's by another number of warps, and leaves out
  // what is another's: the first warp's part of a multiprocessor would have more to do than others.
  const int tile_row = static_cast<int>(blockIdx.x) * 64;
  const int spare = tile_row == 0 ? 0 : 4 - min((p.queries - tile_row + 15) / 16, 4);
  const int first_row = tile_row - (head + batch) % (spare + 1) * 16,
            own_row = first_row + warp * 16;
  const bool idle = own_row < tile_row || own_row >= p.queries;
  const auto copy_rows = [&](unsigned to, const TensorMap& map, Barrier done, int rows, int first) {
    done.arrive_expecting(rows * 128 * kPanels);
#pragma unroll
    for (int panel = 0; panel < kPanels; ++panel)
      copy_box(to + panel * rows * 128, &map, done, panel * 64, head, first, batch);
  };
  const auto fetch = [&](int step) {
    if (step >= steps) return;
    const unsigned side = sides + step % kStages * 2 * kSide;
    copy_rows(side, all.k, keys_there(step % kStages), kKeys, step * kKeys);
    copy_rows(side + kSide, all.v, values_there(step % kStages), kKeys, step * kKeys);
  };
  prepare_barriers(barriers, [](int) { return 1; });
  wait_for_inputs();
  release_next();
  if (threadIdx.x == 0) {
    copy_rows(tile, all.q, queries_there, 64, first_row);
    for (int step = 0; step < kStages; ++step) fetch(step);
  }

  Queries<kPanels, kKeys> rows;
  const unsigned long long queries = tile_descriptor(tile);
  queries_there.wait(0);
  for (int step = 0; step < steps; ++step) {
    const int stage = step % kStages, phase = step / kStages & 1;
    const unsigned long long keys = tile_descriptor(sides + stage * 2 * kSide);
    const unsigned long long values = tile_descriptor(sides + stage * 2 * kSide + kSide);
    float score[kKeys / 2];
    keys_there(stage).wait(phase);
    fence_products();
#pragma unroll
    for (int i = 0; i < kHead / 16; ++i)
      GroupMma<half, kKeys>::run(score, queries + (i / 4 * kQueryPanel + i % 4 * 32) / 16,
                                 keys + (i / 4 * kKeyPanel + i % 4 * 32) / 16, i > 0);
    commit_products();
    wait_products<0>();
    hold(score);
    if (!idle) rows.weigh(score, p.keys - step * kKeys, p.scale, !kOneStep && step > 0);
    values_there(stage).wait(phase);
    fence_products();
#pragma unroll
    for (int i = 0; i < kKeys / 16; ++i)
#pragma unroll
      for (int panel = 0; panel < kPanels; ++panel)
        add_weighted(rows.out[panel], rows.weights[i], values + (panel * kKeyPanel + i * 2048) / 16,
                     i > 0 || (!kOneStep && step > 0));
    commit_products();
    wait_products<0>();
#pragma unroll
    for (int panel = 0; panel < kPanels; ++panel) hold(rows.out[panel]);
    __syncthreads();  // nobody reads this step's rows, or queries after the last, any more
    if (threadIdx.x == 0) fetch(step + kStages);
  }
  if (idle) return;

  // Each warp's results take the place of its queries and leave 16 bytes a thread.
  unsigned char* own = shared + warp * 16 * 128;
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    const float inverse = 1.f / rows.whole_sum(r);
#pragma unroll
    for (int panel = 0; panel < kPanels; ++panel)
#pragma unroll
      for (int j = 0; j < 8; ++j)
        *reinterpret_cast<unsigned*>(own + panel * kQueryPanel +
                                     swizzled<128>(r * 8 + lane / 4, j) + lane % 4 * 4) =
            packed(rows.out[panel][j * 4 + r * 2] * inverse,
                   rows.out[panel][j * 4 + r * 2 + 1] * inverse);
  }
  __syncwarp();
  half* y = static_cast<half*>(p.y) + batch * p.y_rows.batch + head * p.y_rows.head;
  constexpr int kChunks = kHead / 8;
#pragma unroll
  for (int i = lane; i < 16 * kChunks; i += 32) {
    const int row = i / kChunks, chunk = i % kChunks;
    if (own_row + row < p.queries)
      *reinterpret_cast<uint4*>(y + (own_row + row) * p.y_rows.row + chunk * 8) =
          *reinterpret_cast<const uint4*>(own + chunk / 8 * kQueryPanel +
                                          swizzled<128>(row, chunk % 8));
  }
#endif
}
