// softmax(scale * q k^T) v in one launch, sums and exponentials in float: sm_75 and later.
//   kHead    elements of a row: a multiple of 16, at most 128
//   kWarps   of a block, 16 queries each
// Keys and values pass through shared memory 64 rows at a time, two steps ahead; a row's largest score
// and its sum follow along, so that no score is ever stored.
// Grid: (ceil(queries / (16 * kWarps)), heads, batches). Dynamic shared memory: attention_shared_bytes.
#include "attention_params.h"
#include "mma.cuh"

using namespace dlaexec::gpu;

__device__ __forceinline__ void load_matrix_x4_turned(unsigned (&r)[4], unsigned address) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(address)
               : "memory");
}
/// Two halves in one word, the first in the low bits.
__device__ __forceinline__ unsigned packed(float low, float high) {
  return from_float<half>(low).bits | static_cast<unsigned>(from_float<half>(high).bits) << 16;
}
__device__ __forceinline__ float power_of_two(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

template <int kHead, int kWarps>
struct Attention {
  static constexpr int kKeys = 64;                // of one step
  static constexpr int kPitch = kHead * 2 + 16;   // bytes of a row; 16 keep banks apart
  static constexpr int kChunks = kHead / 8;       // 16-byte pieces of a row
  static constexpr int kThreads = kWarps * 32;
  static constexpr int kSide = kKeys * kPitch;    // keys or values of one step

  /// Starts copying @p kRows rows from @p first on; rows that are not there become zeros.
  template <int kRows>
  static __device__ __forceinline__ void copy(unsigned to, const half* from, long long row_step,
                                              int first, int rows) {
#pragma unroll
    for (int i = threadIdx.x; i < kRows * kChunks; i += kThreads) {
      const int row = i / kChunks, chunk = i % kChunks;
      const bool valid = first + row < rows;
      copy_async(to + row * kPitch + chunk * 16,
                 valid ? from + (first + row) * row_step + chunk * 8 : from, valid);
    }
  }
};

template <int kHead, int kWarps>
__global__ void __launch_bounds__(kWarps * 32) attention(const __grid_constant__ AttentionParams p) {
  using A = Attention<kHead, kWarps>;
  extern __shared__ __align__(128) unsigned char shared[];
  const unsigned q_tile = shared_address(shared), sides = q_tile + kWarps * 16 * A::kPitch;
  const int first_query = blockIdx.x * kWarps * 16;
  const int steps = (p.keys + A::kKeys - 1) / A::kKeys;
  const auto start = [&](const void* base, const AttentionRows& rows) {
    return static_cast<const half*>(base) + blockIdx.z * rows.batch + blockIdx.y * rows.head;
  };
  const half *q = start(p.q, p.q_rows), *k = start(p.k, p.k_rows), *v = start(p.v, p.v_rows);
  const auto fetch = [&](int step) {
    const unsigned to = sides + step % 2 * 2 * A::kSide;
    if (step < steps) {
      A::template copy<A::kKeys>(to, k, p.k_rows.row, step * A::kKeys, p.keys);
      A::template copy<A::kKeys>(to + A::kSide, v, p.v_rows.row, step * A::kKeys, p.keys);
    }
    commit_copies();
  };
  release_next();
  wait_for_inputs();
  A::template copy<kWarps * 16>(q_tile, q, p.q_rows.row, first_query, p.queries);
  fetch(0);
  fetch(1);

  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  unsigned query[kHead / 16][4];
  float out[kHead / 8][4] = {};
  float highest[2] = {-1e30f, -1e30f}, sum[2] = {0.f, 0.f};
  for (int step = 0; step < steps; ++step) {
    wait_copies<1>();
    __syncthreads();
    if (step == 0)
#pragma unroll
      for (int i = 0; i < kHead / 16; ++i)
        load_matrix_x4(query[i],
                       q_tile + (warp * 16 + lane % 16) * A::kPitch + (i * 2 + lane / 16) * 16);
    const unsigned keys = sides + step % 2 * 2 * A::kSide, values = keys + A::kSide;
    float score[A::kKeys / 8][4] = {};
#pragma unroll
    for (int i = 0; i < kHead / 16; ++i)
#pragma unroll
      for (int j = 0; j < A::kKeys / 8; j += 2) {
        unsigned both[4];
        load_matrix_x4(both, keys + (j * 8 + lane / 16 * 8 + lane % 8) * A::kPitch +
                                 (i * 2 + lane / 8 % 2) * 16);
        const unsigned first[2] = {both[0], both[1]}, second[2] = {both[2], both[3]};
        Mma<half>::run(score[j], query[i], first);
        Mma<half>::run(score[j + 1], query[i], second);
      }
    const int left = p.keys - step * A::kKeys;  // keys that are there
    float scale_down[2];
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      float most = highest[r];
#pragma unroll
      for (int j = 0; j < A::kKeys / 8; ++j)
#pragma unroll
        for (int c = 0; c < 2; ++c) {
          float& x = score[j][r * 2 + c];
          x = j * 8 + lane % 4 * 2 + c < left ? x * p.scale : -1e30f;
          most = fmaxf(most, x);
        }
      most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, 1));
      most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, 2));
      scale_down[r] = power_of_two(highest[r] - most);
      highest[r] = most;
      float part = 0.f;
