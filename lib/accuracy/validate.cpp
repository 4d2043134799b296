#include "accuracy/validate.h"

#include <algorithm>
#include <cmath>

#include "accuracy/difference.h"

namespace dlaexec::accuracy {
namespace {

constexpr double kZ95 = 1.959963984540054;  ///< of the normal distribution, two-sided

/// @p count samples from @p first on, the last one repeated where the data ends.
std::vector<ir::Tensor> filled_batch(const Dataset& data, size_t first, size_t count) {
  const size_t there = std::min(count, data.size() - first);
  if (there == count) return data.load_batch(first, count);
  std::vector<ir::Tensor> batch;
  const std::vector<ir::Tensor> part = data.load_batch(first, there);
  for (const ir::Tensor& tensor : part) {
    ir::Dims dims = tensor.dims();
    const size_t one = tensor.size_bytes() / there;
    dims[0] = static_cast<int64_t>(count);
    ir::Tensor whole(tensor.type(), dims);
    for (size_t i = 0; i < count; ++i)
      std::copy_n(tensor.bytes().data() + std::min(i, there - 1) * one, one,
                  whole.mutable_bytes().data() + i * one);
    batch.push_back(std::move(whole));
  }
  return batch;
}

int64_t label_of(const Dataset& data, size_t index, int64_t classes) {
  const Sample& sample = data.sample(index);
  if (!sample.label)
    fail("'{}' has no label; give a manifest whose lines end in one", sample.files[0]);
  if (*sample.label >= classes)
    fail("'{}' has the label {}; the network knows {} classes, from 0 on", sample.files[0],
         *sample.label, classes);
  return *sample.label;
}

}  // namespace

Share share_of(int64_t hits, int64_t count) {
  Share share{hits, count, 0, 0, 1};
  if (count == 0) return share;
  const auto n = static_cast<double>(count);
  share.value = static_cast<double>(hits) / n;
  const double z2 = kZ95 * kZ95;
  const double middle = (share.value + z2 / (2 * n)) / (1 + z2 / n);
  const double half =
      kZ95 / (1 + z2 / n) * std::sqrt(share.value * (1 - share.value) / n + z2 / (4 * n * n));
  share.low = std::max(0.0, middle - half);
  share.high = std::min(1.0, middle + half);
  return share;
}

Validation validate(const Dataset& data, size_t batch, const Classify& classify,
                    const std::function<void(size_t, size_t)>& progress) {
  Validation result;
  int64_t hits1 = 0, hits5 = 0;
  for (size_t first = 0; first < data.size(); first += batch) {
    const ir::Tensor scores = classify(filled_batch(data, first, batch));
    const int64_t classes = scores.count() / static_cast<int64_t>(batch);
    const ir::Tensor rows = scores.reshaped({static_cast<int64_t>(batch), classes});
    const std::vector<std::vector<int64_t>> best = top_indices(rows, 5);
    const size_t there = std::min(batch, data.size() - first);
    for (size_t i = 0; i < there; ++i) {
      const int64_t label = label_of(data, first + i, classes);
      hits1 += best[i][0] == label;
      hits5 += std::count(best[i].begin(), best[i].end(), label);
      result.predictions.push_back(best[i][0]);
    }
    if (progress) progress(first + there, data.size());
  }
  const auto count = static_cast<int64_t>(data.size());
  result.top1 = share_of(hits1, count);
  result.top5 = share_of(hits5, count);
  return result;
}

Paired compare(const Dataset& data, const Validation& first, const Validation& second) {
  Paired result;
  result.count = static_cast<int64_t>(data.size());
  for (size_t i = 0; i < data.size(); ++i) {
    const bool a = first.predictions[i] == data.sample(i).label;
    const bool b = second.predictions[i] == data.sample(i).label;
    result.only_first += a && !b;
    result.only_second += b && !a;
  }
  const auto n = static_cast<double>(result.count);
  const auto lost = static_cast<double>(result.only_first),
             won = static_cast<double>(result.only_second);
  result.loss = (lost - won) / n;
  const double half =
      kZ95 * std::sqrt(std::max(0.0, lost + won - (lost - won) * (lost - won) / n)) / n;
  result.low = result.loss - half;
  result.high = result.loss + half;
  return result;
}

}  // namespace dlaexec::accuracy
