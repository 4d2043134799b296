// First layers: a convolution of few channels with stride 2 that reads the network's input as it
// lies, and the max pooling (3 x 3, stride 2, pad 1) after it where there is one. sm_80 and later.
//   In         of the input as it lies: float, half, signed char
//   T          what it is rounded to: half, or signed char, whose products half holds exactly and
//              whose sums stay below 2^24, so that they are exact too
//   Out, Act   as in conv_mma.cu
//   kChannels  1 to 4
//   kK         output channels, some of them may only pad
//   kTaps      of the square window
//   kPool      maxima are written instead of the convolution
//   kFours     four neighbours of a row lie so on 16 bytes or fewer, and are all there or not
// A pixel is four halves. With stride 2 the windows of neighbouring outputs start 16 bytes apart,
// so ldmatrix reads the implicit matrix from rows of pixels as they are: each is in shared memory
// once. A block makes 64 columns of the convolution, 16 a warp; on Hopper its warps multiply
// together. Small blocks, several of them on a multiprocessor, are each at another of a step's
// parts: loading, multiplying, taking maxima. Grid: (pieces of a row, bands, images). Dynamic
// shared memory: Layout::kBytes (stem.cpp computes the same).
#include "activation.cuh"
#include "half8.cuh"
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

template <class Out, int kK, int kTaps, bool kPool>
struct Layout {
  static constexpr int kColumns = kStemThreads / 2;
  static constexpr int kSteps = (kTaps + 3) / 4;  // along a row of taps, four pixels each
  static constexpr int kWeights = kTaps * kSteps * 32 + 16;  // bytes of a row; 16 keep banks apart
  static constexpr int kRow = (kColumns + kSteps * 2 - 1) * 16;  // bytes of a row of pixels
  static constexpr int kRows = 16;                               // in a ring
  static constexpr int kAhead = (kTaps + 2 + 3) / 4 * 4;  // rows from a step's first that are there
  static constexpr int kPixel = kK * static_cast<int>(sizeof(Out)) + 16;
  static constexpr int kOut = (kPool ? 1 : 2) * kColumns * kPixel;  // one step's results
  // Up to three pixels before a row come along with its first ones.
  static constexpr int kConstants = kK * kWeights, kRing = kConstants + kK * 8 + 32;
  static constexpr int kOuts = kRing + kRows * kRow, kBytes = kOuts + 2 * kOut;
  static_assert(kAhead + 4 <= kRows);
};

/// Two results of neighbouring channels as they are stored.
template <class Out>
__device__ __forceinline__ void store_pair(unsigned char* to, float a, float b, float inverse) {
  if constexpr (kIsSame<Out, half>)
    *reinterpret_cast<unsigned*>(to) = packed(a, b);
  else
    *reinterpret_cast<Vector<Out, 2>*>(to) = {stored<Out>(a, inverse), stored<Out>(b, inverse)};
}

/// @p x as T holds it: of signed char the number that is stored.
template <class T>
__device__ __forceinline__ float as_stored(float x, float inverse) {
  if constexpr (sizeof(T) == 1)
    return fminf(fmaxf(x * inverse, -128.f), 127.f) + 12582912.f - 12582912.f;
  return x;
}

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

/// The lower half of column_descriptor(address, ahead), to which sixteenths of bytes may be added;
/// the upper one is always the same.
__device__ __forceinline__ unsigned lower_descriptor(unsigned address, int ahead) {
  return address >> 4 | static_cast<unsigned>(ahead >> 4) << 16;
}

/// Adds the products of 32 bytes of 64 pixels of two rows with all weights, by four warps, between
/// begin_group() and wait_for_group(). All sides as lower_descriptor().
template <int kK>
__device__ __forceinline__ void multiply_as_group(float (&sums)[2][kK / 2], unsigned a0,
                                                  unsigned a1, unsigned weights) {
#if __CUDA_ARCH__ >= 900
  const auto whole = [](unsigned lower) {
    return (column_descriptor(0, 0) & ~0xffffffffull) | lower;
  };
  GroupMma<half, kK>::run(sums[0], whole(a0), whole(weights), 1);
  GroupMma<half, kK>::run(sums[1], whole(a1), whole(weights), 1);
#endif
}
__device__ __forceinline__ void begin_group() {
#if __CUDA_ARCH__ >= 900
  fence_products();
#endif
}
template <int kCount>
__device__ __forceinline__ void wait_for_group(float (&sums)[2][kCount]) {
#if __CUDA_ARCH__ >= 900
  commit_products();
  wait_products<0>();
  hold(sums[0]);
  hold(sums[1]);
#endif
}

