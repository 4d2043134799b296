// softmax(scale * q k^T) v in one launch, sums and exponentials in float: sm_75 and later.
//   kHead    elements of a row: a multiple of 16, at most 128
//   kWarps   of a block
// Keys and values pass through shared memory 64 rows a step; a row's largest score and its sum
// follow along, so that no score is ever stored. In attention() each warp has 16 queries and takes
// every step; in attention_shared_queries(), for few queries, the warps share 16 queries and take
// turns at the steps. Grid: (tiles of queries, heads, batches). Dynamic shared memory:
// attention_shared_bytes.
#include "attention_params.h"
#include "half8.cuh"
#include "mma.cuh"
#include "special.cuh"

using namespace dlaexec::gpu;

__device__ __forceinline__ void load_matrix_x4_turned(unsigned (&r)[4], unsigned address) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(address)
               : "memory");
}
constexpr int kStepKeys = 64;

template <int kHead>
inline constexpr int kPitch = kHead * 2 + 16;  // bytes of a row; 16 keep banks apart

/// Starts copying rows [first, first + kRows); rows that are not there become zeros.
template <int kHead, int kRows, int kThreads>
__device__ __forceinline__ void copy_rows(unsigned to, const half* from, long long row_step,
                                          int first, int rows) {
  constexpr int kChunks = kHead / 8;
#pragma unroll
  for (int i = threadIdx.x; i < kRows * kChunks; i += kThreads) {
    const int row = i / kChunks, chunk = i % kChunks;
    const bool valid = first + row < rows;
    copy_async(to + row * kPitch<kHead> + chunk * 16,
               valid ? from + (first + row) * row_step + chunk * 8 : from, valid);
  }
}

/// 16 queries of a warp and what has become of them so far. A thread holds parts of rows lane / 4
/// and lane / 4 + 8.
template <int kHead>
struct Queries {
  unsigned query[kHead / 16][4];
  float out[kHead / 8][4] = {};
  float highest[2] = {-1e30f, -1e30f}, sum[2] = {0.f, 0.f};  // sum: of this thread's columns

  __device__ __forceinline__ void load(unsigned tile) {
    const int lane = threadIdx.x % 32;
#pragma unroll
    for (int i = 0; i < kHead / 16; ++i)
      load_matrix_x4(query[i], tile + lane % 16 * kPitch<kHead> + (i * 2 + lane / 16) * 16);
  }

  /// Adds the values of a step, of which @p left keys are there; @p scale is positive.
  __device__ __forceinline__ void add(unsigned keys, unsigned values, int left, float scale) {
    const int lane = threadIdx.x % 32;
    float score[kStepKeys / 8][4] = {};
#pragma unroll
    for (int j = 0; j < kStepKeys / 8; j += 2) {
      if (j * 8 >= left) break;
#pragma unroll
      for (int i = 0; i < kHead / 16; ++i) {
        unsigned both[4];
        load_matrix_x4(both, keys + (j * 8 + lane / 16 * 8 + lane % 8) * kPitch<kHead> +
                                 (i * 2 + lane / 8 % 2) * 16);
        const unsigned first[2] = {both[0], both[1]}, second[2] = {both[2], both[3]};
        Mma<half>::run(score[j], query[i], first);
        Mma<half>::run(score[j + 1], query[i], second);
      }
    }
    if (left < kStepKeys)
#pragma unroll
      for (int j = 0; j < kStepKeys / 8; ++j)
#pragma unroll
        for (int c = 0; c < 4; ++c)
          if (j * 8 + lane % 4 * 2 + c % 2 >= left) score[j][c] = -1e30f;
    float scale_down[2];
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      float most = score[0][r * 2];
#pragma unroll
      for (int j = 0; j < kStepKeys / 8; ++j)
        most = fmaxf(most, fmaxf(score[j][r * 2], score[j][r * 2 + 1]));
      most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, 1));
      most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, 2));
      most = fmaxf(highest[r], most * scale);
      scale_down[r] = power_of_two(highest[r] - most);
      highest[r] = most;
      float part = 0.f;
#pragma unroll
      for (int j = 0; j < kStepKeys / 8; ++j)
