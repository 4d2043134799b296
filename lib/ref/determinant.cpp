// Determinants of square matrices, by elimination in double.
#include <algorithm>
#include <cmath>

#include "ref/call.h"

namespace dlaexec::ref {
namespace {

/// The determinant of the @p size by @p size matrix at @p from; the largest element of a column
/// leads its step.
double determinant(const float* from, size_t size) {
  std::vector<double> m(from, from + size * size);
  double result = 1;
  for (size_t step = 0; step < size; ++step) {
    const auto magnitude = [&](size_t row) { return std::abs(m[row * size + step]); };
    size_t lead = step;
    for (size_t row = step + 1; row < size; ++row)
      if (magnitude(row) > magnitude(lead)) lead = row;
    const double pivot = m[lead * size + step];
    result *= lead == step ? pivot : -pivot;
    if (pivot == 0) return 0;
    const auto row_at = [&](size_t row) { return m.begin() + static_cast<long>(row * size); };
    if (lead != step) std::swap_ranges(row_at(lead), row_at(lead + 1), row_at(step));
    for (size_t row = step + 1; row < size; ++row) {
      const double factor = m[row * size + step] / pivot;
      for (size_t column = step; column < size; ++column)
        m[row * size + column] -= factor * m[step * size + column];
    }
  }
  return result;
}

}  // namespace

Tensors det(const Call& call) {
  Dims dims = call.dims(0);
  const int64_t size = dims.back();
  if (size != dims[dims.size() - 2])
    fail("the matrices are {} by {}; a determinant needs square ones", dims[dims.size() - 2], size);
  dims.resize(dims.size() - 2);
  const std::vector<float> x = call.reals(0);
  std::vector<float> y(static_cast<size_t>(ir::volume(dims)));
  for (size_t i = 0; i < y.size(); ++i)
    y[i] = static_cast<float>(
        determinant(x.data() + static_cast<int64_t>(i) * size * size, static_cast<size_t>(size)));
  return {call.from_reals(dims, y)};
}

}  // namespace dlaexec::ref
