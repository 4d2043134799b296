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

class Search {
 public:
  Search(double most_loss, const TryPrecision& attempt)
      : most_loss_(most_loss), attempt_(attempt) {}

  PrecisionSearch run(const std::vector<Lift>& candidates) {
    if (!holds(attempt({}))) {
      std::vector<Lift> lifted = grow(rank(candidates));
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

  /// Candidates that help, the most worthy first, one for each layer.
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

  /// The first of growing sets that holds; empty when none does.
  std::vector<Lift> grow(const std::vector<Ranked>& ranked) {
    std::vector<Lift> lifted;
    for (const Ranked& next : ranked) {
      lifted.push_back(next.lift);
      if (lifted.size() > 1 ? holds(attempt(lifted)) : holds_alone(next.lift)) return lifted;
    }
    return {};
  }

  bool holds_alone(const Lift& lift) const {
    return std::any_of(result_.tried.begin(), result_.tried.end(),
                       [&](const PrecisionTrial& trial) {
                         return trial.lifted == std::vector<Lift>{lift} && holds(trial);
                       });
  }

  /// Puts layers back, the earliest of little worth first, as long as the loss allows it.
  void shrink(std::vector<Lift> lifted) {
    for (size_t i = lifted.size(); i-- > 0 && lifted.size() > 1;) {
      std::vector<Lift> fewer = lifted;
      fewer.erase(fewer.begin() + static_cast<long>(i));
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
                                 const TryPrecision& attempt) {
  return Search(most_loss, attempt).run(candidates);
}

}  // namespace dlaexec::accuracy