#pragma unroll
        for (int c = 0; c < 2; ++c) {
          float& x = score[j][r * 2 + c];
          x = power_of_two(fmaf(x, scale, -most));
          part += x;
        }
      sum[r] = sum[r] * scale_down[r] + part;
    }
#pragma unroll
    for (int j = 0; j < kHead / 8; ++j)
#pragma unroll
      for (int c = 0; c < 4; ++c) out[j][c] *= scale_down[c / 2];
#pragma unroll
    for (int i = 0; i < kStepKeys / 16; ++i) {
      if (i * 16 >= left) break;
      const unsigned weights[4] = {packed(score[2 * i][0], score[2 * i][1]),
                                   packed(score[2 * i][2], score[2 * i][3]),
                                   packed(score[2 * i + 1][0], score[2 * i + 1][1]),
                                   packed(score[2 * i + 1][2], score[2 * i + 1][3])};
#pragma unroll
      for (int j = 0; j < kHead / 8; j += 2) {
        unsigned both[4];
        load_matrix_x4_turned(both,
                              values + (i * 16 + lane % 16) * kPitch<kHead> + (j + lane / 16) * 16);
        const unsigned first[2] = {both[0], both[1]}, second[2] = {both[2], both[3]};
        Mma<half>::run(out[j], weights, first);
        Mma<half>::run(out[j + 1], weights, second);
      }
    }
  }

  /// The sum of row @p r over the threads that share it.
  __device__ __forceinline__ float whole_sum(int r) const {
    const float two = sum[r] + __shfl_xor_sync(0xffffffffu, sum[r], 1);
    return two + __shfl_xor_sync(0xffffffffu, two, 2);
  }
};

/// Where the block's head starts.
__device__ __forceinline__ const half* head_of(const void* base, const AttentionRows& rows) {
  return static_cast<const half*>(base) + blockIdx.z * rows.batch + blockIdx.y * rows.head;
}

template <int kHead, int kWarps>
__global__ void __launch_bounds__(kWarps * 32)
    attention(const __grid_constant__ AttentionParams p) {
  constexpr int kRow = kPitch<kHead>, kSide = kStepKeys * kRow, kThreads = kWarps * 32;
  extern __shared__ __align__(128) unsigned char shared[];
  const unsigned q_tile = shared_address(shared), sides = q_tile + kWarps * 16 * kRow;
  const int first_query = blockIdx.x * kWarps * 16;
  const int steps = (p.keys + kStepKeys - 1) / kStepKeys;
  const half *k = head_of(p.k, p.k_rows), *v = head_of(p.v, p.v_rows);
  const auto fetch = [&](int step) {
    const unsigned to = sides + step % 2 * 2 * kSide;
    if (step < steps) {
      copy_rows<kHead, kStepKeys, kThreads>(to, k, p.k_rows.row, step * kStepKeys, p.keys);
      copy_rows<kHead, kStepKeys, kThreads>(to + kSide, v, p.v_rows.row, step * kStepKeys, p.keys);
    }
    commit_copies();
  };
  wait_for_inputs();
  release_next();
  copy_rows<kHead, kWarps * 16, kThreads>(q_tile, head_of(p.q, p.q_rows), p.q_rows.row, first_query,
                                          p.queries);
  fetch(0);
  fetch(1);
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const bool idle = first_query + warp * 16 >= p.queries;
  Queries<kHead> rows;
  for (int step = 0; step < steps; ++step) {
    wait_copies<1>();
    __syncthreads();
    if (step == 0) rows.load(q_tile + warp * 16 * kRow);
    const unsigned keys = sides + step % 2 * 2 * kSide;
    if (!idle) rows.add(keys, keys + kSide, p.keys - step * kStepKeys, p.scale);
    __syncthreads();  // nobody reads this step's rows any more
    fetch(step + 2);
  }

  // Each warp's results take the place of its queries and leave 16 bytes a thread.
  unsigned char* own = shared + warp * 16 * kRow;
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    const float inverse = 1.f / rows.whole_sum(r);
#pragma unroll
    for (int j = 0; j < kHead / 8; ++j)
      *reinterpret_cast<unsigned*>(own + (r * 8 + lane / 4) * kRow + j * 16 + lane % 4 * 4) =
          packed(rows.out[j][r * 2] * inverse, rows.out[j][r * 2 + 1] * inverse);
  }
  __syncwarp();
  half* y = const_cast<half*>(head_of(p.y, p.y_rows));
  constexpr int kChunks = kHead / 8;
