// The board that is modelled: a platform in a power mode, and what of it is asked to be otherwise.
#pragma once

#include <optional>
#include <string>

#include "dla/clock.h"
#include "dla/platform.h"
#include "plan/plan.h"

namespace dlaexec::run {

/// What a user may ask of the board; what is absent is as the plan was built for.
struct BoardOptions {
  /// Which core runs the loadables.
  std::optional<int> dla_core;
  std::string platform, power_mode;
  /// What-if questions: a clock or a memory that the power mode does not have.
  std::optional<double> dla_mhz, dram_gb_per_s;
  int busy_cores = 1;  ///< DLA cores that work at the same time
};

struct Board {
  const dla::Platform* platform;
  const dla::PowerMode* mode;
  dla::ClockSettings clock;
  bool has_other_clock = false, has_other_memory = false;  ///< than the power mode
};

/// Throws a Usage error for a platform, mode or core that does not exist.
Board board_of(const plan::Metadata& built_for, const BoardOptions& options);

/// "agx-orin-64 MAXN", "agx-orin-64 15W with the DLA at 800 MHz, 2 cores busy".
std::string to_text(const Board& board);

}  // namespace dlaexec::run
