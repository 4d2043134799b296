#include "support/serve.h"

#include <chrono>
#include <iostream>
#include <string>

#include "base/file.h"

namespace dlaexec::test {
namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

/// As the kernel writes it: "  1234 kB".
std::string peak_memory() {
  const std::string status = read_file("/proc/self/status");
  const size_t at = status.find("VmHWM:") + 6;
  return status.substr(at, status.find(" kB", at) - at);
}

}  // namespace

void serve(const std::function<void()>& run) {
  std::cout << "ready" << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    if (line == "memory") {
      std::cout << peak_memory() << std::endl;
      continue;
    }
    for (int i = std::stoi(line); i > 0; --i) {
      const auto start = Clock::now();
      run();
      std::cout << Milliseconds(Clock::now() - start).count() << ' ';
    }
    std::cout << std::endl;
  }
}

}  // namespace dlaexec::test
