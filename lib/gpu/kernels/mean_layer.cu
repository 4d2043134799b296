// The mean over each image and the layer after it, in one launch: what a classifier ends with. A
// cluster of blocks shares the sums of the layer: each block takes the means of its channels,
// multiplies them with its weights of all the cluster's columns, which came to registers while the
// kernel before still ran, and sends the sums to the columns' owners. sm_90.
//   X            of the image as it lies: half, signed char
//   Read, Mean   half or float: what an element is rounded to before it is added, and the mean
//   In           of the layer's input: half, signed char
//   Out, Y       half, float, signed char: what the layer rounds to, and what is written
//   kPairs       pairs of steps of 32 bytes along the sum that a warp multiplies
// Grid: (columns / 8 / blocks of a cluster, 1, blocks of a cluster), clusters along z. Dynamic
// shared memory: the means, [image][pitch]; then sums of threads, a float for each of eight
// channels of each thread or for each channel of each image, whichever is more.
#include "activation.cuh"
#include "cluster.cuh"
#include "mean_layer_params.h"
#include "mma.cuh"

using namespace dlaexec::gpu;

__device__ __forceinline__ unsigned bits(float x) { return __float_as_uint(x); }
__device__ __forceinline__ unsigned bits(int x) { return static_cast<unsigned>(x); }

template <class X, class Read, class Mean, class In, class Out, class Y, class Act, int kPairs>
__global__ void __launch_bounds__(kMeanLayerThreads, 1)
    mean_layer(const __grid_constant__ MeanLayerParams p) {
#if __CUDA_ARCH__ >= 900
  using SumType = typename Sum<In>::type;
  constexpr int kThreads = kMeanLayerThreads, kWarps = kThreads / 32, kColumns = 8, kVec = 8;
  extern __shared__ __align__(128) unsigned char shared[];
  __shared__ __align__(16) SumType sums[kWarps][kMeanLayerImages][kColumns];  // sent to this block
  __shared__ __align__(8) unsigned long long barrier;
  const int tid = threadIdx.x, lane = tid % 32, warp = tid / 32;
  const int rank = static_cast<int>(blockIdx.z), blocks = static_cast<int>(gridDim.z);
  const int block = static_cast<int>(blockIdx.x) * blocks + rank;
  unsigned char* const means = shared;
  float* const parts = reinterpret_cast<float*>(shared + p.images * p.pitch);
  const int first_step = p.steps * rank / blocks;
  const int steps = p.steps * (rank + 1) / blocks - first_step;

  const Barrier there{shared_address(&barrier)};
  if (tid == 0) {
    there.init(1);
    fence_barrier_init();
    there.arrive_expecting(static_cast<unsigned>(kWarps * p.images * kColumns * 4));
  }
  cluster_arrive();
  uint4 weights[kPairs];
#pragma unroll
  for (int i = 0; i < kPairs; ++i)
    weights[i] = static_cast<const uint4*>(
        p.weights)[((static_cast<long long>(block) * kWarps + warp) * kPairs + i) * 32 + lane];
  const int image_of_result = tid / kColumns, column = block * kColumns + tid % kColumns;
  const bool has_result = image_of_result < p.images && column < p.columns;
  const float bias = has_result ? p.bias[column] : 0.f;
  const float multiplier = has_result && sizeof(In) == 1 ? p.multiplier[column] : 1.f;
  wait_for_inputs();
  release_next();

  const int width = steps * 32 / static_cast<int>(sizeof(In)), vectors = width / kVec;
  if (vectors > 0) {
    const int lanes = kThreads / vectors, per_image = max(1, lanes / p.images);
    const int vector = tid % vectors, member = tid / vectors, part = member % per_image;
    const int channel = first_step * 32 / static_cast<int>(sizeof(In)) + vector * kVec;
    const X* const x = static_cast<const X*>(p.x) + channel;
    for (int image = member / per_image; image < p.images && member < lanes / per_image * per_image;
         image += lanes / per_image) {
      float own[kVec] = {};
      if (channel < p.channels) {  // the sum's last step may be half empty
        const X* from = x + static_cast<long long>(image) * p.pixels * p.channels;
#pragma unroll 8
        for (int i = part; i < p.pixels; i += per_image) {
          const auto in = *reinterpret_cast<const Vector<X, kVec>*>(from + i * p.channels);
#pragma unroll
          for (int j = 0; j < kVec; ++j) own[j] += rounded<Read, X>(real(in.at[j], p.x_scale));
        }
      }
      float* const to = parts + (image * per_image + part) * width + vector * kVec;
#pragma unroll
      for (int j = 0; j < kVec; j += 4)
        *reinterpret_cast<float4*>(to + j) =
            make_float4(own[j], own[j + 1], own[j + 2], own[j + 3]);
    }
    __syncthreads();
    for (int i = tid; i < p.images * width; i += kThreads) {
      const int image = i / width, c = i - image * width;
      float sum = 0.f;
#pragma unroll 4
      for (int k = 0; k < per_image; ++k) sum += parts[(image * per_image + k) * width + c];
      const float mean = rounded<Mean, In>(sum / static_cast<float>(p.pixels));
      reinterpret_cast<In*>(means + image * p.pitch)[c] = stored<In>(mean, p.in_inverse);
    }
  }
  __syncthreads();

  // Eight columns a warp; where the cluster has fewer than warps, they share the block's channels.
  const int owner = warp % blocks, own_step = warp / blocks * 2 * kPairs;
  SumType products[4] = {};
  if (own_step < steps) {
    const int row = min(lane % 16, p.images - 1);
#pragma unroll
    for (int i = 0; i < 2 * kPairs; ++i) {
      const int step = min(own_step + i, steps - 1);  // beyond, the weights are zero
      unsigned a[4];
      load_matrix_x4(a, shared_address(means + row * p.pitch + step * 32 + lane / 16 * 16));
      const uint4& both = weights[i / 2];
      const unsigned b[2] = {i % 2 ? both.z : both.x, i % 2 ? both.w : both.y};
      Mma<In>::run(products, a, b);
    }
  }
  cluster_wait();  // the others have begun, and may be sent to
  const int sender = rank * (kWarps / blocks) + warp / blocks;
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    const int image = lane / 4 + i * 8;
    if (image < p.images)
      send_two(shared_address(&sums[sender][image][lane % 4 * 2]), owner, there,
               bits(products[2 * i]), bits(products[2 * i + 1]));
  }
  there.wait_for_cluster(0);
  if (!has_result) return;
  SumType sum = 0;
#pragma unroll
  for (int i = 0; i < kWarps; ++i) sum += sums[i][image_of_result][tid % kColumns];
  float value = static_cast<float>(sum);
  if constexpr (sizeof(In) == 1) value = __fmul_rn(value, multiplier);
  const Out out = stored<Out>(ActivationFor<Act, Out>::of(__fadd_rn(value, bias), p.alpha, p.beta),
                              p.out_inverse);
  Y* const y = static_cast<Y*>(p.y) + image_of_result * p.y_row + column * p.y_column;
  if constexpr (kIsSame<Out, Y>)
    *y = out;
  else
    *y = stored<Y>(real(out, p.out_scale), p.y_inverse);
#endif
}
