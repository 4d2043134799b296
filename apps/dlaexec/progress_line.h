// The line at the bottom of a terminal that says what is going on.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "base/progress.h"

namespace dlaexec::cli {

/// "compiling kernels 12 of 40, 3 s left", "measuring 1.2 of 3 s"; @p elapsed is the time that the
/// work has taken. Empty when there is nothing to tell.
std::string progress_text(const progress::State& state, std::chrono::duration<double> elapsed);

/// Draws the line on standard error ten times a second from a thread of its own while it lives, and
/// takes it away at the end. Whoever prints to the terminal holds erased() meanwhile.
class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  /// The line is gone and is not drawn while the lock is held.
  std::unique_lock<std::mutex> erased();

 private:
  void draw();
  void erase();

  std::mutex mutex_;
  std::condition_variable end_;
  bool ended_ = false, drawn_ = false;
  const char* work_ = nullptr;
  std::chrono::steady_clock::time_point since_;
  std::thread thread_;
};

}  // namespace dlaexec::cli
