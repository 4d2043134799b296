#include "ref/stride.h"

namespace dlaexec::ref {

ir::Dims broadcast_strides(const ir::Dims& from, const ir::Dims& to) {
  const ir::Dims dense = ir::dense_strides(from);
  ir::Dims strides(to.size(), 0);
  for (size_t i = 0; i < from.size(); ++i)
    if (from[i] != 1) strides[i + to.size() - from.size()] = dense[i];
  return strides;
}

ir::Tensor gather_strided(const ir::Tensor& x, const ir::Dims& dims, int64_t offset,
                          const ir::Dims& strides) {
  ir::Tensor y(x.type(), dims);
  with_word(ir::size_bytes(x.type()), [&]<class Word>() {
    const Word* from = words<Word>(x) + offset;
    Word* to = mutable_words<Word>(y);
    const int64_t row = dims.empty() ? 1 : dims.back();
    const int64_t step = last_stride(strides);
    for_each_row<1>(dims, {strides}, [&](int64_t first, const std::array<int64_t, 1>& at) {
      for (int64_t i = 0; i < row; ++i) to[first + i] = from[at[0] + i * step];
    });
  });
  return y;
}

void scatter_strided(ir::Tensor& y, const ir::Tensor& part, int64_t offset,
                     const ir::Dims& strides) {
  with_word(ir::size_bytes(y.type()), [&]<class Word>() {
    const Word* from = words<Word>(part);
    Word* to = mutable_words<Word>(y) + offset;
    const int64_t row = part.dims().empty() ? 1 : part.dims().back();
    const int64_t step = last_stride(strides);
    for_each_row<1>(part.dims(), {strides}, [&](int64_t first, const std::array<int64_t, 1>& at) {
      for (int64_t i = 0; i < row; ++i) to[at[0] + i * step] = from[first + i];
    });
  });
}

}  // namespace dlaexec::ref
