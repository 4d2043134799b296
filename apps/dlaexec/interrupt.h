// Ctrl-C and SIGTERM: they end measuring, which then still reports what it has; at any other time
// they end the program, with a last line that scripts find.
#pragma once

#include <atomic>
#include <string>

namespace dlaexec::cli {

/// From now on the first such signal outside of measuring prints @p last_line and ends the program
/// with 128 + the signal's number, as shells say it. A signal that was ignored stays ignored.
void catch_interrupts(std::string last_line, bool to_stderr);

/// The signal that has ended measuring; 0: none.
int interrupted_by();

/// While one lives, the first signal ends measuring and the second one the program.
class InterruptEndsMeasuring {
 public:
  InterruptEndsMeasuring();
  ~InterruptEndsMeasuring();
  InterruptEndsMeasuring(const InterruptEndsMeasuring&) = delete;
  InterruptEndsMeasuring& operator=(const InterruptEndsMeasuring&) = delete;
  /// True once a signal came.
  const std::atomic<bool>& flag() const;
};

}  // namespace dlaexec::cli
