#include "measure/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace dlaexec::measure {
namespace {

/// Of a float's 23 mantissa bits the first 6 count: 64 buckets per octave.
constexpr int kDroppedBits = 23 - 6;

int32_t bucket_of(float sample) {
  return sample > 0 ? std::bit_cast<int32_t>(sample) >> kDroppedBits : 0;
}

float low_of(int32_t bucket) { return std::bit_cast<float>(bucket << kDroppedBits); }

}  // namespace

Histogram::Histogram(std::span<const float> samples) {
  for (const float sample : samples) add(sample);
}

void Histogram::add(float sample, uint64_t count) {
  counts_[bucket_of(sample)] += count;
  count_ += count;
}

void Histogram::merge(const Histogram& other) {
  for (const auto& [bucket, count] : other.counts_) counts_[bucket] += count;
  count_ += other.count_;
}

std::vector<Histogram::Bucket> Histogram::buckets() const {
  std::vector<Bucket> buckets;
  for (const auto& [bucket, count] : counts_)
    buckets.push_back({low_of(bucket), low_of(bucket + 1), count});
  return buckets;
}

float Histogram::percentile(double rank) const {
  if (count_ == 0) return 0;
  const double wanted = std::ceil(std::clamp(rank, 0.0, 100.0) / 100 * static_cast<double>(count_));
  uint64_t seen = 0;
  for (const Bucket& bucket : buckets()) {
    seen += bucket.count;
    if (static_cast<double>(seen) >= std::max(1.0, wanted)) return (bucket.low + bucket.high) / 2;
  }
  return 0;
}

}  // namespace dlaexec::measure
