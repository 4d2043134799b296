// Norms over channels: instance and group norm, local response, unit length along an axis.
//   In, Out   half, float, signed char
#include "channels_params.h"
#include "types.cuh"

using dlaexec::gpu::ChannelsParams;

constexpr int kThreads = 256;

/// The sum over the block of what each thread brings.
__device__ __forceinline__ float block_sum(float mine) {
  __shared__ float parts[kThreads];
  __syncthreads();  // whoever still reads the sum before
  parts[threadIdx.x] = mine;
  __syncthreads();
  for (int half_way = kThreads / 2; half_way > 0; half_way /= 2) {
    if (static_cast<int>(threadIdx.x) < half_way) parts[threadIdx.x] += parts[threadIdx.x + half_way];
    __syncthreads();
  }
  return parts[0];
}

/// (x - mean) / deviation * gain + shift over runs of p.run elements. Grid: count / run blocks.
template <class In, class Out>
__global__ void __launch_bounds__(kThreads) group_norm(const __grid_constant__ ChannelsParams p) {
  release_next();
  wait_for_inputs();
  const long long first = blockIdx.x * p.run;
  const In* x = static_cast<const In*>(p.x) + first;
  float sum = 0;
  for (long long i = threadIdx.x; i < p.run; i += kThreads) sum += real(x[i], p.x_scale);
  const float mean = block_sum(sum) / static_cast<float>(p.run);
  float squares = 0;
  for (long long i = threadIdx.x; i < p.run; i += kThreads) {
    const float d = real(x[i], p.x_scale) - mean;
    squares += d * d;
  }
  const float factor = rsqrtf(block_sum(squares) / static_cast<float>(p.run) + p.epsilon);
  Out* y = static_cast<Out*>(p.y) + first;
  for (long long i = threadIdx.x; i < p.run; i += kThreads) {
    const int channel = static_cast<int>((first + i) / p.inner % p.channels);
    y[i] = stored<Out>((real(x[i], p.x_scale) - mean) * factor * p.gain[channel] + p.shift[channel],
                       p.y_inverse);
  }
}

/// x / (bias + alpha / size * squares of the neighbouring channels) ^ beta; alpha comes divided.
/// Grid: ceil(count / 256) blocks.
template <class In, class Out>
__global__ void __launch_bounds__(kThreads) local_response(const __grid_constant__ ChannelsParams p) {
  release_next();
  wait_for_inputs();
  const long long at = blockIdx.x * static_cast<long long>(kThreads) + threadIdx.x;
  if (at >= p.count) return;
  const In* x = static_cast<const In*>(p.x) + at;
  const int channel = static_cast<int>(at / p.inner % p.channels);
  const int low = channel < p.before ? -channel : -p.before;
  const int high = channel + p.after >= p.channels ? p.channels - 1 - channel : p.after;
  float squares = 0;
  for (int d = low; d <= high; ++d) {
    const float neighbour = real(x[d * p.inner], p.x_scale);
    squares += neighbour * neighbour;
  }
  const float base = p.epsilon + p.alpha * squares;
  static_cast<Out*>(p.y)[at] = stored<Out>(real(*x, p.x_scale) / powf(base, p.beta), p.y_inverse);
}

/// x divided by the length of its row, of p.run elements p.inner apart. Grid: a block a row.
template <class In, class Out, bool kAbsolute>
__global__ void __launch_bounds__(kThreads) unit_length(const __grid_constant__ ChannelsParams p) {
  release_next();
  wait_for_inputs();
  const long long first = blockIdx.x / p.inner * p.inner * p.run + blockIdx.x % p.inner;
  const In* x = static_cast<const In*>(p.x) + first;
  float sum = 0;
  for (long long i = threadIdx.x; i < p.run; i += kThreads) {
    const float element = real(x[i * p.inner], p.x_scale);
    sum += kAbsolute ? fabsf(element) : element * element;
  }
  const float all = block_sum(sum);
  const float length = kAbsolute ? all : sqrtf(all);
  Out* y = static_cast<Out*>(p.y) + first;
  for (long long i = threadIdx.x; i < p.run; i += kThreads)
    y[i * p.inner] = stored<Out>(length == 0.f ? 0.f : real(x[i * p.inner], p.x_scale) / length,
                                 p.y_inverse);
}
