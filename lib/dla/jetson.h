// The Jetson that this process runs on, as its device tree tells it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace dlaexec::dla {

struct Jetson {
  std::string model;          ///< as the device tree names it; "" where it does not
  std::string_view module;    ///< part number of the module: "p3701-0005"
  std::string_view platform;  ///< its name in the table of platforms
};

/// The board below @p root, which is empty but in tests; nothing on other machines.
std::optional<Jetson> this_jetson(const std::string& root = "");

}  // namespace dlaexec::dla
