#include "dla/jetson.h"

#include <filesystem>
#include <system_error>

#include "base/file.h"

namespace dlaexec::dla {
namespace {

struct Module {
  std::string_view part;  ///< as the device tree's "compatible" holds it
  std::string_view platform;
};

// Source: NVIDIA Jetson Linux Developer Guide, part numbers of modules; "compatible" is made of
// carrier and module, "nvidia,p3737-0000+p3701-0005". AGX Xavier's names its developer kit (p2972)
// alone.
// clang-format off
constexpr Module kModules[] = {
  {"p2888",      "agx-xavier"},
  {"p2972",      "agx-xavier"},
  {"p3668",      "xavier-nx"},
  {"p3701-0000", "agx-orin-64"},  // the first developer kit: half the memory, the same clocks
  {"p3701-0004", "agx-orin-32"},
  {"p3701-0005", "agx-orin-64"},
  {"p3701-0008", "agx-orin-64"},  // AGX Orin Industrial: the nearest, its clocks are lower
  {"p3767-0000", "orin-nx-16"},
  {"p3767-0001", "orin-nx-8"},
  {"p3767-0003", "orin-nano"},
  {"p3767-0004", "orin-nano"},
  {"p3767-0005", "orin-nano"},
};
// clang-format on

/// A text of the device tree; "" where there is none.
std::string text_at(const std::string& path) {
  std::error_code unreadable;
  if (!std::filesystem::exists(path, unreadable)) return "";
  std::string text = read_file(path);
  text.resize(text.find_last_not_of('\0') + 1);  // strings of a device tree end in a zero
  return text;
}

}  // namespace

std::optional<Jetson> this_jetson(const std::string& root) {
  const std::string tree = root + "/proc/device-tree/";
  const std::string compatible = text_at(tree + "compatible");
  for (const Module& module : kModules)
    if (compatible.find(module.part) != std::string::npos)
      return Jetson{text_at(tree + "model"), module.part, module.platform};
  return std::nullopt;
}

}  // namespace dlaexec::dla
