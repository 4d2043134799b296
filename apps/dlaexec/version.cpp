#include "version.h"

#include <nlohmann/json.hpp>

#include "base/format.h"
#include "commit.h"
#include "gpu/device.h"
#include "plan/file.h"

namespace dlaexec::cli {
namespace {

#if defined(__clang__)
constexpr std::string_view kCompiler = "clang " __VERSION__;
#else
constexpr std::string_view kCompiler = "gcc " __VERSION__;
#endif

/// "13.0", or why there is none.
std::string cuda_text() {
  const auto& driver = gpu::find_driver();
  int number = 0;
  if (!driver.table) return driver.reason;
  if (driver.table->driver_version(&number) != 0) return "the driver gives no version";
  return format("{}.{}", number / 1000, number % 1000 / 10);
}

std::string nvrtc_text() {
  const auto& nvrtc = gpu::find_nvrtc();
  if (!nvrtc.table) return nvrtc.reason;
  return format("{}.{}", nvrtc.table->major, nvrtc.table->minor);
}

std::vector<std::string> architectures() {
  std::vector<std::string> names;
  for (const gpu::Target& target : gpu::known_targets())
    names.push_back(target.architecture_name());
  return names;
}

}  // namespace

std::string version_text() {
  return format(
      "dlaexec {}\ncommit: {}\ncompiler: {}\nCUDA driver: {}\nNVRTC: {}\nGPU architectures: "
      "{}\nplan format: {}\nflags of: trtexec 8.6 (default), 10.3, 10.16, 11.1\n",
      DLAEXEC_VERSION, commit(), kCompiler, cuda_text(), nvrtc_text(), join(architectures(), ", "),
      plan::kFormatVersion);
}

std::string version_json() {
  return nlohmann::ordered_json{{"name", "dlaexec"},
                                {"version", DLAEXEC_VERSION},
                                {"commit", commit()},
                                {"compiler", kCompiler},
                                {"cuda_driver", cuda_text()},
                                {"nvrtc", nvrtc_text()},
                                {"gpu_architectures", architectures()},
                                {"plan_format_version", plan::kFormatVersion},
                                {"dialects", {"8.6", "10.3", "10.16", "11.1"}}}
             .dump(1) +
         "\n";
}

}  // namespace dlaexec::cli
