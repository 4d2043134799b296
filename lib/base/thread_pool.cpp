#include "base/thread_pool.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace dlaexec {
namespace {

int usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1u, std::thread::hardware_concurrency());
}

thread_local bool inside_a_loop = false;

/// How long a worker watches for the next loop before it sleeps. Layers of a network follow each
/// other within microseconds, and waking a sleeping thread costs tens of them.
constexpr int kSpins = 4000;
/// After so many looks the one waited for is probably not on a core: let it have this one.
constexpr int kPolitePauses = 1000;

inline void pause_briefly() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb");  // waits for the pipeline to drain; the hint "yield" does nothing
#else
  std::this_thread::yield();
#endif
}

/// The state of the doors in one word, so that a worker enters a loop only while it is open: the
/// loop's number above, the open bit, the count of workers inside below.
constexpr uint64_t kNumber = uint64_t{1} << 32;
constexpr uint64_t kOpen = uint64_t{1} << 31;

uint64_t number_of(uint64_t door) { return door / kNumber; }

}  // namespace

struct ThreadPool::State {
  std::mutex one_loop;  ///< held by the caller for the length of its loop

  std::mutex mutex;
  std::condition_variable wake;
  std::atomic<uint64_t> door{0};
  std::atomic<bool> stopping{false};

  // The loop under way. Written by the caller while the door is shut and nobody is inside.
  const std::function<void(int64_t)>* body = nullptr;
  int64_t count = 0;
  std::atomic<int64_t> next{0};
  std::exception_ptr error;

  std::vector<std::thread> threads;

  void open_door() {
    {
      std::lock_guard lock(mutex);
      door.store((number_of(door.load()) + 1) * kNumber + kOpen, std::memory_order_release);
    }
    wake.notify_all();
  }

  /// Shuts the door and waits for those inside. A worker that never came is not waited for: on a
  /// busy machine it may get a core only much later.
  void close_door() {
    door.fetch_and(~kOpen, std::memory_order_acq_rel);
    for (int i = 0; door.load(std::memory_order_acquire) % kOpen != 0; ++i) {
      if (i < kPolitePauses)
        pause_briefly();
      else
        std::this_thread::yield();
    }
  }

  bool enter(uint64_t number) {
    uint64_t seen = door.load(std::memory_order_acquire);
    while (number_of(seen) == number && (seen & kOpen) != 0)
      if (door.compare_exchange_weak(seen, seen + 1, std::memory_order_acq_rel)) return true;
    return false;
  }

  void take_parts() {
    inside_a_loop = true;
    for (int64_t i = next.fetch_add(1); i < count; i = next.fetch_add(1)) {
      try {
        (*body)(i);
      } catch (...) {
        std::lock_guard lock(mutex);
        if (!error) error = std::current_exception();
        next.store(count);
      }
    }
    inside_a_loop = false;
  }

  /// The number of a loop after @p last, or nothing when the pool ends.
  std::optional<uint64_t> wait_for_loop_after(uint64_t last) {
    const auto is_new = [&] { return number_of(door.load(std::memory_order_acquire)) != last; };
    for (int i = 0; i < kSpins && !is_new() && !stopping; ++i) pause_briefly();
    if (!is_new() && !stopping) {
      std::unique_lock lock(mutex);
      wake.wait(lock, [&] { return is_new() || stopping; });
    }
    if (stopping) return std::nullopt;
    return number_of(door.load(std::memory_order_acquire));
  }

  void work() {
    uint64_t last = 0;
    while (const std::optional<uint64_t> number = wait_for_loop_after(last)) {
      last = *number;
      if (!enter(last)) continue;
      take_parts();
      door.fetch_sub(1, std::memory_order_release);
    }
  }
};

ThreadPool::ThreadPool(int threads) : state_(std::make_unique<State>()) {
  if (threads <= 0) threads = usable_cores();
  for (int i = 1; i < threads; ++i) state_->threads.emplace_back([this] { state_->work(); });
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->wake.notify_all();
  for (std::thread& thread : state_->threads) thread.join();
}

int ThreadPool::size() const { return static_cast<int>(state_->threads.size()) + 1; }

void ThreadPool::parallel_for(int64_t count, const std::function<void(int64_t)>& body) {
  if (count <= 1 || size() == 1 || inside_a_loop) {
    for (int64_t i = 0; i < count; ++i) body(i);
    return;
  }
  std::lock_guard one_loop(state_->one_loop);
  State& state = *state_;
  state.body = &body;
  state.count = count;
  state.next = 0;
  state.error = nullptr;
  state.open_door();
  state.take_parts();
  state.close_door();
  if (state.error) std::rethrow_exception(state.error);
}

void ThreadPool::parallel_ranges(int64_t count, int64_t grain,
                                 const std::function<void(int64_t, int64_t)>& body) {
  if (count <= 0) return;
  const int64_t most = std::max<int64_t>(1, count / std::max<int64_t>(1, grain));
  const int64_t parts = std::min<int64_t>(most, int64_t{4} * size());
  const int64_t length = (count + parts - 1) / parts;
  parallel_for((count + length - 1) / length,
               [&](int64_t part) { body(part * length, std::min(count, (part + 1) * length)); });
}

}  // namespace dlaexec
