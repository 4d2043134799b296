#include "conformance/difference.h"

#include <cmath>

namespace dlaexec::test {

double relative_l2(const ir::Tensor& found, const ir::Tensor& wanted) {
  const std::vector<float> a = found.to_floats();
  const std::vector<float> b = wanted.to_floats();
  if (a.size() != b.size()) return INFINITY;
  double error = 0;
  double norm = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::isinf(b[i]) && (a[i] == b[i] || a[i] == std::copysign(65504.0F, b[i]))) continue;
    const double difference = static_cast<double>(a[i]) - b[i];
    error += difference * difference;
    norm += static_cast<double>(b[i]) * b[i];
  }
  const double relative = norm > 0 ? std::sqrt(error / norm) : std::sqrt(error);
  return std::isnan(relative) ? INFINITY : relative;
}

}  // namespace dlaexec::test
