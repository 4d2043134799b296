// Elements that indices choose: gathers, scatters, one_hot, trilu. Elements move, as words, but for
// scatters that combine.
//   Word    unsigned integer of the element's size, or as much of what lies side by side as fits
//   T       half, float, or an integer's type
//   Index   int or long long; negative ones count from the end, others are held inside the data
// Grid: ceil(count / 256) blocks of 256.
#include "index_params.h"
#include "types.cuh"

using dlaexec::gpu::IndexParams;
using dlaexec::gpu::kIndexRank;

/// 16 bytes that move together.
struct alignas(16) Quad {
  unsigned word[4];
};

__device__ __forceinline__ long long this_thread() { return blockIdx.x * 256ll + threadIdx.x; }

template <class Index>
__device__ __forceinline__ long long held(Index index, int size) {
  const long long at = index < 0 ? index + static_cast<long long>(size) : index;
  return at < 0 ? 0 : at >= size ? size - 1 : at;
}

/// out[o][j][i] = data[o][indices[j]][i]; sizes[0] is the axis, index_dims[0] the indices.
template <class Word, class Index>
__global__ void __launch_bounds__(256) gather(const __grid_constant__ IndexParams p) {
  release_next();
  wait_for_inputs();
  const long long at = this_thread();
  if (at >= p.count) return;
  const long long inner = at % p.inner, row = at / p.inner;
  const long long j = row % p.index_dims[0], outer = row / p.index_dims[0];
  const long long chosen = held(static_cast<const Index*>(p.indices)[j], p.sizes[0]);
  static_cast<Word*>(p.out)[at] =
      static_cast<const Word*>(p.data)[(outer * p.sizes[0] + chosen) * p.inner + inner];
}

/// The element of data that index @p at of gather_elements and scatter_elements means.
template <class Index>
__device__ __forceinline__ long long element_of(const IndexParams& p, long long at) {
  long long rest = at, element = 0;
#pragma unroll
  for (int d = kIndexRank - 1; d >= 0; --d) {
    long long position = rest % p.index_dims[d];
    rest /= p.index_dims[d];
    if (d == p.axis) position = held(static_cast<const Index*>(p.indices)[at], p.sizes[d]);
    element += position * p.strides[d];
  }
  return element;
}

template <class Word, class Index>
__global__ void __launch_bounds__(256) gather_elements(const __grid_constant__ IndexParams p) {
  release_next();
  wait_for_inputs();
  const long long at = this_thread();
  if (at >= p.count) return;
  static_cast<Word*>(p.out)[at] = static_cast<const Word*>(p.data)[element_of<Index>(p, at)];
}

/// out[at of element i] = updates[i]; out holds the data already.
template <class Word, class Index>
__global__ void __launch_bounds__(256) scatter_elements(const __grid_constant__ IndexParams p) {
  release_next();
  wait_for_inputs();
  const long long at = this_thread();
  if (at >= p.count) return;
  static_cast<Word*>(p.out)[element_of<Index>(p, at)] = static_cast<const Word*>(p.updates)[at];
}

/// The first word of the slice that tuple @p tuple points at.
template <class Index>
__device__ __forceinline__ long long slice_of(const IndexParams& p, long long tuple) {
  long long word = tuple / p.tuples * p.batch_stride;
  for (int d = 0; d < p.depth; ++d)
    word += held(static_cast<const Index*>(p.indices)[tuple * p.depth + d], p.sizes[p.first + d]) *
            p.strides[p.first + d];
  return word;
}

template <class Word, class Index>
__global__ void __launch_bounds__(256) gather_nd(const __grid_constant__ IndexParams p) {
  release_next();
  wait_for_inputs();
  const long long at = this_thread();
  if (at >= p.count) return;
  static_cast<Word*>(p.out)[at] =
      static_cast<const Word*>(p.data)[slice_of<Index>(p, at / p.inner) + at % p.inner];
}

template <class Word, class Index>
__global__ void __launch_bounds__(256) scatter_nd(const __grid_constant__ IndexParams p) {
  release_next();
  wait_for_inputs();
  const long long at = this_thread();
  if (at >= p.count) return;
  static_cast<Word*>(p.out)[slice_of<Index>(p, at / p.inner) + at % p.inner] =
      static_cast<const Word*>(p.updates)[at];
}

/// What elements are combined in: reals in float, integers in long long.
template <class T>
using Wide = Select<kIsSame<T, float> || kIsSame<T, half>, float, long long>;

