#include "measure/compare.h"

#include <algorithm>
#include <limits>

#include "base/format.h"
#include "measure/diagnosis.h"
#include "measure/statistics.h"

namespace dlaexec::measure {
namespace {

constexpr size_t kFewestSamples = 8;

Verdict judge(const Interval& shift, double limit) {
  if (shift.low > limit) return Verdict::Slower;
  if (shift.high < -limit) return Verdict::Faster;
  if (shift.low >= -limit && shift.high <= limit) return Verdict::Same;
  return Verdict::Inconclusive;
}

std::string describe(const Diagnosis& before, const Diagnosis& after) {
  std::string text;
  const auto add = [&](const char* which, const Diagnosis& diagnosis) {
    if (diagnosis.unsteadiness() == 0) return;
    if (!text.empty()) text += "; ";
    text += format("{}: {}", which, diagnosis.sentences().front());
  };
  add("before", before);
  add("after", after);
  return text;
}

}  // namespace

std::string_view text(Verdict verdict) {
  constexpr std::string_view kNames[] = {"faster", "same", "slower", "inconclusive"};
  return kNames[static_cast<size_t>(verdict)];
}

Comparison compare(std::span<const float> before, std::span<const float> after, double limit) {
  Comparison comparison;
  if (before.empty() || after.empty()) {
    comparison.doubt = "one of the series has no samples";
    return comparison;
  }
  comparison.before = median(before);
  comparison.after = median(after);
  if (comparison.before <= 0) {
    comparison.doubt = "the earlier median is 0: nothing to relate a change to";
    return comparison;
  }
  const Interval absolute = shift(before, after);
  const Diagnosis earlier = diagnose(before), later = diagnose(after);
  const double unsteady = (earlier.unsteadiness() + later.unsteadiness()) / comparison.before;
  comparison.shift = {absolute.estimate / comparison.before,
                      absolute.low / comparison.before - unsteady,
                      absolute.high / comparison.before + unsteady};
  comparison.doubt = describe(earlier, later);
  if (std::min(before.size(), after.size()) < kFewestSamples) {
    comparison.doubt = format("{} and {} samples are too few; {} or more a side can decide",
                              before.size(), after.size(), kFewestSamples);
    return comparison;
  }
  comparison.verdict = judge(comparison.shift, limit);
  if (comparison.verdict == Verdict::Inconclusive && comparison.doubt.empty())
    comparison.doubt = "the noise is larger than the distance to the limit; measure longer";
  return comparison;
}

Comparison compare_paired(std::span<const float> before, std::span<const float> after,
                          double limit) {
  Comparison comparison;
  const size_t count = std::min(before.size(), after.size());
  if (count > 0) comparison.before = median(before);
  if (count > 0) comparison.after = median(after);
  if (count < kFewestSamples || *std::min_element(before.begin(), before.end()) <= 0) {
    comparison.doubt = format("{} rounds with times above 0 are too few; {} or more can decide",
                              count, kFewestSamples);
    return comparison;
  }
  comparison.shift = paired_shift(before.first(count), after.first(count));
  comparison.verdict = judge(comparison.shift, limit);
  if (comparison.verdict == Verdict::Inconclusive)
    comparison.doubt = "the rounds differ too much; take more of them";
  return comparison;
}

Comparison compare_exact(double before, double after, double limit) {
  Comparison comparison;
  comparison.before = before;
  comparison.after = after;
  const double from_nothing = after > 0 ? std::numeric_limits<double>::infinity() : 0;
  const double change = before != 0 ? (after - before) / before : from_nothing;
  comparison.shift = {change, change, change};
  comparison.verdict = judge(comparison.shift, limit);
  return comparison;
}

}  // namespace dlaexec::measure
