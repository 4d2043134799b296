#include "accuracy/difference.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace dlaexec::accuracy {

void DifferenceSum::add(const ir::Tensor& tensor, const ir::Tensor& reference) {
  if (tensor.dims() != reference.dims())
    fail("a tensor of shape {} cannot be compared with one of {}", ir::to_text(tensor.dims()),
         ir::to_text(reference.dims()));
  const std::vector<float> found = tensor.to_floats(), expected = reference.to_floats();
  count_ += tensor.count();
  for (size_t i = 0; i < found.size(); ++i) {
    const double x = found[i], r = expected[i];
    if (!std::isfinite(x) || !std::isfinite(r)) {
      const bool same = x == r || (std::isnan(x) && std::isnan(r));
      if (!same) ++not_finite_;
      continue;
    }
    max_abs_ = std::max(max_abs_, std::fabs(x - r));
    noise_ += (x - r) * (x - r);
    signal_ += r * r;
    energy_ += x * x;
    product_ += x * r;
  }
}

Difference DifferenceSum::total() const {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  Difference result;
  result.count = count_;
  result.not_finite = not_finite_;
  result.max_abs = max_abs_;
  result.relative_l2 = noise_ == 0 ? 0 : signal_ == 0 ? kInfinity : std::sqrt(noise_ / signal_);
  const bool both_zero = signal_ == 0 && energy_ == 0;
  const bool one_zero = signal_ == 0 || energy_ == 0;
  result.cosine = both_zero ? 1 : one_zero ? 0 : product_ / std::sqrt(signal_ * energy_);
  result.snr_db = noise_ == 0 ? kInfinity : 10 * std::log10(signal_ / noise_);
  return result;
}

Difference difference(const ir::Tensor& tensor, const ir::Tensor& reference) {
  DifferenceSum sum;
  sum.add(tensor, reference);
  return sum.total();
}

std::string to_text(const Difference& d) {
  std::string text = format("max abs {:.3g}, relative L2 {:.3g} %, cosine {:.6f}, SNR {:.1f} dB",
                            d.max_abs, d.relative_l2 * 100, d.cosine, d.snr_db);
  if (d.not_finite > 0) text += format(", {} elements not finite", d.not_finite);
  return text;
}

std::vector<std::vector<int64_t>> top_indices(const ir::Tensor& tensor, int64_t count) {
  const std::vector<float> elements = tensor.to_floats();
  const int64_t length = tensor.dims().empty() ? 1 : tensor.dims().back();
  std::vector<std::vector<int64_t>> rows;
  for (int64_t start = 0; length > 0 && start < tensor.count(); start += length) {
    std::vector<int64_t> order(static_cast<size_t>(length));
    std::iota(order.begin(), order.end(), int64_t{0});
    const auto kept = order.begin() + std::min(count, length);
    std::partial_sort(order.begin(), kept, order.end(), [&](int64_t a, int64_t b) {
      const float x = elements[static_cast<size_t>(start + a)],
                  y = elements[static_cast<size_t>(start + b)];
      return x > y || (x == y && a < b);
    });
    order.erase(kept, order.end());
    rows.push_back(std::move(order));
  }
  return rows;
}

}  // namespace dlaexec::accuracy
