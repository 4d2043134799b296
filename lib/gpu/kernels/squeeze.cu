// Squeeze-and-excite in one launch: mean over an image, two small layers, and the image times the
// gates that come out. A cluster of blocks shares an image: each keeps its channels of its pixels in
// shared memory, so that the image is read once and written once. sm_90.
//   Act1, Act2   activation.cuh
// Grid: (images, 1, kSqueezeBlocks), clusters along z. Dynamic shared memory: the block's part of the
// image, 16 bytes for each vector of each pixel.
#include "activation.cuh"
#include "cluster.cuh"
#include "mma.cuh"
#include "squeeze_params.h"

using namespace dlaexec::gpu;

template <class Act1, class Act2>
__global__ void __launch_bounds__(kSqueezeThreads) squeeze(const __grid_constant__ SqueezeParams p) {
#if __CUDA_ARCH__ >= 900
  using Half8 = Vector<half, 8>;
  extern __shared__ __align__(128) unsigned char shared[];
  __shared__ float parts[kSqueezeThreads * 8];
  __shared__ float sums[kSqueezeThreads];   // of the block's channels over its pixels
  __shared__ float partial[kSqueezeHidden]; // of the first layer, over the block's channels and pixels
  __shared__ float hidden[kSqueezeHidden];
  const int tid = threadIdx.x, rank = blockIdx.z;
  const int slice = rank % p.slices, pixel_parts = kSqueezeBlocks / p.slices, part = rank / p.slices;
  const int vectors = p.channels / 8;
  const int first_vector = vectors * slice / p.slices;
  const int width = vectors * (slice + 1) / p.slices - first_vector;
  const int first_pixel = p.pixels * part / pixel_parts;
  const int count = p.pixels * (part + 1) / pixel_parts - first_pixel;
  const int lanes = kSqueezeThreads / width, lane = tid / width, column = tid % width;
  const int channels = width * 8, first_channel = first_vector * 8;
  Half8* tile = reinterpret_cast<Half8*>(shared);
  const long long at = (static_cast<long long>(blockIdx.x) * p.pixels + first_pixel) * vectors +
                       first_vector + column;
  release_next();
  wait_for_inputs();

  float mine[8] = {};
  if (lane < lanes) {
    const Half8* x = static_cast<const Half8*>(p.x) + at;
#pragma unroll 4
    for (int i = lane; i < count; i += lanes) {
      const Half8 in = x[static_cast<long long>(i) * vectors];
      tile[i * width + column] = in;
#pragma unroll
      for (int j = 0; j < 8; ++j) mine[j] += to_float(in.at[j]);
    }
#pragma unroll
    for (int j = 0; j < 8; ++j) parts[lane * channels + column * 8 + j] = mine[j];
  }
  __syncthreads();
  // Over the lanes, in two steps: first every groups-th by all threads, then the groups.
  const int groups = min(kSqueezeThreads / channels, lanes), group = tid / channels;
  float sum = 0.f;
  if (group < groups)
    for (int i = group; i < lanes; i += groups) sum += parts[i * channels + tid % channels];
  __syncthreads();
  if (group < groups) parts[tid] = sum;
  __syncthreads();
  if (tid < channels) {
    sum = 0.f;
    for (int i = 0; i < groups; ++i) sum += parts[i * channels + tid];
    sums[tid] = sum;
  }
  __syncthreads();

  const half* w1 = static_cast<const half*>(p.w1) + first_channel;
  for (int s = tid / 32; s < p.hidden; s += kSqueezeThreads / 32) {
    float value = 0.f;
#pragma unroll 4
    for (int c = tid % 32; c < channels; c += 32)
      value = fmaf(to_float(w1[s * p.channels + c]), sums[c], value);
#pragma unroll
    for (int distance = 16; distance > 0; distance /= 2)
      value += __shfl_xor_sync(0xffffffffu, value, distance);
    if (tid % 32 == 0) partial[s] = value;
  }
  cluster_barrier();
  const float inverse = 1.f / static_cast<float>(p.pixels);
  for (int s = tid; s < p.hidden; s += kSqueezeThreads) {
    float value = 0.f;
#pragma unroll
    for (int other = 0; other < kSqueezeBlocks; ++other)
      value += load_peer_word(peer_address(shared_address(partial + s), other));
    value = Act1::of(fmaf(value, inverse, p.bias1[s]), p.alpha1, p.beta1);
    hidden[s] = to_float(from_float<half>(value));
  }
  cluster_arrive();  // this block reads no other's memory any more
  __syncthreads();

  const half* w2 = static_cast<const half*>(p.w2) + first_channel;
  if (tid < channels) {
    float value = p.bias2[first_channel + tid];
#pragma unroll 8
    for (int s = 0; s < p.hidden; ++s)
      value = fmaf(to_float(w2[s * p.channels + tid]), hidden[s], value);
    sums[tid] = to_float(from_float<half>(Act2::of(value, p.alpha2, p.beta2)));
  }
  __syncthreads();
  if (lane < lanes) {
    float gates[8];
#pragma unroll
    for (int j = 0; j < 8; ++j) gates[j] = sums[column * 8 + j];
    Half8* y = static_cast<Half8*>(p.y) + at;
#pragma unroll 4
    for (int i = lane; i < count; i += lanes) {
      Half8 value = tile[i * width + column];
#pragma unroll
      for (int j = 0; j < 8; ++j) value.at[j] = from_float<half>(to_float(value.at[j]) * gates[j]);
      y[static_cast<long long>(i) * vectors] = value;
    }
  }
  cluster_wait();  // nobody leaves while others read its memory
#endif
}
