// How often a classifier is right on labelled samples.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "accuracy/dataset.h"

namespace dlaexec::accuracy {

/// A share with the interval in which the true one lies with 95 % confidence (Wilson's).
struct Share {
  int64_t hits = 0, count = 0;
  double value = 0, low = 0, high = 1;
};

Share share_of(int64_t hits, int64_t count);

struct Validation {
  Share top1, top5;
  std::vector<int64_t> predictions;  ///< the class seen in each sample, in the order of the data
};

/// Runs one batch: inputs in the order of the feeds, the scores as result, one row per sample.
using Classify = std::function<ir::Tensor(const std::vector<ir::Tensor>& inputs)>;

/// Classifies every sample in batches of @p batch; the last batch is filled up with the last
/// sample, and what it says of the filling does not count. Throws an Error that names a sample
/// without a label, or a label that is no class.
Validation validate(const Dataset& data, size_t batch, const Classify& classify,
                    const std::function<void(size_t done, size_t total)>& progress = {});

/// Two engines on the same samples, sample by sample.
struct Paired {
  int64_t count = 0;
  int64_t only_first = 0;    ///< samples that only the first engine got right
  int64_t only_second = 0;   ///< samples that only the second got right
  double loss = 0;           ///< accuracy of the first less that of the second
  double low = 0, high = 0;  ///< 95 % interval of the loss
};

/// How much accuracy @p second loses against @p first on the labels of @p data. The interval is
/// that of a difference of paired proportions.
Paired compare(const Dataset& data, const Validation& first, const Validation& second);

}  // namespace dlaexec::accuracy
