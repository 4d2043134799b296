#include "output_files.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "base/error.h"
#include "base/file.h"

namespace dlaexec::cli {
namespace {

bool is_file_to_write(const FlagInfo& flag) {
  return flag.kind == Kind::OutFile || flag.kind == Kind::Report;
}

/// One spelling for all ways to write a path; empty for what may be written twice: standard output,
/// devices, pipes.
std::string place_of(const std::string& path) {
  std::error_code failed;
  const std::filesystem::file_status status = std::filesystem::status(path, failed);
  const bool is_special =
      std::filesystem::exists(status) && !std::filesystem::is_regular_file(status);
  if (path.empty() || path == "-" || is_special) return "";
  const std::filesystem::path place =
      std::filesystem::weakly_canonical(std::filesystem::absolute(path, failed), failed);
  return failed ? path : place.string();
}

}  // namespace

void require_writable_files(const Settings& settings) {
  std::map<std::string, Flag> read, written;
  for (const Flag flag : {Flag::onnx, Flag::loadEngine, Flag::runLoadable})
    read.try_emplace(place_of(settings.text(flag)), flag);
  for (const FlagInfo& flag : all_flags()) {
    const std::string path = is_file_to_write(flag) ? settings.text(flag.flag) : "";
    if (path.empty()) continue;
    in_context([&] { return format("preparing --{}", flag.name); },
               [&] { require_writable(path); });
    const std::string place = place_of(path);
    if (place.empty()) continue;
    if (const auto model = read.find(place); model != read.end())
      fail(Fault::Usage, "--{} would overwrite '{}', which {} reads; give another file", flag.name,
           path, spelling(model->second));
    if (const auto [other, fresh] = written.try_emplace(place, flag.flag); !fresh)
      fail(Fault::Usage, "{} and --{} would both write '{}'; give two files",
           spelling(other->second), flag.name, path);
  }
}

bool writes_to_stdout(const Settings& settings) {
  if (settings.on(Flag::json) || settings.given(Flag::dumpGraph)) return true;
  return std::any_of(all_flags().begin(), all_flags().end(), [&](const FlagInfo& flag) {
    return is_file_to_write(flag) && settings.text(flag.flag) == "-";
  });
}

}  // namespace dlaexec::cli
