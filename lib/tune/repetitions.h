// How often a tactic is launched until its time is believed.
#pragma once

#include <optional>

namespace dlaexec::tune {

/// A tactic's time is the median of several averages. No value: as many as its length asks for.
struct Repetitions {
  std::optional<int> averages;  ///< of which the median counts
  std::optional<int> launches;  ///< that one average is of

  bool are_given() const { return averages || launches; }
};

}  // namespace dlaexec::tune
