#include "report/machine.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
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

std::string line_of(const std::string& path) {
  std::string line = content_or_nothing(path);
  return line.substr(0, line.find('\n'));
}

/// As the processor's own list names it, else, as on most ARM boards, as the board is called.
std::string processor(const std::string& root) {
  const std::string name = field(content_or_nothing(root + "/proc/cpuinfo"), "model name");
  const std::string board = content_or_nothing(root + "/proc/device-tree/model");
  return name.empty() ? board.substr(0, board.find('\0')) : name;
}

/// What a Jetson's nvpmodel set ("pmode:0002"), else the firmware's profile.
std::string power_mode(const std::string& root) {
  const std::string board = line_of(root + "/var/lib/nvpmodel/status");
  return board.empty() ? line_of(root + "/sys/firmware/acpi/platform_profile") : board;
}

/// Calls @p read with the folder of each core that @p root has.
template <class Read>
void each_core(const std::string& root, Read&& read) {
  for (int core = 0;; ++core) {
    const std::string folder = format("{}/sys/devices/system/cpu/cpu{}", root, core);
    if (!std::filesystem::is_directory(folder)) return;
    read(folder);
  }
}

/// As cpufreq tells it, else as the processor's own list does.
double mean_clock_mhz(const std::string& root) {
  double sum = 0;
  int cores = 0;
  each_core(root, [&](const std::string& folder) {
    const double khz = std::strtod(line_of(folder + "/cpufreq/scaling_cur_freq").c_str(), nullptr);
    if (khz <= 0) return;
    sum += khz / 1000;
    ++cores;
  });
  if (cores > 0) return sum / cores;
  return std::strtod(field(content_or_nothing(root + "/proc/cpuinfo"), "cpu MHz").c_str(), nullptr);
}

int64_t throttle_events(const std::string& root) {
  int64_t events = 0;
  each_core(root, [&](const std::string& folder) {
    events += std::strtoll(line_of(folder + "/thermal_throttle/core_throttle_count").c_str(),
                           nullptr, 10);
  });
  return events;
}

/// The first line of /proc/stat: ticks of user, nice, system, idle, waiting, interrupts, soft
/// interrupts.
double busy_seconds(const std::string& root) {
  const std::string line = line_of(root + "/proc/stat");
  if (!line.starts_with("cpu ")) return 0;
  double ticks[7] = {};
  const char* at = line.c_str() + 4;
  char* end = nullptr;
  for (double& value : ticks) {
    value = std::strtod(at, &end);
    at = end;
  }
  const double busy = ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6];
  return busy / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double own_seconds() {
  rusage usage{};
  return ::getrusage(RUSAGE_SELF, &usage) == 0 ? seconds(usage.ru_utime) + seconds(usage.ru_stime)
                                               : 0;
}

/// Below these, nobody needs to hear of it.
constexpr double kClockChange = 0.1, kOtherCores = 0.1;

}  // namespace

Machine this_machine(const std::string& root) {
  Machine machine;
  machine.cpu = processor(root);
  machine.cores = usable_cores();
  machine.memory_bytes =
      std::strtoll(field(content_or_nothing(root + "/proc/meminfo"), "MemTotal").c_str(), nullptr,
                   10) *
      1024;
  machine.kernel = kernel_name();
  machine.governor = line_of(root + "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  machine.power_mode = power_mode(root);
  machine.load = std::strtod(content_or_nothing(root + "/proc/loadavg").c_str(), nullptr);
  return machine;
}

Activity activity_now(const std::string& root) {
  const std::chrono::duration<double> now = std::chrono::steady_clock::now().time_since_epoch();
  return {mean_clock_mhz(root), throttle_events(root), busy_seconds(root), own_seconds(),
          now.count()};
}

Conditions conditions_between(const Activity& before, const Activity& after) {
  Conditions conditions{before.clock_mhz, after.clock_mhz,
                        after.throttle_events - before.throttle_events, 0};
  const double passed = after.wall_s - before.wall_s;
  const double others = (after.busy_s - before.busy_s) - (after.own_s - before.own_s);
  if (passed > 0) conditions.other_cores = std::max(0.0, others / passed);
  return conditions;
}

std::vector<std::string> Conditions::sentences() const {
  std::vector<std::string> found;
  if (throttle_events > 0)
    found.push_back(format("the processor throttled {} time{} while measuring", throttle_events,
                           throttle_events == 1 ? "" : "s"));
  if (clock_mhz_before > 0 && std::abs(clock_mhz_after / clock_mhz_before - 1) > kClockChange)
    found.push_back(format("the processor's clock went from {:.0f} to {:.0f} MHz while measuring",
                           clock_mhz_before, clock_mhz_after));
  if (other_cores > kOtherCores)
    found.push_back(format("other programs kept {:.1f} cores busy while measuring", other_cores));
  return found;
}

int64_t peak_memory_bytes() {
  rusage usage{};
  return ::getrusage(RUSAGE_SELF, &usage) == 0 ? int64_t{usage.ru_maxrss} * 1024 : 0;
}

}  // namespace dlaexec::report
