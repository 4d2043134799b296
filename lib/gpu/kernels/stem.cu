// First layers: a convolution of few channels with stride 2 that reads the network's input as it
// lies, and the max pooling (3 x 3, stride 2, pad 1) after it where there is one. sm_80 and later.
//   In         of the input as it lies: float, half, signed char
//   T          what it is rounded to: half, or signed char, whose products half holds exactly and
//              whose sums stay below 2^24, so that they are exact too
//   Out, Act   as in conv_mma.cu
//   kChannels  1 to 4
//   kK         output channels, some of them may only pad
//   kTaps      of the square window
//   kUnits     pieces of 16 pixels of a row: a warp each; on Hopper every four multiply together
//   kPool      maxima are written instead of the convolution
// A pixel is four halves. With stride 2 the windows of neighbouring outputs start 16 bytes apart,
// so ldmatrix reads the implicit matrix from rows of pixels as they are: each is in shared memory
// once. Grid: (bands, images). Dynamic shared memory: Layout::kBytes (stem.cpp computes the same).
#include "activation.cuh"
#include "mma.cuh"
#include "stem_params.h"
#include "wgmma.cuh"

using namespace dlaexec::gpu;

/// The larger of each two elements, in words of four bytes.
template <class Out>
__device__ __forceinline__ unsigned larger_of_words(unsigned a, unsigned b);
template <>
__device__ __forceinline__ unsigned larger_of_words<half>(unsigned a, unsigned b) {
#if __CUDA_ARCH__ >= 800
  asm("max.f16x2 %0, %0, %1;" : "+r"(a) : "r"(b));
#endif
  return a;
}
template <>
__device__ __forceinline__ unsigned larger_of_words<signed char>(unsigned a, unsigned b) {
  return __vmaxs4(a, b);
}
template <class Out>
__device__ __forceinline__ uint4 larger(const uint4& a, const uint4& b) {
  return make_uint4(larger_of_words<Out>(a.x, b.x), larger_of_words<Out>(a.y, b.y),
                    larger_of_words<Out>(a.z, b.z), larger_of_words<Out>(a.w, b.w));
}

template <class Out, int kK, int kTaps, int kUnits, bool kPool>
struct Layout {
  static constexpr int kSteps = (kTaps + 3) / 4;  // along a row of taps, four pixels each
  static constexpr int kWeights = kTaps * kSteps * 32 + 16;  // bytes of a row; 16 keep banks apart
  static constexpr int kRow = (kUnits * 16 + kSteps * 2 - 1) * 16;  // bytes of a row of pixels
  static constexpr int kRows = 16;                                  // in a ring
  static constexpr int kAhead = (kTaps + 2 + 3) / 4 * 4;  // rows from a step's first that are there
  static constexpr int kPixel = kK * static_cast<int>(sizeof(Out)) + 16;
  static constexpr int kOut = (kPool ? 1 : 2) * kUnits * 16 * kPixel;  // one step's results
  static constexpr int kConstants = kK * kWeights, kRing = kConstants + kK * 8;
  static constexpr int kOuts = kRing + kRows * kRow, kBytes = kOuts + 2 * kOut;
  static_assert(kAhead + 4 <= kRows);
};

/// Adds the products of 32 bytes of 16 pixels of two rows, at a0 and a1, with all weights.
template <int kK>
__device__ __forceinline__ void multiply_as_warp(float (&sums)[2][kK / 2], unsigned a0, unsigned a1,
                                                 unsigned weights, int weight_bytes) {
  const int lane = threadIdx.x % 32;
  unsigned a[2][4];
  load_matrix_x4(a[0], a0);
  load_matrix_x4(a[1], a1);
#pragma unroll
  for (int j = 0; j < kK / 8; j += 2) {
    unsigned both[4];
    load_matrix_x4(both,
                   weights + (j * 8 + lane / 16 * 8 + lane % 8) * weight_bytes + lane / 8 % 2 * 16);
    const unsigned b[2][2] = {{both[0], both[1]}, {both[2], both[3]}};
#pragma unroll
    for (int i = 0; i < 2; ++i)
#pragma unroll
      for (int next = 0; next < 2; ++next)
        Mma<half>::run(*reinterpret_cast<float(*)[4]>(&sums[i][(j + next) * 4]), a[i], b[next]);
  }
}