template <class T>
__device__ __forceinline__ Wide<T> widened(T x) {
  if constexpr (kIsSame<T, half>)
    return to_float(x);
  else
    return static_cast<Wide<T>>(x);
}

#define DLAEXEC_COMBINATION(Name, value)                \
  struct Name {                                         \
    template <class W>                                  \
    static __device__ __forceinline__ W of(W a, W b) { \
      return value;                                     \
    }                                                   \
  };
DLAEXEC_COMBINATION(Add, a + b)
DLAEXEC_COMBINATION(Mul, a* b)
DLAEXEC_COMBINATION(Max, a < b ? b : a)
DLAEXEC_COMBINATION(Min, b < a ? b : a)

/// Puts down what became of element @p at, rounded once.
template <class T>
__device__ __forceinline__ void put(const IndexParams& p, long long at, Wide<T> value) {
  if constexpr (kIsSame<T, half>)
    static_cast<T*>(p.out)[at] = from_float<half>(value);
  else
    static_cast<T*>(p.out)[at] = static_cast<T>(value);
}

/// out = data, each element combined with the updates that point at it, in their order: a thread an
/// element, so that the same sums come out each time.
template <class T, class Index, class How>
__global__ void __launch_bounds__(256) combine_elements(const __grid_constant__ IndexParams p) {
  release_next();
  wait_for_inputs();
  const long long at = this_thread();
  if (at >= p.count) return;
  Wide<T> value = widened(static_cast<const T*>(p.data)[at]);
  // Where the first of the updates lies that may point here, and from one to the next.
  long long rest = at, first = 0, stride = 1, step = 0;
  int own = 0;
  bool any = true;
#pragma unroll
  for (int d = kIndexRank - 1; d >= 0; --d) {
    const int position = static_cast<int>(rest % p.sizes[d]);
    rest /= p.sizes[d];
    if (d == p.axis) {
      own = position;
      step = stride;
    } else {
      any &= position < p.index_dims[d];
      first += position * stride;
    }
    stride *= p.index_dims[d];
  }
  for (int j = 0; any && j < p.index_dims[p.axis]; ++j) {
    const long long update = first + j * step;
    if (held(static_cast<const Index*>(p.indices)[update], p.sizes[p.axis]) == own)
      value = How::of(value, widened(static_cast<const T*>(p.updates)[update]));
  }
  put<T>(p, at, value);
}

/// The same where tuples point at slices of p.inner elements.
template <class T, class Index, class How>
__global__ void __launch_bounds__(256) combine_nd(const __grid_constant__ IndexParams p) {
  release_next();
  wait_for_inputs();
  const long long at = this_thread();
  if (at >= p.count) return;
  Wide<T> value = widened(static_cast<const T*>(p.data)[at]);
  const long long inner = at % p.inner;
  for (long long tuple = 0; tuple < p.tuples; ++tuple)
    if (slice_of<Index>(p, tuple) == at - inner)
      value = How::of(value, widened(static_cast<const T*>(p.updates)[tuple * p.inner + inner]));
  put<T>(p, at, value);
}

/// out[o][d][i] = data[indices[o][i] == d], data being the value of the others and of the one.
template <class Word, class Index>
__global__ void __launch_bounds__(256) one_hot(const __grid_constant__ IndexParams p) {
  release_next();
  wait_for_inputs();
  const long long at = this_thread();
  if (at >= p.count) return;
  const long long inner = at % p.inner, row = at / p.inner;
  const int position = static_cast<int>(row % p.sizes[0]);
  const long long index = static_cast<const Index*>(p.indices)[row / p.sizes[0] * p.inner + inner];
  const bool hot = (index < 0 ? index + p.sizes[0] : index) == position;
  static_cast<Word*>(p.out)[at] = static_cast<const Word*>(p.data)[hot];
}

/// Zero below (kUpper) or above the diagonal; sizes end in rows and columns.
template <class Word, bool kUpper>
__global__ void __launch_bounds__(256) trilu(const __grid_constant__ IndexParams p) {
  release_next();
  wait_for_inputs();
  const long long at = this_thread();
  if (at >= p.count) return;
  const int columns = p.sizes[kIndexRank - 1], rows = p.sizes[kIndexRank - 2];
  const int diagonal = static_cast<int>(at % columns) - static_cast<int>(at / columns % rows);
  const bool kept = kUpper ? diagonal >= p.diagonal : diagonal <= p.diagonal;
  static_cast<Word*>(p.out)[at] = kept ? static_cast<const Word*>(p.data)[at] : Word{};
}
