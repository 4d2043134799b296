#include "accuracy/tune.h"

#include <algorithm>
#include <limits>

namespace dlaexec::accuracy {
namespace {

/// A candidate with what it does alone.
struct Ranked {
  Lift lift;
  double noise_taken = 0, time_added = 0;

  /// Noise taken away for each millisecond; a lift that costs nothing comes first.
  double worth() const {
    if (noise_taken <= 0) return 0;
    return time_added > 0 ? noise_taken / time_added : std::numeric_limits<double>::infinity();
  }
  bool better_than(const Ranked& other) const {
    return worth() != other.worth() ? worth() > other.worth() : noise_taken > other.noise_taken;
  }
};

/// Trials that look for layers to put back into INT8.
constexpr size_t kMostPutBack = 16;

class Search {
 public:
  Search(double most_loss, const TryPrecision& attempt)
      : most_loss_(most_loss), attempt_(attempt) {}

  PrecisionSearch run(const std::vector<Lift>& candidates, size_t alone) {
    if (!holds(attempt({}))) {
      std::vector<Lift> lifted = grow(order(candidates, alone));
      if (!lifted.empty()) shrink(std::move(lifted));
    }
    result_.chosen = fastest_that_holds();
    result_.pareto = pareto();
    return std::move(result_);
  }

 private:
  bool holds(const PrecisionTrial& trial) const { return trial.loss <= most_loss_; }

  PrecisionTrial attempt(const std::vector<Lift>& lifted) {
    PrecisionTrial trial = attempt_(lifted);
    trial.lifted = lifted;
    result_.tried.push_back(trial);
    return trial;
  }

  /// One lift for each layer: those that were tried alone by what they are worth, then the others.
  std::vector<Lift> order(const std::vector<Lift>& candidates, size_t alone) {
    const auto middle = candidates.begin() + static_cast<long>(std::min(alone, candidates.size()));
    std::vector<Lift> ordered;
    for (const Ranked& ranked : rank({candidates.begin(), middle})) ordered.push_back(ranked.lift);
    for (auto lift = middle; lift != candidates.end(); ++lift) {
      const bool is_there = std::any_of(ordered.begin(), ordered.end(), [&](const Lift& other) {
        return other.layer == lift->layer;
      });
      if (!is_there) ordered.push_back(*lift);
    }
    return ordered;
  }

  /// Candidates tried alone, the most worthy first, one for each layer.
  std::vector<Ranked> rank(const std::vector<Lift>& candidates) {
    const PrecisionTrial base = result_.tried.front();
    std::vector<Ranked> ranked;
    for (const Lift& lift : candidates) {
      const PrecisionTrial alone = attempt({lift});
      const Ranked now{lift, base.noise - alone.noise, alone.time_ms - base.time_ms};
      const auto same = std::find_if(ranked.begin(), ranked.end(), [&](const Ranked& other) {
        return other.lift.layer == lift.layer;
      });
      if (same == ranked.end())
        ranked.push_back(now);
      else if (now.better_than(*same))
        *same = now;
    }
    std::stable_sort(ranked.begin(), ranked.end(),
                     [](const Ranked& a, const Ranked& b) { return a.better_than(b); });
    return ranked;
  }

  /// The first of growing sets that holds, each a quarter larger than the one before; empty when
  /// none does.
  std::vector<Lift> grow(const std::vector<Lift>& ordered) {
    for (size_t count = 1; count <= ordered.size();) {
      const std::vector<Lift> lifted(ordered.begin(), ordered.begin() + static_cast<long>(count));
      if (count > 1 ? holds(attempt(lifted)) : holds_alone(lifted[0])) return lifted;
      if (count == ordered.size()) break;
      count = std::min(ordered.size(), count + 1 + count / 4);
    }
    return {};
  }

  /// Takes the result of the trial that was made for the ranking, or makes it.
  bool holds_alone(const Lift& lift) {
    for (const PrecisionTrial& trial : result_.tried)
      if (trial.lifted == std::vector<Lift>{lift}) return holds(trial);
    return holds(attempt({lift}));
  }

  /// Puts layers back, those of least worth first and many at once where there are many, as long as
  /// the loss allows it.
  void shrink(std::vector<Lift> lifted) {
    const size_t chunk = std::max<size_t>(1, lifted.size() / kMostPutBack);
    for (size_t end = lifted.size(); end > 0; end -= std::min(end, chunk)) {
      const size_t first = end - std::min(end, chunk);
      if (lifted.size() <= end - first) return;
      std::vector<Lift> fewer = lifted;
      fewer.erase(fewer.begin() + static_cast<long>(first), fewer.begin() + static_cast<long>(end));
      if (holds(attempt(fewer))) lifted = std::move(fewer);
    }
  }

  std::optional<size_t> fastest_that_holds() const {
    std::optional<size_t> best;
    for (size_t i = 0; i < result_.tried.size(); ++i)
      if (holds(result_.tried[i]) &&
          (!best || result_.tried[i].time_ms < result_.tried[*best].time_ms))
        best = i;
    return best;
  }

  bool is_beaten(const PrecisionTrial& trial) const {
    return std::any_of(result_.tried.begin(), result_.tried.end(),
                       [&](const PrecisionTrial& other) {
                         return other.time_ms <= trial.time_ms && other.loss <= trial.loss &&
                                (other.time_ms < trial.time_ms || other.loss < trial.loss);
                       });
  }

  std::vector<size_t> pareto() const {
    std::vector<size_t> points;
    for (size_t i = 0; i < result_.tried.size(); ++i)
      if (!is_beaten(result_.tried[i])) points.push_back(i);
    std::stable_sort(points.begin(), points.end(), [&](size_t a, size_t b) {
      return result_.tried[a].time_ms < result_.tried[b].time_ms;
    });
    return points;
  }

  double most_loss_;
  const TryPrecision& attempt_;
  PrecisionSearch result_;
};

}  // namespace

PrecisionSearch search_precision(const std::vector<Lift>& candidates, double most_loss,
                                 size_t alone, const TryPrecision& attempt) {
  return Search(most_loss, attempt).run(candidates, alone);
}

}  // namespace dlaexec::accuracy
