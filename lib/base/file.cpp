#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>

#include "base/error.h"

namespace dlaexec {
namespace {

/// An open file descriptor that closes itself.
class Descriptor {
 public:
  Descriptor(const std::string& path, int flags, mode_t mode = 0)
      : fd_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

[[noreturn]] void fail_reading(const std::string& path, int reason) {
  fail("cannot read '{}': {}", path, std::strerror(reason));
}

[[noreturn]] void fail_writing(const std::string& path, int reason) {
  const bool is_full = reason == ENOSPC || reason == EDQUOT;
  fail("cannot write '{}': {}; {}", path, std::strerror(reason),
       is_full ? "free some space or give another path"
               : "give a path in a folder that exists and can be written");
}

struct stat status_of(const Descriptor& file, const std::string& path) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) fail_reading(path, errno);
  if (S_ISDIR(status.st_mode)) fail_reading(path, EISDIR);
  return status;
}

/// What @p file holds; @p expected is its size as the system reports it, 0 for pipes and /proc.
std::string read_all(const Descriptor& file, size_t expected, const std::string& path) {
  std::string content(expected, '\0');
  size_t filled = 0;
  while (true) {
    if (filled == content.size()) content.resize(content.size() + 4096);
    const ssize_t count = ::read(file.get(), content.data() + filled, content.size() - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_reading(path, errno);
    if (count == 0) break;
    filled += static_cast<size_t>(count);
  }
  content.resize(filled);
  return content;
}

bool write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t count = ::write(fd, content.data(), content.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    content.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

std::string folder_of(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

/// The file that @p path leads to: a link stays one and its target is replaced.
std::string behind_links(const std::string& path) {
  std::error_code failed;
  const std::filesystem::path target = std::filesystem::weakly_canonical(path, failed);
  return failed ? path : target.string();
}

bool is_special(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
}

}  // namespace

std::string read_file(const std::string& path) {
  Descriptor file(path, O_RDONLY);
  if (!file.ok()) fail_reading(path, errno);
  return read_all(file, static_cast<size_t>(status_of(file, path).st_size), path);
}

void write_file(const std::string& path, std::string_view content) {
  if (path == "-") {
    if (!write_all(STDOUT_FILENO, content)) fail_writing("standard output", errno);
    return;
  }
  if (is_special(path)) {  // /dev/null, pipes: nothing to rename onto
    Descriptor file(path, O_WRONLY);
    if (!file.ok() || !write_all(file.get(), content)) fail_writing(path, errno);
    return;
  }
  const std::string target = behind_links(path);
  // Short whatever the file's name, and another for each file that is being written.
  const std::string beside =
      format("{}/.{:x}.{}.tmp", folder_of(target), std::hash<std::string>{}(target), ::getpid());
  int reason = 0;
  {
    Descriptor file(beside, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (!file.ok()) fail_writing(path, errno);
    if (!write_all(file.get(), content) || ::fsync(file.get()) != 0) reason = errno;
  }
  if (reason == 0 && ::rename(beside.c_str(), target.c_str()) != 0) reason = errno;
  if (reason == 0) return;
  ::unlink(beside.c_str());
  fail_writing(path, reason);
}

void require_writable(const std::string& path) {
  if (path == "-") return;
  struct stat status {};
  const bool is_there = ::stat(path.c_str(), &status) == 0;
  if (!is_there && errno != ENOENT) fail_writing(path, errno);
  if (is_there && S_ISDIR(status.st_mode)) fail_writing(path, EISDIR);
  if (is_there && !S_ISREG(status.st_mode)) return;
  const std::string folder = folder_of(behind_links(path));
  if (::access(folder.c_str(), W_OK | X_OK) != 0) fail_writing(path, errno);
}

MappedFile::MappedFile(const std::string& path) {
  Descriptor file(path, O_RDONLY);
  if (!file.ok()) fail_reading(path, errno);
  const struct stat status = status_of(file, path);
  const auto size = static_cast<size_t>(status.st_size);
  if (!S_ISREG(status.st_mode)) {
    // A pipe cannot be mapped, nor opened a second time: its writer may be gone.
    const auto content = std::make_shared<const std::string>(read_all(file, size, path));
    bytes_ = std::as_bytes(std::span(*content));
    owner_ = content;
    return;
  }
  if (size == 0) return;
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (address == MAP_FAILED) fail_reading(path, errno);
  owner_ = std::shared_ptr<const void>(address, [size](void* mapped) { ::munmap(mapped, size); });
  bytes_ = {static_cast<const std::byte*>(address), size};
}

}  // namespace dlaexec