#pragma unroll
      for (int j = 0; j < A::kKeys / 8; ++j)
#pragma unroll
        for (int c = 0; c < 2; ++c) {
          float& x = score[j][r * 2 + c];
          x = power_of_two(x - most);
          part += x;
        }
      sum[r] = sum[r] * scale_down[r] + part;
    }
#pragma unroll
    for (int j = 0; j < kHead / 8; ++j)
#pragma unroll
      for (int c = 0; c < 4; ++c) out[j][c] *= scale_down[c / 2];
#pragma unroll
    for (int i = 0; i < A::kKeys / 16; ++i) {
      const unsigned weights[4] = {packed(score[2 * i][0], score[2 * i][1]),
                                   packed(score[2 * i][2], score[2 * i][3]),
                                   packed(score[2 * i + 1][0], score[2 * i + 1][1]),
                                   packed(score[2 * i + 1][2], score[2 * i + 1][3])};
#pragma unroll
      for (int j = 0; j < kHead / 8; j += 2) {
        unsigned both[4];
        load_matrix_x4_turned(both,
                              values + (i * 16 + lane % 16) * A::kPitch + (j + lane / 16) * 16);
        const unsigned first[2] = {both[0], both[1]}, second[2] = {both[2], both[3]};
        Mma<half>::run(out[j], weights, first);
        Mma<half>::run(out[j + 1], weights, second);
      }
    }
    __syncthreads();  // nobody reads this step's rows any more
    fetch(step + 2);
  }

  // Each warp's results take the place of its queries and leave 16 bytes a thread.
  unsigned char* own = shared + warp * 16 * A::kPitch;
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    float all = sum[r] + __shfl_xor_sync(0xffffffffu, sum[r], 1);
    all += __shfl_xor_sync(0xffffffffu, all, 2);
    const float inverse = 1.f / all;
#pragma unroll
    for (int j = 0; j < kHead / 8; ++j)
      *reinterpret_cast<unsigned*>(own + (r * 8 + lane / 4) * A::kPitch + j * 16 + lane % 4 * 4) =
          packed(out[j][r * 2] * inverse, out[j][r * 2 + 1] * inverse);
  }
  __syncwarp();
  half* y = static_cast<half*>(p.y) + blockIdx.z * p.y_rows.batch + blockIdx.y * p.y_rows.head;
#pragma unroll
  for (int i = lane; i < 16 * A::kChunks; i += 32) {
    const int row = i / A::kChunks, chunk = i % A::kChunks;
    const int at = first_query + warp * 16 + row;
    if (at < p.queries)
      *reinterpret_cast<uint4*>(y + at * p.y_rows.row + chunk * 8) =
          *reinterpret_cast<const uint4*>(own + row * A::kPitch + chunk * 16);
  }
}
