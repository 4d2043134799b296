#include "reader_watch.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

namespace dlaexec::cli {
namespace {

/// Returns when @p stop is closed at its other end.
void watch(int stop) {
  std::array<pollfd, 2> ends{{{STDOUT_FILENO, 0, 0}, {stop, POLLIN, 0}}};
  while (::poll(ends.data(), ends.size(), -1) >= 0 || errno == EINTR) {
    if (ends[1].revents != 0) return;
    if ((ends[0].revents & POLLERR) != 0) ::kill(::getpid(), SIGPIPE);
    if (ends[0].revents != 0) ends[0].fd = -1;  // told once; poll passes negative ones over
  }
}

}  // namespace

ReaderWatch::ReaderWatch() {
  if (::pipe(stop_) == 0) thread_ = std::thread(watch, stop_[0]);
}

ReaderWatch::~ReaderWatch() {
  if (!thread_.joinable()) return;
  ::close(stop_[1]);
  thread_.join();
  ::close(stop_[0]);
}

}  // namespace dlaexec::cli