/// Keeps the compiler from using what is fetched before this: it would wait for it.
template <class T, int kCount>
__device__ __forceinline__ void hold_back(Vector<T, 4> (&fetched)[kCount]) {
  constexpr int kWords = sizeof(T);
  auto& words = reinterpret_cast<unsigned(&)[kCount * kWords]>(fetched);
#pragma unroll
  for (int i = 0; i < kCount * kWords; ++i) asm volatile("" : "+r"(words[i])::"memory");
}

template <class In, class T, class Out, class Act, int kChannels, int kK, int kTaps, bool kPool,
          bool kFours>
__global__ void __launch_bounds__(kStemThreads, 3) stem(const __grid_constant__ StemParams p) {
  using L = Layout<Out, kK, kTaps, kPool>;
  using Four = Vector<In, 4>;
  constexpr int kVec = 16 / sizeof(Out), kVectors = kK / kVec;
#if __CUDA_ARCH__ >= 900
  constexpr bool kGroups = true;
#else
  constexpr bool kGroups = false;
#endif
  extern __shared__ __align__(128) unsigned char shared[];
  const int tid = threadIdx.x, lane = tid % 32, warp = tid / 32;
  float* const bias = reinterpret_cast<float*>(shared + L::kConstants);
  float* const multiplier = bias + kK;
  unsigned char* const ring = shared + L::kRing;

  constexpr int kChunks = L::kWeights / 16 - 1;
  for (int i = tid; i < kK * kChunks; i += kStemThreads)
    copy_async(shared_address(shared + (kGroups ? (i % kChunks * kK + i / kChunks) * 16
                                                : i / kChunks * L::kWeights + i % kChunks * 16)),
               static_cast<const uint4*>(p.weights) + i, true);
  commit_copies();
  // Loaded here, stored once the input is on its way.
  const float own_bias = tid < kK ? p.bias[tid] : 0.f;
  const float own_multiplier = sizeof(T) == 1 && tid < kK ? p.multiplier[tid] : 1.f;

  // Four rows are fetched at once, each by a warp, four columns a lane.
  const int first_w = static_cast<int>(blockIdx.x) * p.columns;  // of what is written
  const int first_conv = kPool ? 2 * first_w - 1 : first_w;      // -1: never counts
  const int first_in = 2 * first_conv - p.pad_w, column = (first_in & ~3) + 4 * lane;
  unsigned char* const own = ring + (column - first_in) * 8;
  const In* const x = static_cast<const In*>(p.x) + blockIdx.z * p.x_image + column * p.x_column;
  using Fetched = Four[kChannels];
  const auto fetch = [&](Fetched& fetched, int first_row) {
    const int h = first_row + warp;
    const bool has_row = h >= 0 && h < p.in_h;
    const In* const from = x + h * p.x_row;
#pragma unroll
    for (int c = 0; c < kChannels; ++c) {
      fetched[c] = Four{};
      if constexpr (kFours) {
        if (has_row && column >= 0 && column < p.in_w)
          fetched[c] = *reinterpret_cast<const Four*>(from + c * p.x_channel);
      } else {
#pragma unroll
        for (int i = 0; i < 4; ++i)
          if (has_row && column + i >= 0 && column + i < p.in_w)
            fetched[c].at[i] = from[c * p.x_channel + i * p.x_column];
      }
    }
  };
  const auto keep = [&](const Fetched& fetched, int first_row) {
    uint2 pixels[4];
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      float values[4] = {};
#pragma unroll
      for (int c = 0; c < kChannels; ++c)
        values[c] = as_stored<T>(real(fetched[c].at[i], p.x_scale), p.x_inverse);
      pixels[i] = make_uint2(packed(values[0], values[1]), packed(values[2], values[3]));
    }
    unsigned char* const to = own + ((first_row + warp) & (L::kRows - 1)) * L::kRow;
#pragma unroll
    for (int i = 0; i < 4; ++i) *reinterpret_cast<uint2*>(to + i * 8) = pixels[i];
  };

  const int first = static_cast<int>(blockIdx.y) * p.band, last = min(first + p.band, p.steps);
  const int begin =
      kPool && first > 0 ? first - 1 : first;  // the row above comes from the step before
  wait_for_inputs();
  release_next();
  Fetched at_start[L::kAhead / 4];
#pragma unroll
  for (int i = 0; i < L::kAhead / 4; ++i) fetch(at_start[i], begin * 4 - p.pad_h + i * 4);
  if (tid < kK) {
    bias[tid] = own_bias;
    multiplier[tid] = own_multiplier;
  }
#pragma unroll
  for (int i = 0; i < L::kAhead / 4; ++i) keep(at_start[i], begin * 4 - p.pad_h + i * 4);
  wait_copies<0>();
  if constexpr (kGroups) fence_copies();
  __syncthreads();

  // Rounding keeps the order, and so do most activations: maxima are taken of sums, as far as that
  // goes, and only they are finished.
  constexpr bool kLate = kPool && kKeepsOrder<Act>;
  float above[kPool ? kK / 8 : 1][4];
