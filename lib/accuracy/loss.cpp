#include "accuracy/loss.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace dlaexec::accuracy {
namespace {

/// |x - r|; 0 for equal infinities and for two NaNs.
double distance(double x, double r) {
  if (x == r || (std::isnan(x) && std::isnan(r))) return 0;
  const double difference = std::fabs(x - r);
  return std::isnan(difference) ? std::numeric_limits<double>::infinity() : difference;
}

double cosine_loss(const std::vector<float>& found, const std::vector<float>& expected) {
  double product = 0, energy = 0, signal = 0;
  for (size_t i = 0; i < found.size(); ++i) {
    product += double{found[i]} * expected[i];
    energy += double{found[i]} * found[i];
    signal += double{expected[i]} * expected[i];
  }
  if (energy == 0 && signal == 0) return 0;
  const double cosine = product / std::sqrt(energy * signal);
  return std::isfinite(cosine) ? std::max(0.0, 1 - cosine) : 1;
}

}  // namespace

double loss(const ir::Tensor& tensor, const ir::Tensor& reference, Loss kind,
            const Tolerances& tolerances) {
  if (tensor.dims() != reference.dims())
    fail("a tensor of shape {} cannot be compared with one of {}", ir::to_text(tensor.dims()),
         ir::to_text(reference.dims()));
  const std::vector<float> found = tensor.to_floats(), expected = reference.to_floats();
  if (kind == Loss::Cos) return cosine_loss(found, expected);
  double sum = 0, largest = 0;
  int64_t outside = 0;
  for (size_t i = 0; i < found.size(); ++i) {
    const double d = distance(found[i], expected[i]);
    sum += kind == Loss::L2 ? d * d : d;
    largest = std::max(largest, d);
    if (d > tolerances.absolute + tolerances.relative * std::fabs(expected[i])) ++outside;
  }
  if (kind == Loss::LInf) return largest;
  const double count = std::max<double>(1, static_cast<double>(found.size()));
  return (kind == Loss::L0 ? static_cast<double>(outside) : sum) / count;
}

}  // namespace dlaexec::accuracy
