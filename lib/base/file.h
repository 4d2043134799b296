// Files: whole reads, mapped reads, and writes that either happen or leave nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace dlaexec {

/// The bytes of a file. Throws an Error that names the file and the system's reason.
std::string read_file(const std::string& path);

/// Writes @p content beside @p path and renames it into place; on any failure throws an Error that
/// names the file, and leaves neither a half-written nor a temporary file. "-" is standard output.
void write_file(const std::string& path, std::string_view content);

/// Throws the Error that write_file(@p path) would throw for a path that cannot be written, without
/// touching it: asked before a long run, so that no result is lost at its end.
void require_writable(const std::string& path);

/// A file mapped read-only; what comes out of a pipe is read instead. Copies share the mapping,
/// which lives as long as the last of them.
class MappedFile {
 public:
  /// Throws an Error that names the file if it cannot be opened or mapped.
  explicit MappedFile(const std::string& path);
  std::span<const std::byte> bytes() const { return bytes_; }
  /// Keeps the mapping alive for whoever holds a pointer into it.
  std::shared_ptr<const void> owner() const { return owner_; }

 private:
  std::span<const std::byte> bytes_;
  std::shared_ptr<const void> owner_;
};

}  // namespace dlaexec
