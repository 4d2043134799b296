#include "interrupt.h"

#include <unistd.h>

#include <csignal>
#include <cstdlib>

namespace dlaexec::cli {
namespace {

// A handler may touch nothing but these.
std::atomic<int> measuring = 0;  // guards that live
std::atomic<bool> stop_measuring = false;
std::atomic<int> signal_that_came = 0;
std::atomic<const std::string*> last_words = nullptr;
std::atomic<int> last_words_to = STDOUT_FILENO;

void handle(int signal) {
  if (measuring > 0 && !stop_measuring) {
    signal_that_came = signal;
    stop_measuring = true;
    return;
  }
  const std::string* words = last_words;
  const ssize_t written = ::write(last_words_to, words->data(), words->size());
  std::_Exit(written < 0 ? 1 : 128 + signal);
}

}  // namespace

void catch_interrupts(std::string last_line, bool to_stderr) {
  last_words_to = to_stderr ? STDERR_FILENO : STDOUT_FILENO;
  // Never freed: signals come until the very end.
  last_words = new std::string(std::move(last_line) + "\n");
  for (const int signal : {SIGINT, SIGTERM}) {
    struct sigaction before {};
    if (::sigaction(signal, nullptr, &before) == 0 && before.sa_handler == SIG_IGN) continue;
    std::signal(signal, handle);
  }
}

int interrupted_by() { return signal_that_came; }

InterruptEndsMeasuring::InterruptEndsMeasuring() { ++measuring; }
InterruptEndsMeasuring::~InterruptEndsMeasuring() { --measuring; }
const std::atomic<bool>& InterruptEndsMeasuring::flag() const { return stop_measuring; }

}  // namespace dlaexec::cli
