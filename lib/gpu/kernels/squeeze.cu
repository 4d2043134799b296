// Squeeze-and-excite in one launch, with the depthwise convolution before it where there is one:
// mean over an image, two small layers, and the image times the gates that come out. A cluster of
// blocks shares an image: each keeps its channels of its rows in shared memory, so that the image
// is read once and written once. sm_90.
//   Act0, kTaps, kStride, kRun   of the depthwise convolution: a square window, and how many
//                                neighbouring outputs a thread makes; kTaps is 0 when there is none
//   Act1, Act2                   of the two layers
// Grid: (images, 1, blocks of a cluster), clusters along z. Dynamic shared memory: the block's part
// of the image, 16 bytes for each vector of each pixel; its part of the layers' weights, which come
// while the kernel before still runs; what the blocks send each other; the second bias.
#include "activation.cuh"
#include "cluster.cuh"
#include "half8.cuh"
#include "mma.cuh"
#include "squeeze_params.h"

using namespace dlaexec::gpu;

/// Adds up values[8] of each thread over the threads of one column; the sums of all channels go to
/// @p sums. @p parts: kSqueezeThreads * 8 words.
__device__ __forceinline__ void add_lanes(const float (&values)[8], float* parts, float* sums,
                                          int width, int lanes) {
  const int tid = threadIdx.x, channels = width * 8, lane = tid / width;
  if (lane < lanes)
#pragma unroll
    for (int j = 0; j < 8; ++j) parts[lane * channels + tid % width * 8 + j] = values[j];
  __syncthreads();
  // In two steps: first every groups-th lane by all threads, then the groups.
  const int groups = max(1, min(kSqueezeThreads / channels, lanes));
  float own[4] = {};  // of channels tid, tid + kSqueezeThreads, ... when there are that many
#pragma unroll
  for (int turn = 0; turn < 4; ++turn) {
    const int at = tid + turn * kSqueezeThreads;
    if (at < groups * channels)
      for (int i = at / channels; i < lanes; i += groups)
        own[turn] += parts[i * channels + at % channels];
  }
  __syncthreads();
#pragma unroll
  for (int turn = 0; turn < 4; ++turn)
    if (tid + turn * kSqueezeThreads < groups * channels)
      parts[tid + turn * kSqueezeThreads] = own[turn];
  __syncthreads();
  for (int c = tid; c < channels; c += kSqueezeThreads) {
    float sum = 0.f;
    for (int i = 0; i < groups; ++i) sum += parts[i * channels + c];
    sums[c] = sum;
  }
  __syncthreads();
}

