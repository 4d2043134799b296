// How often which sample occurred, in buckets that are the same for every series, so that
// histograms of several runs, machines or processes add up to the histogram of all of them.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace dlaexec::measure {

/// Counts of samples above 0 in buckets that are 1/64 of an octave wide or less: the bounds of a
/// bucket lie 1.6 % apart at most. Zeros and what lies below count in a bucket of their own.
class Histogram {
 public:
  struct Bucket {
    float low = 0, high = 0;  ///< low belongs to it, high to the next
    uint64_t count = 0;
  };

  Histogram() = default;
  explicit Histogram(std::span<const float> samples);

  void add(float sample, uint64_t count = 1);
  /// As if every sample of @p other had been added.
  void merge(const Histogram& other);

  uint64_t count() const { return count_; }
  /// Those with samples in them, ascending.
  std::vector<Bucket> buckets() const;
  /// The middle of the bucket that holds the percentile; 0 without samples. @p rank is from 0
  /// (smallest) to 100, with fractions.
  float percentile(double rank) const;

  friend bool operator==(const Histogram&, const Histogram&) = default;

 private:
  std::map<int32_t, uint64_t> counts_;  ///< by the sample's leading bits
  uint64_t count_ = 0;
};

}  // namespace dlaexec::measure
