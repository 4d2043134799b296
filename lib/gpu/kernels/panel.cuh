// The way from a warpgroup's sums into a panel of shared memory: rows that the copy engine carries
// out and that the tensor cores can multiply further. Needs sm_90.
#pragma once
#include "activation.cuh"
#include "conv_feed.cuh"

#if __CUDA_ARCH__ >= 900
/// Stores four pieces of 8 rows x 16 bytes, dealt to threads as ldmatrix does; each thread gives
/// the address of one row.
__device__ __forceinline__ void store_matrix_x4(unsigned address, const unsigned (&r)[4]) {
  asm volatile("stmatrix.sync.aligned.m8n8.x4.shared.b16 [%0], {%1, %2, %3, %4};" ::"r"(address),
               "r"(r[0]), "r"(r[1]), "r"(r[2]), "r"(r[3])
               : "memory");
}

/// A row's neighbours in one word of four bytes: the unit in which ldmatrix and stmatrix deal
/// pieces of a panel to threads.
template <class T>
struct Word;
template <>
struct Word<half> {
  static constexpr int kCount = 2;
  static __device__ __forceinline__ void unpack(unsigned word, float, float (&to)[2]) {
    const auto both = *reinterpret_cast<const Vector<half, 2>*>(&word);
    to[0] = to_float(both.at[0]);
    to[1] = to_float(both.at[1]);
  }
  template <class Act>
  static __device__ __forceinline__ unsigned pack(const float (&x)[2], float alpha, float beta,
                                                  float) {
    using Form = ActivationFor<Act, half>;
    unsigned word;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;"
        : "=r"(word)
        : "f"(Form::of(x[1], alpha, beta)), "f"(Form::of(x[0], alpha, beta)));
    return word;
  }
};
template <>
struct Word<signed char> {
  static constexpr int kCount = 4;
  /// As to_float() and real() do for each byte, with the sign turned for four at once.
  static __device__ __forceinline__ void unpack(unsigned word, float scale, float (&to)[4]) {
    word ^= 0x80808080;
#pragma unroll
    for (int i = 0; i < 4; ++i)
      to[i] =
          __fmul_rn(__uint_as_float(__byte_perm(word, 0x4b000000, 0x7440 + i)) - 8388736.f, scale);
  }
  /// As stored() does.
  template <class Act>
  static __device__ __forceinline__ unsigned pack(const float (&x)[4], float alpha, float beta,
                                                  float inverse) {
    unsigned bits[4];
#pragma unroll
    for (int i = 0; i < 4; ++i)
      bits[i] = kIsSame<Act, Relu>
                    ? rectified(x[i], inverse)
                    : nearest(ActivationFor<Act, signed char>::of(x[i], alpha, beta) * inverse);
    const unsigned word = __byte_perm(__byte_perm(bits[0], bits[1], 0x0040),
                                      __byte_perm(bits[2], bits[3], 0x0040), 0x5410);
    return kIsSame<Act, Relu> ? word - (word >> 7 & 0x01010101) : word;  // 127 instead of 128
  }

 private:
  /// The nearest integer in the low byte: there adding 1.5 * 2^23 brings it.
  static __device__ __forceinline__ unsigned nearest(float x) {
    return __float_as_uint(fminf(fmaxf(x, -128.f), 127.f) + 12582912.f);
  }
  /// The same for x * inverse, where 0 and 128 bound it: in 128ths, a product's own saturation
  /// does.
  static __device__ __forceinline__ unsigned rectified(float x, float inverse) {
    float part;
    asm("mul.rn.sat.f32 %0, %1, %2;" : "=f"(part) : "f"(x), "f"(inverse * 0.0078125f));
    return __float_as_uint(part + 98304.f);
  }
};