#pragma unroll
  for (auto& block : above)
#pragma unroll
    for (float& value : block) value = -__int_as_float(0x7f800000);
#pragma unroll 1
  for (int step = begin; step < last; ++step) {
    const int top = step * 4 - p.pad_h;
    const bool goes_on = step + 1 < last;
    Fetched fetched;
    if (goes_on) fetch(fetched, top + L::kAhead);
    float sums[2][kK / 2] = {};
    const auto slot = [&](int row) { return (top + row) & (L::kRows - 1); };
    if constexpr (kGroups) {
      unsigned rows[kTaps + 2];
#pragma unroll
      for (int row = 0; row < kTaps + 2; ++row)
        rows[row] = lower_descriptor(shared_address(ring), 16) + slot(row) * (L::kRow / 16);
      const unsigned weights = lower_descriptor(shared_address(shared), kK * 16);
      begin_group();
#pragma unroll
      for (int piece = 0; piece < kTaps * L::kSteps; ++piece) {
        const int tap = piece / L::kSteps, part = piece % L::kSteps;
        multiply_as_group<kK>(sums, rows[tap] + part * 2, rows[tap + 2] + part * 2,
                              weights + piece * kK * 2);
      }
      wait_for_group(sums);
    } else {
      const auto pixels = [&](int row, int part) {
        return shared_address(ring + slot(row) * L::kRow +
                              (warp * 16 + lane % 16 + part * 2 + lane / 16) * 16);
      };
#pragma unroll 1
      for (int tap = 0; tap < kTaps; ++tap)
#pragma unroll
        for (int part = 0; part < L::kSteps; ++part)
          multiply_as_warp<kK>(sums, pixels(tap, part), pixels(tap + 2, part),
                               shared_address(shared) + (tap * L::kSteps + part) * 32, L::kWeights);
    }
    if (goes_on) {
      hold_back(fetched);
      keep(fetched, top + L::kAhead);
    }

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
        float made[kPool ? 1 : 2][2];
#pragma unroll
        for (int e = 0; e < 2; ++e) {
          const int at = half_row * 2 + e;
          float value[2];
#pragma unroll
          for (int i = 0; i < 2; ++i)
            value[i] = kLate ? sums[i][j * 4 + at] : finished(sums[i][j * 4 + at], e);
          if constexpr (kPool) {
            float most = fmaxf(value[0], above[j][at]);
            if (step * 2 + 1 < p.conv_h) most = fmaxf(most, value[1]);
            above[j][at] = value[1];
            made[0][e] = kLate ? finished(most, e) : most;
          } else {
            made[0][e] = value[0];
            made[1][e] = value[1];
          }
        }
        const int pixel = warp * 16 + half_row * 8 + lane / 4;
        unsigned char* const to = out + pixel * L::kPixel + k * static_cast<int>(sizeof(Out));
#pragma unroll
        for (int i = 0; i < (kPool ? 1 : 2); ++i)
          store_pair<Out>(to + i * (L::kOut / 2), made[i][0], made[i][1], p.y_inverse);
      }
    }
    if constexpr (kGroups) fence_copies();  // of the pixels kept above
    __syncthreads();
    if (step < first) continue;
    const int vector = tid % kVectors;
    if (vector * kVec >= p.y_pixel) continue;
    const int width = min(p.columns, p.y_w - first_w);
    for (int at = tid / kVectors; at < width * (kPool ? 1 : 2); at += kStemThreads / kVectors) {
      const int row = kPool ? step : step * 2 + (at >= width),
                w = kPool || at < width ? at : at - width;
      const auto from = [&](int pixel) {
        return *reinterpret_cast<const uint4*>(out + pixel * L::kPixel + vector * 16);
      };
      uint4 result;
      if constexpr (kPool) {
        // Columns 2w - 1, 2w and 2w + 1 of the convolution, seen from first_conv.
        result = larger<Out>(from(2 * w + 1),
                             larger<Out>(from(first_w + w > 0 ? 2 * w : 1),
                                         from(min(2 * w + 2, p.conv_w - 1 - first_conv))));
        if (sizeof(Out) == 1 && p.rescales) {
          auto& bytes = reinterpret_cast<Vector<Out, kVec>&>(result);
#pragma unroll
          for (int j = 0; j < kVec; ++j)
            bytes.at[j] = stored<Out>(real(bytes.at[j], p.conv_scale), p.maxima_inverse);
        }
      } else {
        if (row >= p.y_h) break;
        result = from((at >= width ? L::kColumns : 0) + w);
      }
      Out* const y =
          static_cast<Out*>(p.y) +
          ((static_cast<long long>(blockIdx.z) * p.y_h + row) * p.y_w + first_w + w) * p.y_pixel +
          vector * kVec;
      *reinterpret_cast<uint4*>(y) = result;
    }
  }
}
