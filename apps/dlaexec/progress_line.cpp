#include "progress_line.h"

#include <cstdio>

#include "base/format.h"

namespace dlaexec::cli {
namespace {

constexpr std::chrono::milliseconds kPeriod{100};
constexpr std::string_view kErase = "\r\033[K";

void put(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

/// Known well enough after a tenth of the work.
std::string time_left(const progress::State& state, double elapsed_s) {
  if (state.done == 0 || state.done * 10 < state.total || elapsed_s < 1) return "";
  const double left =
      elapsed_s / static_cast<double>(state.done) * static_cast<double>(state.total - state.done);
  return format(", {:.0f} s left", left);
}

}  // namespace

std::string progress_text(const progress::State& state, std::chrono::duration<double> elapsed) {
  if (state.work == nullptr) return "";
  if (state.total == 0) return format("{} ...", state.work);
  const int64_t done = std::min(state.done, state.total);
  if (state.counts_time != 0)
    return format("{} {:.1f} of {:.1f} s", state.work, static_cast<double>(done) / 1000,
                  static_cast<double>(state.total) / 1000);
  return format("{} {} of {}{}", state.work, done, state.total, time_left(state, elapsed.count()));
}

ProgressLine::ProgressLine() {
  thread_ = std::thread([this] {
    std::unique_lock lock(mutex_);
    while (!end_.wait_for(lock, kPeriod, [this] { return ended_; })) draw();
  });
}

ProgressLine::~ProgressLine() {
  {
    std::lock_guard lock(mutex_);
    ended_ = true;
  }
  end_.notify_all();
  thread_.join();
  erase();
}

std::unique_lock<std::mutex> ProgressLine::erased() {
  std::unique_lock lock(mutex_);
  erase();
  return lock;
}

void ProgressLine::draw() {
  const progress::State state = progress::now();
  const auto now = std::chrono::steady_clock::now();
  if (state.work != work_) since_ = now;
  work_ = state.work;
  const std::string text = progress_text(state, now - since_);
  erase();
  if (text.empty()) return;
  put(text);
  drawn_ = true;
}

void ProgressLine::erase() {
  if (drawn_) put(kErase);
  drawn_ = false;
}

}  // namespace dlaexec::cli
