#include "interrupt.h"

#include <unistd.h>

#include <csignal>
#include <cstdlib>

namespace dlaexec::cli {
namespace {

// A handler may touch nothing but these.
std::atomic<bool> measuring = false, stop_measuring = false;
std::atomic<int> signal_that_came = 0;
std::atomic<const std::string*> last_words = nullptr;
std::atomic<int> last_words_to = STDOUT_FILENO;

void handle(int signal) {
  if (measuring && !stop_measuring) {
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
  static std::string words;
  words = std::move(last_line) + "\n";
  last_words_to = to_stderr ? STDERR_FILENO : STDOUT_FILENO;
  last_words = &words;
  for (const int signal : {SIGINT, SIGTERM})
    if (std::signal(signal, handle) == SIG_IGN) std::signal(signal, SIG_IGN);
}

int interrupted_by() { return signal_that_came; }

InterruptEndsMeasuring::InterruptEndsMeasuring() { measuring = true; }
InterruptEndsMeasuring::~InterruptEndsMeasuring() { measuring = false; }
const std::atomic<bool>& InterruptEndsMeasuring::flag() const { return stop_measuring; }

}  // namespace dlaexec::cli
