// The machine that measured: what must be known to trust and to compare a figure.
#pragma once

#include <cstdint>
#include <string>

namespace dlaexec::report {

struct Machine {
  std::string cpu;  ///< as the system names it
  int cores = 0;    ///< that this process may use
  int64_t memory_bytes = 0;
  std::string kernel;    ///< name and release
  std::string governor;  ///< of the first core's clock; empty when the system does not tell
  double load = 0;       ///< average over the last minute
};

/// Facts below @p root, which is empty but in tests.
Machine this_machine(const std::string& root = "");

/// The largest part of memory that this process has held so far.
int64_t peak_memory_bytes();

}  // namespace dlaexec::report
