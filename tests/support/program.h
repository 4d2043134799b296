// Runs a program as a process of its own.
#pragma once

#include <string>
#include <vector>

namespace dlaexec::test {

/// How a process ended and what it wrote.
struct Outcome {
  int status = 0;  ///< the exit status; 128 + N when signal N ended it
  std::string out, err;
  long page_faults = 0;  ///< pages that were touched for the first time
};

/// Where the process's standard error goes.
enum class Errors { Apart, IntoOutput };

/// The process while it runs.
class Process {
 public:
  /// Starts @p command (program, then arguments) in @p folder, without a terminal and without the
  /// variables that colour output.
  Process(const std::vector<std::string>& command, const std::string& folder,
          Errors errors = Errors::Apart);
  void send(int signal) const;
  /// What it has written to standard output so far.
  std::string output_so_far() const;
  /// Waits for its end.
  Outcome wait();

 private:
  std::string files_;  ///< folder of what it writes
  int id_ = -1;
};

/// Runs @p command to its end.
Outcome run_program(const std::vector<std::string>& command, const std::string& folder,
                    Errors errors = Errors::Apart);

}  // namespace dlaexec::test
