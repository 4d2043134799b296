// Which layers to lift from INT8 so that accuracy holds at least time.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace dlaexec::accuracy {

/// A layer that leaves INT8: for FP16 where it is, or for FP16 away from the DLA.
struct Lift {
  std::string layer;
  bool off_dla = false;
  friend bool operator==(const Lift&, const Lift&) = default;
};

/// What a choice of lifted layers costs and brings.
struct PrecisionTrial {
  std::vector<Lift> lifted;
  double loss =
      0;  ///< what must stay small: points of top-1, or percent that the cosine lacks to 1
  double noise =
      0;  ///< the squared relative error of the outputs: falls even where the loss stands still
  double time_ms = 0;
};

struct PrecisionSearch {
  std::vector<PrecisionTrial>
      tried;  ///< in the order in which they were tried; the first lifts nothing
  std::optional<size_t>
      chosen;  ///< of `tried`: least time among those within the loss; none: none is
  std::vector<size_t>
      pareto;  ///< of `tried`: no other has both less time and less loss; fastest first
};

/// Builds and measures one choice.
using TryPrecision = std::function<PrecisionTrial(const std::vector<Lift>& lifted)>;

/// Tries each of the first @p alone candidates alone, then more and more of all, those first that
/// take most noise away for their time, then the rest in their order, until the loss is at most @p
/// most_loss; then puts back into INT8 whatever is not needed. Of candidates for one layer the
/// better one is kept. Candidates come with the guiltiest first.
PrecisionSearch search_precision(const std::vector<Lift>& candidates, double most_loss,
                                 size_t alone, const TryPrecision& attempt);

}  // namespace dlaexec::accuracy
