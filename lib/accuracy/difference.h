// How far one tensor is from another.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ir/tensor.h"

namespace dlaexec::accuracy {

/// The distance of a tensor from a reference, over all elements, computed in double.
struct Difference {
  int64_t count = 0;
  double max_abs = 0;      ///< largest |x - reference|
  double relative_l2 = 0;  ///< ||x - reference|| / ||reference||; infinite for a zero reference
  double cosine = 1;       ///< of the angle between the two; 1 when both are zero, 0 when one is
  double snr_db = 0;       ///< 10 log10 of signal over noise energy; infinite when equal
  int64_t not_finite =
      0;  ///< elements that are NaN or infinite in one and not the same in the other
};

/// Throws an Error when the dimensions differ.
Difference difference(const ir::Tensor& tensor, const ir::Tensor& reference);

/// Adds up over several pairs, as if all elements stood in one tensor.
class DifferenceSum {
 public:
  void add(const ir::Tensor& tensor, const ir::Tensor& reference);
  Difference total() const;

 private:
  int64_t count_ = 0, not_finite_ = 0;
  double max_abs_ = 0, noise_ = 0, signal_ = 0, energy_ = 0, product_ = 0;
};

/// "max abs 0.0012, relative L2 0.034 %, cosine 0.99999, SNR 69.4 dB"
std::string to_text(const Difference& difference);

/// The indices of the @p count largest elements of each row of the last dimension, largest first;
/// of equal ones the first wins. Rows are all other dimensions.
std::vector<std::vector<int64_t>> top_indices(const ir::Tensor& tensor, int64_t count);

}  // namespace dlaexec::accuracy