#pragma unroll
  for (int i = lane; i < 16 * kChunks; i += 32) {
    const int row = i / kChunks, chunk = i % kChunks, at = first_query + warp * 16 + row;
    if (at < p.queries)
      *reinterpret_cast<uint4*>(y + at * p.y_rows.row + chunk * 8) =
          *reinterpret_cast<const uint4*>(own + row * kRow + chunk * 16);
  }
}

template <int kHead, int kWarps>
__global__ void __launch_bounds__(kWarps * 32)
    attention_shared_queries(const __grid_constant__ AttentionParams p) {
  constexpr int kRow = kPitch<kHead>, kThreads = kWarps * 32, kKeys = kWarps * kStepKeys;
  constexpr int kSide = kKeys * kRow, kFloats = kHead + 4;
  extern __shared__ __align__(128) unsigned char shared[];
  __shared__ float highest[kWarps][16], sums[kWarps][16];
  const unsigned q_tile = shared_address(shared), keys = q_tile + 16 * kRow, values = keys + kSide;
  const half *k = head_of(p.k, p.k_rows), *v = head_of(p.v, p.v_rows);
  const int first_query = blockIdx.x * 16, lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  wait_for_inputs();
  release_next();
  copy_rows<kHead, 16, kThreads>(q_tile, head_of(p.q, p.q_rows), p.q_rows.row, first_query,
                                 p.queries);
  Queries<kHead> rows;
  for (int first = 0; first < p.keys; first += kKeys) {
    copy_rows<kHead, kKeys, kThreads>(keys, k, p.k_rows.row, first, p.keys);
    copy_rows<kHead, kKeys, kThreads>(values, v, p.v_rows.row, first, p.keys);
    commit_copies();
    wait_copies<0>();
    __syncthreads();
    if (first == 0) rows.load(q_tile);
    const int left = p.keys - first - warp * kStepKeys;
    const unsigned step = warp * kStepKeys * kRow;
    if (left > 0) rows.add(keys + step, values + step, left, p.scale);
    __syncthreads();
  }
  // The warps' parts meet where the keys were, each with its own largest score.
  float* parts = reinterpret_cast<float*>(shared + 16 * kRow);
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    const int row = r * 8 + lane / 4;
    const float sum = rows.whole_sum(r);
    if (lane % 4 == 0) {
      highest[warp][row] = rows.highest[r];
      sums[warp][row] = sum;
    }
#pragma unroll
    for (int j = 0; j < kHead / 8; ++j)
      *reinterpret_cast<float2*>(parts + (warp * 16 + row) * kFloats + j * 8 + lane % 4 * 2) =
          make_float2(rows.out[j][r * 2], rows.out[j][r * 2 + 1]);
  }
  __syncthreads();
  half* y = const_cast<half*>(head_of(p.y, p.y_rows));
  for (int i = threadIdx.x; i < 16 * kHead / 2; i += kThreads) {
    const int row = i / (kHead / 2), column = i % (kHead / 2) * 2;
    float most = highest[0][row];
#pragma unroll
    for (int w = 1; w < kWarps; ++w) most = fmaxf(most, highest[w][row]);
    float sum = 0.f, a = 0.f, b = 0.f;
#pragma unroll
    for (int w = 0; w < kWarps; ++w) {
      const float share = power_of_two(highest[w][row] - most);
      const float2 part =
          *reinterpret_cast<const float2*>(parts + (w * 16 + row) * kFloats + column);
      sum = fmaf(share, sums[w][row], sum);
      a = fmaf(share, part.x, a);
      b = fmaf(share, part.y, b);
    }
    if (first_query + row < p.queries)
      *reinterpret_cast<unsigned*>(y + (first_query + row) * p.y_rows.row + column) =
          packed(a / sum, b / sum);
  }
}