template <class Act0, int kTaps, int kStride, int kRun, class Act1, class Act2>
__global__ void __launch_bounds__(kSqueezeThreads, 2)
    squeeze(const __grid_constant__ SqueezeParams p) {
#if __CUDA_ARCH__ >= 900
  extern __shared__ __align__(128) unsigned char shared[];
  __shared__ float parts[kSqueezeThreads * 8];
  __shared__ float
      sums[kSqueezeThreads * 4];            // of the block's channels over its rows; then the gates
  __shared__ float hidden[kSqueezeHidden];  // its bias; then the first layer's results
  const int tid = threadIdx.x, rank = blockIdx.z, blocks = gridDim.z;
  const int slice = rank % p.slices, bands = blocks / p.slices, band = rank / p.slices;
  const int vectors = p.channels / 8;
  const int first_vector = vectors * slice / p.slices;
  const int width = vectors * (slice + 1) / p.slices - first_vector;
  const int first_row = p.out_h * band / bands, rows = p.out_h * (band + 1) / bands - first_row;
  const int lanes = kSqueezeThreads / width, lane = tid / width, column = tid % width;
  const int channels = width * 8, first_channel = first_vector * 8;
  uint4* tile = reinterpret_cast<uint4*>(shared);
  const int vector = first_vector + column;
  const uint4* x = static_cast<const uint4*>(p.x) +
                   static_cast<long long>(blockIdx.x) * p.in_h * p.in_w * vectors + vector;
  const int count = rows * p.out_w;
  uint4* const layer1 = reinterpret_cast<uint4*>(shared + p.image_bytes);  // [hidden][slice]
  uint4* const layer2 = layer1 + p.hidden * p.slice_vectors;
  float* const received =
      reinterpret_cast<float*>(layer2 + p.hidden * p.slice_vectors);  // [block][hidden]
  float* const bias2 = received + blocks * p.hidden;
  cluster_arrive();
  for (int i = tid; i < p.hidden * width; i += kSqueezeThreads) {
    const int s = i / width, at = i % width, from = s * vectors + first_vector + at;
    copy_async(shared_address(layer1 + s * p.slice_vectors + at),
               static_cast<const uint4*>(p.w1) + from, true);
    copy_async(shared_address(layer2 + s * p.slice_vectors + at),
               static_cast<const uint4*>(p.w2) + from, true);
  }
  commit_copies();
  for (int s = tid; s < p.hidden; s += kSqueezeThreads) hidden[s] = p.bias1[s];
  for (int c = tid; c < channels; c += kSqueezeThreads) bias2[c] = p.bias2[first_channel + c];
  wait_for_inputs();
  release_next();

  float mine[8] = {};
  if (lane < lanes) {
    if constexpr (kTaps == 0) {
#pragma unroll 8
      for (int i = lane; i < count; i += lanes) {
        const Half8 in{x[static_cast<long long>(first_row * p.in_w + i) * vectors]};
        tile[i * width + column] = in.bits;
#pragma unroll
        for (int j = 0; j < 8; ++j) mine[j] += in.at(j);
      }
    } else {
      constexpr int kInputs = (kRun - 1) * kStride + kTaps;
      const int runs = (p.out_w + kRun - 1) / kRun;
      const uint4* window = static_cast<const uint4*>(p.window) + vector;
      const float* bias = p.bias0 + vector * 8;
      for (int item = lane; item < rows * runs; item += lanes) {
        const int row = item / runs, out_w = (item - row * runs) * kRun;
        const int first_h = (first_row + row) * kStride - p.pad_h,
                  first_w = out_w * kStride - p.pad_w;
        float z[kRun][8];
#pragma unroll
        for (int run = 0; run < kRun; ++run)
#pragma unroll
          for (int j = 0; j < 8; ++j) z[run][j] = 0.f;
#pragma unroll 1
        for (int r = 0; r < kTaps; ++r) {
          const int h = first_h + r;
          if (h < 0 || h >= p.in_h) continue;
          const uint4* from = x + static_cast<long long>(h * p.in_w) * vectors;
          uint4 in[kInputs];
#pragma unroll
          for (int c = 0; c < kInputs; ++c) {
            const int w = first_w + c;
            in[c] = make_uint4(0, 0, 0, 0);
            if (w >= 0 && w < p.in_w) in[c] = from[w * vectors];
          }
#pragma unroll
          for (int s = 0; s < kTaps; ++s) {
            const Half8 tap{window[(r * kTaps + s) * vectors]};
#pragma unroll
            for (int run = 0; run < kRun; ++run) {
              const Half8 input{in[run * kStride + s]};
#pragma unroll
              for (int j = 0; j < 8; ++j) z[run][j] = fmaf(input.at(j), tap.at(j), z[run][j]);
            }
          }
        }
#pragma unroll
        for (int run = 0; run < kRun; ++run) {
          if (out_w + run >= p.out_w) break;
#pragma unroll
          for (int j = 0; j < 8; ++j)
            z[run][j] = Act0::of(__fadd_rn(z[run][j], bias[j]), p.alpha0, p.beta0);
          const Half8 out = packed(z[run]);
          tile[(row * p.out_w + out_w + run) * width + column] = out.bits;
#pragma unroll
          for (int j = 0; j < 8; ++j) mine[j] += out.at(j);
        }
      }
    }
  }
  wait_copies<0>();
  add_lanes(mine, parts, sums, width, lanes);

  cluster_wait();  // the others have begun, and may be sent to
  const int pitch = p.slice_vectors * 8;
  const half* w1 = reinterpret_cast<const half*>(layer1);
  for (int s = tid / 32; s < p.hidden; s += kSqueezeThreads / 32) {
    float value = 0.f;
#pragma unroll 4
    for (int c = tid % 32; c < channels; c += 32)
      value = fmaf(to_float(w1[s * pitch + c]), sums[c], value);
#pragma unroll
    for (int distance = 16; distance > 0; distance /= 2)
      value += __shfl_xor_sync(0xffffffffu, value, distance);
    if (tid % 32 < blocks)
      store_peer_word(peer_address(shared_address(received + rank * p.hidden + s), tid % 32),
                      value);
  }
  cluster_barrier();
  const float inverse = 1.f / static_cast<float>(p.out_h * p.out_w);
  for (int s = tid; s < p.hidden; s += kSqueezeThreads) {
    float value = 0.f;
#pragma unroll 8
    for (int other = 0; other < blocks; ++other) value += received[other * p.hidden + s];
    value = Act1::of(fmaf(value, inverse, hidden[s]), p.alpha1, p.beta1);
    hidden[s] = to_float(from_float<half>(value));
  }
  __syncthreads();

  const half* w2 = reinterpret_cast<const half*>(layer2);
  for (int c = tid; c < channels; c += kSqueezeThreads) {
    float value = bias2[c];
#pragma unroll 8
    for (int s = 0; s < p.hidden; ++s) value = fmaf(to_float(w2[s * pitch + c]), hidden[s], value);
    sums[c] = to_float(from_float<half>(Act2::of(value, p.alpha2, p.beta2)));
  }
  __syncthreads();
  if (lane < lanes) {
    float gates[8];
#pragma unroll
    for (int j = 0; j < 8; ++j) gates[j] = sums[column * 8 + j];
    uint4* y = static_cast<uint4*>(p.y) +
               (static_cast<long long>(blockIdx.x) * p.out_h + first_row) * p.out_w * vectors +
               vector;
#pragma unroll 4
    for (int i = lane; i < count; i += lanes) {
      const Half8 z{tile[i * width + column]};
      float scaled[8];
#pragma unroll
      for (int j = 0; j < 8; ++j) scaled[j] = z.at(j) * gates[j];
      y[static_cast<long long>(i) * vectors] = packed(scaled).bits;
    }
  }
#endif
}