/// The same for 64 pixels, by four warps.
template <int kK>
__device__ __forceinline__ void multiply_as_group(float (&sums)[2][kK / 2], unsigned a0,
                                                  unsigned a1, unsigned weights) {
#if __CUDA_ARCH__ >= 900
  fence_products();
  GroupMma<half, kK>::run(sums[0], column_descriptor(a0, 16), column_descriptor(weights, kK * 16),
                          1);
  GroupMma<half, kK>::run(sums[1], column_descriptor(a1, 16), column_descriptor(weights, kK * 16),
                          1);
  commit_products();
#endif
}
template <int kCount>
__device__ __forceinline__ void wait_for_group(float (&sums)[2][kCount]) {
#if __CUDA_ARCH__ >= 900
  wait_products<0>();
  hold(sums[0]);
  hold(sums[1]);
#endif
}

template <class In, class T, class Out, class Act, int kChannels, int kK, int kTaps, int kUnits,
          bool kPool>
__global__ void __launch_bounds__(kUnits * 32, 2) stem(const __grid_constant__ StemParams p) {
  using L = Layout<Out, kK, kTaps, kUnits, kPool>;
  using Pair = Vector<Out, 2>;
  constexpr int kThreads = kUnits * 32, kVec = 16 / sizeof(Out);
#if __CUDA_ARCH__ >= 900
  constexpr bool kGroups = kUnits % 4 == 0;
#else
  constexpr bool kGroups = false;
#endif
  extern __shared__ __align__(128) unsigned char shared[];
  const int tid = threadIdx.x, lane = tid % 32, unit = tid / 32;
  float* const bias = reinterpret_cast<float*>(shared + L::kConstants);
  float* const multiplier = bias + kK;
  unsigned char* const ring = shared + L::kRing;

  constexpr int kChunks = L::kWeights / 16 - 1;
  for (int i = tid; i < kK * kChunks; i += kThreads)
    copy_async(shared_address(shared + (kGroups ? (i % kChunks * kK + i / kChunks) * 16
                                                : i / kChunks * L::kWeights + i % kChunks * 16)),
               static_cast<const uint4*>(p.weights) + i, true);
  commit_copies();
  for (int i = tid; i < kK; i += kThreads) {
    bias[i] = p.bias[i];
    if constexpr (sizeof(T) == 1) multiplier[i] = p.multiplier[i];
  }
  for (int i = tid; i < L::kRows * L::kRow / 16; i += kThreads)
    reinterpret_cast<uint4*>(ring)[i] = make_uint4(0, 0, 0, 0);  // the borders stay so
  wait_copies<0>();
  if constexpr (kGroups) fence_copies();
  __syncthreads();
  wait_for_inputs();
  release_next();

  const In* column = static_cast<const In*>(p.x) + blockIdx.y * p.x_image + tid * p.x_column;
  const bool has_column = tid < p.in_w && tid + p.pad_w < L::kRow / 8;
  using Fetched = In[4][kChannels];
  const auto fetch = [&](Fetched& fetched, int first_row) {
#pragma unroll
    for (int i = 0; i < 4; ++i)
#pragma unroll
      for (int c = 0; c < kChannels; ++c) {
        const int h = first_row + i;
        fetched[i][c] = In{};
        if (has_column && h >= 0 && h < p.in_h)
          fetched[i][c] = column[h * p.x_row + c * p.x_channel];
      }
  };
  const auto keep = [&](const Fetched& fetched, int first_row) {
    if (!has_column) return;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      Vector<half, 4> pixel{};
#pragma unroll
      for (int c = 0; c < kChannels; ++c)
        pixel.at[c] =
            from_float<half>(to_float(stored<T>(real(fetched[i][c], p.x_scale), p.x_inverse)));
      const int slot = (first_row + i) & (L::kRows - 1);
      *reinterpret_cast<Vector<half, 4>*>(ring + slot * L::kRow + (tid + p.pad_w) * 8) = pixel;
    }
  };

  const int first = blockIdx.x * p.band, last = min(first + p.band, p.steps);
  const int begin =
      kPool && first > 0 ? first - 1 : first;  // the row above comes from the step before
  Fetched at_start[L::kAhead / 4];
#pragma unroll
  for (int i = 0; i < L::kAhead / 4; ++i) fetch(at_start[i], begin * 4 - p.pad_h + i * 4);
#pragma unroll
  for (int i = 0; i < L::kAhead / 4; ++i) keep(at_start[i], begin * 4 - p.pad_h + i * 4);
  if constexpr (kGroups) fence_copies();
  __syncthreads();

  // Rounding keeps the order, and so do most activations: maxima are taken of sums, as far as that
  // goes, and only they are finished.
  constexpr bool kLate = kPool && kKeepsOrder<Act>;
  float above[kPool ? kK / 8 : 1][4];
