// Whether one series is slower than another by more than a limit, and how sure that is.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "measure/interval.h"

namespace dlaexec::measure {

/// What a comparison says of the later series against the earlier one.
enum class Verdict { Faster, Same, Slower, Inconclusive };
std::string_view text(Verdict verdict);

/// How the later series differs. Shifts are relative to the earlier median: 0.05 is 5 % slower.
struct Comparison {
  Verdict verdict = Verdict::Inconclusive;
  double before = 0, after = 0;  ///< medians, in the samples' unit
  Interval shift;                ///< 99 % interval, widened by what is unsteady in the series
  std::string doubt;             ///< why the interval was widened or could not decide; or empty
};

/// Compares samples for which more is worse. Slower: the whole interval lies above @p limit;
/// faster: below -limit; same: inside. An interval that crosses a limit decides nothing. Changes of
/// speed inside a series (steps, drift, two modes) are not held against the later series: they
/// widen the interval by their size.
Comparison compare(std::span<const float> before, std::span<const float> after, double limit);

/// As compare(), when sample i of both series was taken side by side: what slows the machine down
/// meanwhile cancels out, so that nothing has to be widened. Both have as many samples.
Comparison compare_paired(std::span<const float> before, std::span<const float> after,
                          double limit);

/// Compares figures without noise, such as modelled times or sizes. A change from 0 counts as
/// slower.
Comparison compare_exact(double before, double after, double limit);

}  // namespace dlaexec::measure
