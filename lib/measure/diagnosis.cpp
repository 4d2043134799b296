#include "measure/diagnosis.h"

#include <algorithm>
#include <cmath>

#include "base/format.h"
#include "measure/statistics.h"

namespace dlaexec::measure {
namespace {

constexpr size_t kFewestSamples = 20;
constexpr double kMadToDeviation = 1.4826;  // of a normal distribution
/// A step must stand out by so many standard errors: about 1 false alarm in 10,000 series.
constexpr double kStepErrors = 6;
constexpr size_t kShortestPart = 3;  // samples on either side of a step; fewer are outliers
constexpr size_t kDriftBlocks = 20;
/// Mann-Kendall's quantile; two-sided 0.1 %.
constexpr double kDriftQuantile = 3.29;
/// Distance of two heaps over their spread. A normal distribution cut in half has 2.65, a uniform
/// one 3.46.
constexpr double kModesApart = 4;
constexpr double kSmallestHeap = 0.1;
constexpr double kOutlierDeviations = 5;
/// Nobody needs to hear of changes below this, however certain.
constexpr double kNegligible = 0.005;

double median_absolute(std::vector<float> deviations) {
  for (float& deviation : deviations) deviation = std::abs(deviation);
  return median(deviations);
}

/// The deviation of the noise alone, from neighbours' differences, so that steps and drift do not
/// count as noise.
double noise_of(std::span<const float> samples) {
  std::vector<float> differences;
  for (size_t i = 1; i < samples.size(); ++i) differences.push_back(samples[i] - samples[i - 1]);
  return kMadToDeviation * median_absolute(std::move(differences)) / std::sqrt(2.0);
}

/// Where a step may be: every place near the ends, where few samples tell, and a grid between.
std::vector<size_t> step_places(size_t count) {
  constexpr size_t kNearEnds = 32, kGrid = 64;
  std::vector<size_t> places;
  for (size_t at = kShortestPart; at + kShortestPart <= count; ++at) {
    const bool near_end = at < kNearEnds || count - at < kNearEnds;
    const size_t stride = std::max<size_t>(1, count / kGrid);
    if (near_end || at % stride == 0) places.push_back(at);
  }
  return places;
}

/// The split at which most samples lie on their side of the middle between two levels: medians tell
/// well that there is a step, but hardly move when the split is a few samples off.
size_t sharpest_split(std::span<const float> samples, double before, double after) {
  const double threshold = (before + after) / 2;
  int balance = 0, best_balance = 0;
  size_t best = 0;
  for (size_t i = 0; i < samples.size(); ++i) {
    balance += (samples[i] < threshold) == (before < after) ? 1 : -1;
    if (balance <= best_balance) continue;
    best_balance = balance;
    best = i + 1;
  }
  return best;
}

/// A short part that is slower than the rest is a burst of outliers: the rest is how fast the
/// machine is. A short part that is faster is no burst, for the rest may be throttled.
bool is_burst(size_t count, size_t at, bool becomes_slower) {
  const size_t slower_part = becomes_slower ? count - at : at;
  return static_cast<double>(slower_part) < kSmallestHeap * static_cast<double>(count);
}

/// The step from the median before @p at to the median after it.
Step step_at(std::span<const float> samples, size_t at) {
  const double before = median(samples.first(at)), after = median(samples.subspan(at));
  return {at, (after - before) / before, after - before};
}

/// Without noise every difference is infinitely many errors large: then the largest one counts.
std::optional<Step> find_step(std::span<const float> samples, double noise) {
  double most_errors = kStepErrors, largest = 0;
  std::optional<size_t> best;
  for (const size_t at : step_places(samples.size())) {
    const double before = median(samples.first(at)), after = median(samples.subspan(at));
    if (std::abs(after - before) < kNegligible * before) continue;
    const auto head = static_cast<double>(at), tail = static_cast<double>(samples.size() - at);
    const double error = noise * std::sqrt(1 / head + 1 / tail) * 1.2533;  // of medians
    const double errors = error > 0 ? std::abs(after - before) / error : INFINITY;
    const bool stands_out =
        errors > most_errors || (std::isinf(errors) && std::abs(after - before) > largest);
    if (!stands_out) continue;
    const size_t split = sharpest_split(samples, before, after);
    if (is_burst(samples.size(), split, after > before)) continue;
    most_errors = errors;
    largest = std::abs(after - before);
    best = split;
  }
  if (!best) return std::nullopt;
  return step_at(samples, std::clamp<size_t>(*best, 1, samples.size() - 1));
}

std::vector<float> block_medians(std::span<const float> samples) {
  std::vector<float> medians;
  for (size_t block = 0; block < kDriftBlocks; ++block) {
    const size_t first = block * samples.size() / kDriftBlocks;
    const size_t last = (block + 1) * samples.size() / kDriftBlocks;
    medians.push_back(median(samples.subspan(first, last - first)));
  }
  return medians;
}

/// Mann and Kendall's test on block medians; the size by Theil and Sen's slope.
std::optional<Drift> find_drift(std::span<const float> samples) {
  const std::vector<float> blocks = block_medians(samples);
  int balance = 0;
  std::vector<float> slopes;
  for (size_t i = 0; i < blocks.size(); ++i)
    for (size_t j = i + 1; j < blocks.size(); ++j) {
      balance += (blocks[j] > blocks[i]) - (blocks[j] < blocks[i]);
      slopes.push_back((blocks[j] - blocks[i]) / static_cast<float>(j - i));
    }
  const auto n = static_cast<double>(blocks.size());
  const double deviation = std::sqrt(n * (n - 1) * (2 * n + 5) / 18);
  if (std::abs(balance) - 1 <= kDriftQuantile * deviation) return std::nullopt;
  const double size = double{median(slopes)} * n, relative = size / double{median(samples)};
  if (std::abs(relative) < kNegligible) return std::nullopt;
  return Drift{relative, size};
}

/// Sums over a prefix of the sorted samples, to get a heap's mean and deviation at once.
struct Heap {
  double count = 0, sum = 0, squares = 0;
  double mean() const { return sum / count; }
  double variance() const { return std::max(0.0, squares / count - mean() * mean()); }
};

/// The cut of the sorted samples whose heaps' means lie furthest apart for their spread.
std::optional<TwoModes> find_two_modes(std::span<const float> sorted, double middle) {
  Heap all, low;
  for (const double sample : sorted)
    all = {all.count + 1, all.sum + sample, all.squares + sample * sample};
  double furthest = kModesApart;
  std::optional<TwoModes> best;
  for (size_t i = 0; i + 1 < sorted.size(); ++i) {
    const double sample = sorted[i];
    low = {low.count + 1, low.sum + sample, low.squares + sample * sample};
    const Heap high = {all.count - low.count, all.sum - low.sum, all.squares - low.squares};
    if (std::min(low.count, high.count) < kSmallestHeap * all.count) continue;
    const double distance = high.mean() - low.mean();
    if (distance < kNegligible * middle) continue;
    const double spread = std::sqrt((low.variance() + high.variance()) / 2);
    const double apart = spread > 0 ? distance / spread : INFINITY;
    if (apart <= furthest) continue;
    furthest = apart;
    best = TwoModes{low.mean(), high.mean(), high.count / all.count, distance / middle};
  }
  return best;
}

/// Of a part of the series without steps.
size_t count_outliers(std::span<const float> samples) {
  const double middle = median(samples);
  std::vector<float> deviations;
  for (const float sample : samples) deviations.push_back(sample - static_cast<float>(middle));
  const double deviation = kMadToDeviation * median_absolute(deviations);
  const double limit = std::max(kOutlierDeviations * deviation, kNegligible * middle);
  return static_cast<size_t>(
      std::count_if(deviations.begin(), deviations.end(), [&](float d) { return d > limit; }));
}

}  // namespace

double Diagnosis::unsteadiness() const {
  double largest = 0;
  if (step) largest = std::max(largest, std::abs(step->size));
  if (drift) largest = std::max(largest, std::abs(drift->size));
  if (two_modes) largest = std::max(largest, two_modes->high - two_modes->low);
  return largest;
}

std::vector<std::string> Diagnosis::sentences() const {
  std::vector<std::string> found;
  if (step)
    found.push_back(format("times changed by {:+.1f} % at query {} and stayed so",
                           step->relative * 100, step->at));
  if (drift && !step)
    found.push_back(format("times drifted by {:+.1f} % over the run", drift->relative * 100));
  if (two_modes && !step)
    found.push_back(
        format("times fall into two heaps {:.1f} % apart, {:.0f} % of them in the slower",
               two_modes->relative * 100, two_modes->high_share * 100));
  if (outliers > 0)
    found.push_back(
        format("{} outlier{} far above the median", outliers, outliers == 1 ? "" : "s"));
  return found;
}

Diagnosis diagnose(std::span<const float> samples) {
  Diagnosis diagnosis;
  if (samples.size() < kFewestSamples) return diagnosis;
  std::vector<float> sorted(samples.begin(), samples.end());
  std::sort(sorted.begin(), sorted.end());
  const double middle = median_of_sorted(sorted);
  if (middle <= 0) return diagnosis;
  diagnosis.step = find_step(samples, noise_of(samples));
  diagnosis.drift = find_drift(samples);
  diagnosis.two_modes = find_two_modes(sorted, middle);
  const size_t level_end = diagnosis.step ? diagnosis.step->at : samples.size();
  diagnosis.outliers = count_outliers(samples.first(level_end));
  if (level_end < samples.size()) diagnosis.outliers += count_outliers(samples.subspan(level_end));
  return diagnosis;
}

}  // namespace dlaexec::measure
