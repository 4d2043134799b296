// The way out of convolution tiles that are nobody else's.
#pragma once
#include "activation.cuh"
#include "conv_params.h"
#include "mma.cuh"

using namespace dlaexec::gpu;

/// The way out of a tile that is nobody else's: multiplier, bias, residual and activation in the
/// registers that hold the sums, then through shared memory in the output's type, so that rows are
/// written 16 bytes a thread while the next tile's copies are on their way.
template <class In, class Out, class Residual, class Act, int kTileRows, int kTileK, int kThreads>
struct Direct {
  using SumType = typename Sum<In>::type;
  static constexpr int kPitch = kTileK * sizeof(Out) + 16;  // bytes; 16 keep banks apart
  static constexpr int kBytes = kTileRows * kPitch;
  static constexpr int kVector = 16 / sizeof(Out);
  static constexpr int kColumns = kTileK / kVector;
  static constexpr bool kAdds = !kIsNothing<Residual>;

  /// Starts copying the residual to where the results will stand. Part of the next group.
  static __device__ __forceinline__ void fetch(const ConvParams& p, unsigned out, int first_pixel,
                                               int first_k) {
    if (!kAdds || !p.whole_vectors) return;
    const Residual* residual =
        static_cast<const Residual*>(p.residual) + blockIdx.y * p.residual_batch;
#pragma unroll 2
    for (int i = threadIdx.x; i < kTileRows * kColumns; i += kThreads) {
      const int row = i / kColumns, column = i % kColumns * kVector;
      const int pixel = first_pixel + row, k = first_k + column;
      const bool valid = pixel < p.pixels && k < p.k_written;
      const Residual* from = residual + static_cast<long long>(pixel) * p.residual_pixel + k;
      copy_async(out + row * kPitch + column * static_cast<int>(sizeof(Out)),
                 valid ? from : residual, valid);
    }
  }

  /// What is the same for a pair of columns in all rows.
  struct Column {
    float bias[2], multiplier[2];
  };
  static __device__ __forceinline__ Column column(const ConvParams& p, int k) {
    Column c;
    const int at = min(k, (p.k_padded - 1) & ~1);  // columns past the last are not written
    const float2 bias = *reinterpret_cast<const float2*>(p.bias + at);
    c.bias[0] = bias.x;
    c.bias[1] = bias.y;
    if constexpr (sizeof(In) == 1) {
      const float2 multiplier = *reinterpret_cast<const float2*>(p.multiplier + at);
      c.multiplier[0] = multiplier.x;
      c.multiplier[1] = multiplier.y;
    }
    return c;
  }

  /// Two neighbouring sums with all that follows them; @p add: the residual, if there is one.
  static __device__ __forceinline__ Vector<Out, 2> finished(const ConvParams& p, const Column& c,
                                                            SumType sum0, SumType sum1,
                                                            const Vector<Residual, 2>& add) {
    float value[2] = {static_cast<float>(sum0), static_cast<float>(sum1)};
    Vector<Out, 2> result;
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      if constexpr (sizeof(In) == 1) value[i] = __fmul_rn(value[i], c.multiplier[i]);
      value[i] = __fadd_rn(value[i], c.bias[i]);
      if constexpr (kAdds) value[i] = __fadd_rn(value[i], real(add.at[i], p.residual_scale));
      result.at[i] =
          stored<Out>(ActivationFor<Act, Out>::of(value[i], p.alpha, p.beta), p.y_inverse);
    }
    return result;
  }

  /// Finishes two neighbouring sums and puts them where @p out holds the residual.
  static __device__ __forceinline__ void put(const ConvParams& p, unsigned char* out,
                                             const Column& c, int row, int column, int first_pixel,
                                             int first_k, SumType sum0, SumType sum1) {
    auto* at = reinterpret_cast<Vector<Out, 2>*>(out + row * kPitch +
                                                 column * static_cast<int>(sizeof(Out)));
    Vector<Residual, 2> add;
    if constexpr (kAdds) {
      if (p.whole_vectors) {
        add = *reinterpret_cast<const Vector<Residual, 2>*>(at);
      } else {
#pragma unroll
        for (int i = 0; i < 2; ++i) {
          const int pixel = first_pixel + row, k = first_k + column + i;
          add.at[i] = Residual{};
          if (pixel < p.pixels && k < p.k_written)
            add.at[i] = static_cast<const Residual*>(
                p.residual)[blockIdx.y * p.residual_batch +
                            static_cast<long long>(pixel) * p.residual_pixel + k];
        }
      }
    }
    *at = finished(p, c, sum0, sum1, add);
  }

  /// Writes the finished tile.
  static __device__ __forceinline__ void store(const ConvParams& p, const unsigned char* out,
                                               int first_pixel, int first_k) {
    Out* y = static_cast<Out*>(p.y) + blockIdx.y * p.y_batch;
#pragma unroll 4
    for (int i = threadIdx.x; i < kTileRows * kColumns; i += kThreads) {
      const int row = i / kColumns, column = i % kColumns * kVector;
      const int pixel = first_pixel + row, k = first_k + column;
      if (pixel >= p.pixels || k >= p.k_written) continue;
      const auto vector = *reinterpret_cast<const Vector<Out, kVector>*>(
          out + row * kPitch + column * static_cast<int>(sizeof(Out)));
      Out* to = y + static_cast<long long>(pixel) * p.y_pixel + k;
      if (p.whole_vectors) {
        *reinterpret_cast<Vector<Out, kVector>*>(to) = vector;
      } else {
#pragma unroll
        for (int j = 0; j < kVector; ++j)
          if (k + j < p.k_written) to[j] = vector.at[j];
      }
    }
  }
};
