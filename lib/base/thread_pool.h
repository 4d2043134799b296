// A fixed set of threads that run loops in parallel.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace dlaexec {

/// Runs the parts of a loop on a fixed number of threads, the caller's among them. One loop at a
/// time: a second caller waits. A loop started from inside a loop runs on its own thread alone.
class ThreadPool {
 public:
  /// @p threads includes the caller; 0 takes one per core that the process may use.
  explicit ThreadPool(int threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const;

  /// Calls @p body(i) once for each i in [0, count), in any order, and returns when all are done.
  /// What a body throws is thrown here, the first one caught; the other parts still run or are
  /// skipped.
  void parallel_for(int64_t count, const std::function<void(int64_t)>& body);

  /// Calls @p body(first, last) over ranges that cover [0, count), each of at least @p grain items.
  void parallel_ranges(int64_t count, int64_t grain,
                       const std::function<void(int64_t first, int64_t last)>& body);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dlaexec
