#include "ir/shape.h"

#include <algorithm>

#include "base/error.h"

namespace dlaexec::ir {

int64_t volume(const Dims& dims) {
  int64_t count = 1;
  for (const int64_t dim : dims) {
    if (__builtin_mul_overflow(count, dim, &count))
      fail("a tensor of shape {} has more elements than any memory holds", to_text(dims));
  }
  return count;
}

std::vector<int64_t> dense_strides(const Dims& dims) {
  std::vector<int64_t> strides(dims.size(), 1);
  for (size_t i = dims.size(); i-- > 1;) strides[i - 1] = strides[i] * dims[i];
  return strides;
}

bool is_static(const Shape& shape) {
  return std::all_of(shape.begin(), shape.end(), [](const Dim& dim) { return dim.is_known(); });
}

Dims dims_of(const Shape& shape) {
  DLAEXEC_CHECK(is_static(shape));
  Dims dims(shape.size());
  std::transform(shape.begin(), shape.end(), dims.begin(),
                 [](const Dim& dim) { return dim.value; });
  return dims;
}

Shape shape_of(const Dims& dims) { return Shape(dims.begin(), dims.end()); }

std::string to_text(const Dims& dims) { return dims.empty() ? "scalar" : join(dims, "x"); }

std::string to_text(const Shape& shape) {
  if (shape.empty()) return "scalar";
  return join(shape, "x", [](const Dim& dim) {
    return dim.is_known() ? std::to_string(dim.value) : dim.symbol;
  });
}

}  // namespace dlaexec::ir
