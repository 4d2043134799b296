// How far long work has come, for whoever wants to show it. Telling costs a few stores and never
// waits, so that it may stand in a measuring loop.
#pragma once

#include <cstdint>
#include <string_view>

namespace dlaexec::progress {

/// What is being done now.
struct State {
  const char* work = nullptr;   ///< "compiling kernels"; null: nothing that takes long
  int64_t done = 0, total = 0;  ///< total 0: nobody knows
  int64_t counts_time = 0;      ///< 1 when done and total are milliseconds
};

/// Begins work of @p total parts; @p work must live as long as the program. Null ends it.
void begin(const char* work, int64_t total = 0);
/// Begins work that is measured in milliseconds.
void begin_timed(const char* work, int64_t total_ms);
/// @p done parts of the present work are done.
void advance_to(int64_t done);
/// One part more.
void advance();

State now();

/// Work while it lives.
class Scope {
 public:
  explicit Scope(const char* work, int64_t total = 0) { begin(work, total); }
  ~Scope() { begin(nullptr); }
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;
};

}  // namespace dlaexec::progress
