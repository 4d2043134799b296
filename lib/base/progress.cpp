#include "base/progress.h"

#include <atomic>

namespace dlaexec::progress {
namespace {

std::atomic<const char*> work{nullptr};
std::atomic<int64_t> done{0}, total{0}, counts_time{0};

void set(const char* what, int64_t parts, int64_t timed) {
  work.store(nullptr, std::memory_order_relaxed);
  done.store(0, std::memory_order_relaxed);
  total.store(parts, std::memory_order_relaxed);
  counts_time.store(timed, std::memory_order_relaxed);
  work.store(what, std::memory_order_release);
}

}  // namespace

void begin(const char* what, int64_t parts) { set(what, parts, 0); }
void begin_timed(const char* what, int64_t total_ms) { set(what, total_ms, 1); }
void advance_to(int64_t parts) { done.store(parts, std::memory_order_relaxed); }
void advance() { done.fetch_add(1, std::memory_order_relaxed); }

State now() {
  State state;
  state.work = work.load(std::memory_order_acquire);
  state.done = done.load(std::memory_order_relaxed);
  state.total = total.load(std::memory_order_relaxed);
  state.counts_time = counts_time.load(std::memory_order_relaxed);
  return state;
}

}  // namespace dlaexec::progress