#pragma unroll 1
  for (int step = begin; step < last; ++step) {
    const int top = step * 4 - p.pad_h;
    Fetched fetched;
    fetch(fetched, top + L::kAhead);
    float sums[2][kK / 2] = {};
    const auto pixels = [&](int row, int pixel) {
      return shared_address(ring + ((top + row) & (L::kRows - 1)) * L::kRow + pixel * 16);
    };
#pragma unroll 1
    for (int tap = 0; tap < kTaps; ++tap)
#pragma unroll
      for (int part = 0; part < L::kSteps; ++part) {
        const int piece = tap * L::kSteps + part;  // 32 bytes of a row of weights
        if constexpr (kGroups)
          multiply_as_group<kK>(sums, pixels(tap, unit / 4 * 64 + part * 2),
                                pixels(tap + 2, unit / 4 * 64 + part * 2),
                                shared_address(shared) + piece * kK * 32);
        else
          multiply_as_warp<kK>(sums, pixels(tap, unit * 16 + lane % 16 + part * 2 + lane / 16),
                               pixels(tap + 2, unit * 16 + lane % 16 + part * 2 + lane / 16),
                               shared_address(shared) + piece * 32, L::kWeights);
      }
    if constexpr (kGroups) wait_for_group(sums);
    keep(fetched, top + L::kAhead);

    unsigned char* const out = shared + L::kOuts + step % 2 * L::kOut;
#pragma unroll
    for (int j = 0; j < kK / 8; ++j) {
      const int k = j * 8 + lane % 4 * 2;
      const float2 biases = *reinterpret_cast<const float2*>(bias + k);
      const float2 factors = *reinterpret_cast<const float2*>(multiplier + k);
      const auto finished = [&](float value, int e) {
        if constexpr (sizeof(T) == 1) value = __fmul_rn(value, e ? factors.y : factors.x);
        return ActivationFor<Act, Out>::of(__fadd_rn(value, e ? biases.y : biases.x), p.alpha,
                                           p.beta);
      };
#pragma unroll
      for (int half_row = 0; half_row < 2; ++half_row) {
        Pair made[kPool ? 1 : 2];
#pragma unroll
        for (int e = 0; e < 2; ++e) {
          const int at = half_row * 2 + e;
          float value[2];
#pragma unroll
          for (int i = 0; i < 2; ++i)
            value[i] = kLate ? sums[i][j * 4 + at] : finished(sums[i][j * 4 + at], e);
          if constexpr (kPool) {
            float most = value[0];
            if (step * 2 + 1 < p.conv_h) most = fmaxf(most, value[1]);
            if (step > 0) most = fmaxf(most, above[j][at]);
            above[j][at] = value[1];
            made[0].at[e] = stored<Out>(kLate ? finished(most, e) : most, p.y_inverse);
          } else {
            made[0].at[e] = stored<Out>(value[0], p.y_inverse);
            made[1].at[e] = stored<Out>(value[1], p.y_inverse);
          }
        }
        const int pixel = unit * 16 + half_row * 8 + lane / 4;
        auto* const to =
            reinterpret_cast<Pair*>(out + pixel * L::kPixel + k * static_cast<int>(sizeof(Out)));
        *to = made[0];
        if constexpr (!kPool)
          *reinterpret_cast<Pair*>(reinterpret_cast<unsigned char*>(to) + L::kOut / 2) = made[1];
      }
    }
    if constexpr (kGroups) fence_copies();  // of the pixels kept above
    __syncthreads();
    if (step < first) continue;
    const int vectors = p.y_pixel / kVec;
    for (int i = tid; i < p.y_w * vectors * (kPool ? 1 : 2); i += kThreads) {
      const int at = i / vectors, vector = i - at * vectors;
      const int row = kPool ? step : step * 2 + at / p.y_w, w = kPool ? at : at % p.y_w;
      const auto from = [&](int pixel) {
        return *reinterpret_cast<const uint4*>(out + pixel * L::kPixel + vector * 16);
      };
      uint4 result;
      if constexpr (kPool) {
        result = larger<Out>(
            from(2 * w), larger<Out>(from(max(2 * w - 1, 0)), from(min(2 * w + 1, p.conv_w - 1))));
        if (sizeof(Out) == 1 && p.rescales) {
          auto& bytes = reinterpret_cast<Vector<Out, kVec>&>(result);
#pragma unroll
          for (int j = 0; j < kVec; ++j)
            bytes.at[j] = stored<Out>(real(bytes.at[j], p.conv_scale), p.maxima_inverse);
        }
      } else {
        if (row >= p.y_h) break;
        result = from(at / p.y_w * kUnits * 16 + w);
      }
      Out* const y = static_cast<Out*>(p.y) +
                     ((static_cast<long long>(blockIdx.y) * p.y_h + row) * p.y_w + w) * p.y_pixel +
                     vector * kVec;
      *reinterpret_cast<uint4*>(y) = result;
    }
  }
}
