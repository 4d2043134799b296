// Walking tensors by strides.
#pragma once

#include <array>

#include "ir/tensor.h"

namespace dlaexec::ref {

/// Calls body(first, offsets) for each run along the last dimension of @p dims: the number of its
/// first element, and where each operand's run starts.
template <size_t N, class Body>
void for_each_row(const ir::Dims& dims, const std::array<ir::Dims, N>& strides, Body&& body) {
  const int64_t total = ir::volume(dims);
  if (total == 0) return;
  const size_t outer = dims.empty() ? 0 : dims.size() - 1;
  const int64_t row = dims.empty() ? 1 : dims.back();
  std::array<int64_t, N> offsets{};
  ir::Dims position(outer, 0);
  for (int64_t first = 0; first < total; first += row) {
    body(first, offsets);
    for (size_t axis = outer; axis-- > 0;) {
      for (size_t n = 0; n < N; ++n) offsets[n] += strides[n][axis];
      if (++position[axis] < dims[axis]) break;
      for (size_t n = 0; n < N; ++n) offsets[n] -= dims[axis] * strides[n][axis];
      position[axis] = 0;
    }
  }
}

/// The stride of the last dimension, or 0 for a scalar.
inline int64_t last_stride(const ir::Dims& strides) { return strides.empty() ? 0 : strides.back(); }

/// Strides that make a tensor of dimensions @p from look like @p to: 0 where it repeats.
ir::Dims broadcast_strides(const ir::Dims& from, const ir::Dims& to);

/// The elements of @p x at offset + sum(position * stride), over positions in @p dims.
ir::Tensor gather_strided(const ir::Tensor& x, const ir::Dims& dims, int64_t offset,
                          const ir::Dims& strides);
/// Writes the elements of @p part to offset + sum(position * stride) in @p y.
void scatter_strided(ir::Tensor& y, const ir::Tensor& part, int64_t offset,
                     const ir::Dims& strides);

/// Calls body.operator()<Word>() with an unsigned type of @p size bytes.
template <class Body>
void with_word(size_t size, Body&& body) {
  switch (size) {
    case 1:
      return body.template operator()<uint8_t>();
    case 2:
      return body.template operator()<uint16_t>();
    case 4:
      return body.template operator()<uint32_t>();
    default:
      return body.template operator()<uint64_t>();
  }
}

template <class Word>
const Word* words(const ir::Tensor& tensor) {
  return reinterpret_cast<const Word*>(tensor.bytes().data());
}
template <class Word>
Word* mutable_words(ir::Tensor& tensor) {
  return reinterpret_cast<Word*>(tensor.mutable_bytes().data());
}

}  // namespace dlaexec::ref
