// How long something took.
#pragma once

#include <chrono>

namespace dlaexec::cli {

/// Seconds since it was made.
class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }
  /// As figures on the console are held.
  float shown() const { return static_cast<float>(seconds()); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace dlaexec::cli
