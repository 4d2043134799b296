#include "report/machine.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include <cstdlib>
#include <string_view>

#include "base/error.h"
#include "base/file.h"

namespace dlaexec::report {
namespace {

/// A fact that the system may not tell is empty, not an error.
std::string content_or_nothing(const std::string& path) {
  try {
    return read_file(path);
  } catch (const Error&) {
    return "";
  }
}

/// What stands behind "key :" in the first line that starts with @p key.
std::string field(std::string_view text, std::string_view key) {
  const size_t at = text.find(key);
  if (at == std::string_view::npos) return "";
  const size_t colon = text.find(':', at);
  if (colon == std::string_view::npos) return "";
  const size_t first = text.find_first_not_of(" \t", colon + 1);
  const size_t end = text.find('\n', colon);
  if (first == std::string_view::npos || first >= end) return "";
  return std::string(text.substr(first, end - first));
}

int usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return ::sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

std::string kernel_name() {
  utsname names{};
  return ::uname(&names) == 0 ? format("{} {} {}", names.sysname, names.release, names.machine)
                              : "";
}

}  // namespace

Machine this_machine(const std::string& root) {
  Machine machine;
  machine.cpu = field(content_or_nothing(root + "/proc/cpuinfo"), "model name");
  machine.cores = usable_cores();
  machine.memory_bytes =
      std::strtoll(field(content_or_nothing(root + "/proc/meminfo"), "MemTotal").c_str(), nullptr,
                   10) *
      1024;
  machine.kernel = kernel_name();
  machine.governor =
      content_or_nothing(root + "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  while (machine.governor.ends_with('\n')) machine.governor.pop_back();
  machine.load = std::strtod(content_or_nothing(root + "/proc/loadavg").c_str(), nullptr);
  return machine;
}

int64_t peak_memory_bytes() {
  rusage usage{};
  return ::getrusage(RUSAGE_SELF, &usage) == 0 ? int64_t{usage.ru_maxrss} * 1024 : 0;
}

}  // namespace dlaexec::report
