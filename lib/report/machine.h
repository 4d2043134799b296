// The machine that measured: what must be known to trust and to compare a figure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace dlaexec::report {

struct Machine {
  std::string cpu;  ///< as the system names it
  int cores = 0;    ///< that this process may use
  int64_t memory_bytes = 0;
  std::string kernel;      ///< name and release
  std::string governor;    ///< of the first core's clock; empty when the system does not tell
  std::string power_mode;  ///< of the board or the firmware; empty when the system does not tell
  double load = 0;         ///< average over the last minute
};

/// Facts below @p root, which is empty but in tests.
Machine this_machine(const std::string& root = "");

/// What changes while a machine works; read before and after measuring.
struct Activity {
  double clock_mhz = 0;         ///< mean over the cores; 0 when the system does not tell
  int64_t throttle_events = 0;  ///< that the processor has counted since it started
  double busy_s = 0;            ///< processor time of all processes together
  double own_s = 0;             ///< of this process
  double wall_s = 0;            ///< of a clock that only goes forward
};

/// Facts below @p root, which is empty but in tests.
Activity activity_now(const std::string& root = "");

/// How the machine was while something was measured.
struct Conditions {
  double clock_mhz_before = 0, clock_mhz_after = 0;
  int64_t throttle_events = 0;
  double other_cores = 0;  ///< processor time of other processes over the time that passed

  /// What may have disturbed the measurement, one sentence each.
  std::vector<std::string> sentences() const;
};
Conditions conditions_between(const Activity& before, const Activity& after);

/// The largest part of memory that this process has held so far.
int64_t peak_memory_bytes();

}  // namespace dlaexec::report