/// Multiplier, bias, residual and activation of sums, whose results take the residual's place in a
/// panel of 64 rows x kPanel bytes. A thread's words hold neighbours of the output; for int8
/// results the columns of the product are therefore dealt out in another order (tensor map
/// in_quads of product.cpp): column 16 j + 8 h + 2 q + e of the product is
/// 16 j + 4 q + 2 h + e of the output.
template <class In, class Out, class Residual, class Act, int kPanel>
struct PanelWay {
  using SumType = typename Sum<In>::type;
  using Neighbours = Word<Out>;
  static constexpr int kNear = Neighbours::kCount,
                       kColumns = kPanel / static_cast<int>(sizeof(Out));
  static constexpr int kSums = kColumns / 2;  ///< of a thread
  static constexpr int kPairs = kPanel / 32;  ///< pairs of 16-byte pieces of a row
  static constexpr bool kAdds = !kIsNothing<Residual>;

  /// Finishes kSums of @p sums, from @p from on, for columns @p first_k and following.
  template <int kAll>
  static __device__ __forceinline__ void finish(const ConvParams& p, unsigned panel, int first_k,
                                                const SumType (&sums)[kAll], int from) {
    const int lane = threadIdx.x % 32, row = threadIdx.x % 128 / 32 * 16 + lane % 16;
    const unsigned own = panel + swizzled<kPanel>(row, lane / 16);
    unsigned words[kPairs][4];
    if constexpr (kAdds)
#pragma unroll
      for (int i = 0; i < kPairs; ++i) load_matrix_x4(words[i], own ^ (i << 5));
#pragma unroll
    for (int i = 0; i < kPairs; ++i) {
#pragma unroll
      for (int piece = 0; piece < 2; ++piece) {
        const int at = (i * 2 + piece) * 16 / static_cast<int>(sizeof(Out));
        const Shares shares(p, first_k + at + lane % 4 * kNear);
#pragma unroll
        for (int lower = 0; lower < 2; ++lower) {
          unsigned& word = words[i][piece * 2 + lower];
          SumType own_sums[kNear];
#pragma unroll
          for (int e = 0; e < kNear; ++e)
            own_sums[e] = sums[from + at / 2 + e / 2 * 4 + lower * 2 + e % 2];
          word = finished(p, shares, own_sums, word);
        }
      }
      store_matrix_x4(own ^ (i << 5), words[i]);
    }
  }

 private:
  /// What is the same for a word's columns in all rows.
  struct Shares {
    float bias[kNear], multiplier[kNear];
    __device__ __forceinline__ Shares(const ConvParams& p, int k) {
      const int at = min(k, p.k_padded - kNear);  // columns past the last are not written
      load(p.bias + at, bias);
      if constexpr (sizeof(In) == 1) load(p.multiplier + at, multiplier);
    }
    static __device__ __forceinline__ void load(const float* from, float (&to)[kNear]) {
      if constexpr (kNear == 4) {
        const float4 four = __ldg(reinterpret_cast<const float4*>(from));
        to[0] = four.x, to[1] = four.y, to[2] = four.z, to[3] = four.w;
      } else {
        const float2 two = __ldg(reinterpret_cast<const float2*>(from));
        to[0] = two.x, to[1] = two.y;
      }
    }
  };

  static __device__ __forceinline__ unsigned finished(const ConvParams& p, const Shares& shares,
                                                      const SumType (&sums)[kNear],
                                                      unsigned residual) {
    float value[kNear];
#pragma unroll
    for (int e = 0; e < kNear; ++e) {
      value[e] = static_cast<float>(sums[e]);
      if constexpr (sizeof(In) == 1) value[e] = __fmul_rn(value[e], shares.multiplier[e]);
      value[e] = __fadd_rn(value[e], shares.bias[e]);
    }
    if constexpr (kAdds) {
      float add[kNear];
      Neighbours::unpack(residual, p.residual_scale, add);
#pragma unroll
      for (int e = 0; e < kNear; ++e) value[e] = __fadd_rn(value[e], add[e]);
    }
    return Neighbours::template pack<Act>(value, p.alpha, p.beta, p.y_inverse);
  }
};
#endif
