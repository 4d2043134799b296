#include "support/paths.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace dlaexec::test {
namespace fs = std::filesystem;

std::string source_dir() { return DLAEXEC_SOURCE_DIR; }

std::optional<std::string> shared_dir() {
  const char* chosen = std::getenv("DLAEXEC_SHARED");
  const fs::path path = chosen ? fs::path(chosen) : fs::path(source_dir()) / ".." / "shared";
  if (!fs::is_directory(path / "data")) return std::nullopt;
  return fs::canonical(path).string();
}

std::string temporary_dir() {
  struct Folder {
    fs::path path = fs::temp_directory_path() / ("dlaexec-test-" + std::to_string(::getpid()));
    int count = 0;
    ~Folder() {
      std::error_code ignored;
      fs::remove_all(path, ignored);
    }
  };
  static Folder root;
  const fs::path fresh = root.path / std::to_string(root.count++);
  fs::create_directories(fresh);
  return fresh.string();
}

}  // namespace dlaexec::test
