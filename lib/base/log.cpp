#include "base/log.h"

#include <mutex>

namespace dlaexec::log {
namespace {

struct Channel {
  std::mutex mutex;
  Sink sink;
};

Channel& channel() {
  static Channel instance;
  return instance;
}

}  // namespace

Sink set_sink(Sink sink) {
  std::lock_guard lock(channel().mutex);
  return std::exchange(channel().sink, std::move(sink));
}

void write(Severity severity, std::string_view text) {
  std::lock_guard lock(channel().mutex);
  if (channel().sink) channel().sink(severity, text);
}

char letter(Severity severity) { return "VIWE"[static_cast<int>(severity)]; }

Capture::Capture() {
  before_ = set_sink([this](Severity severity, std::string_view text) {
    text_ += format("[{}] {}\n", letter(severity), text);
  });
}

Capture::~Capture() { set_sink(std::move(before_)); }

}  // namespace dlaexec::log
