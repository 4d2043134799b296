#include "accuracy/npz.h"

#include <minizip/unzip.h>

#include <array>
#include <memory>
#include <optional>

#include "ir/npy.h"

namespace dlaexec::accuracy {
namespace {

constexpr std::string_view kSuffix = ".npy";

struct CloseArchive {
  void operator()(void* archive) const { unzClose(archive); }
};
using Archive = std::unique_ptr<void, CloseArchive>;

Archive open(const std::string& path) {
  Archive archive(unzOpen64(path.c_str()));
  if (!archive) fail("cannot read '{}': there is no such file, or it is no .npz archive", path);
  return archive;
}

/// The bytes of the entry that the archive stands at; nothing when they are damaged.
std::optional<std::string> read_entry(unzFile archive) {
  unz_file_info64 info;
  if (unzGetCurrentFileInfo64(archive, &info, nullptr, 0, nullptr, 0, nullptr, 0) != UNZ_OK)
    return std::nullopt;
  if (unzOpenCurrentFile(archive) != UNZ_OK) return std::nullopt;
  // Read piece by piece: the size that a damaged header promises is not believed.
  std::string bytes;
  std::array<char, 1 << 16> piece;
  int count = 0;
  while ((count = unzReadCurrentFile(archive, piece.data(), piece.size())) > 0)
    bytes.append(piece.data(), static_cast<size_t>(count));
  const bool sound = unzCloseCurrentFile(archive) == UNZ_OK;  // the checksum is compared here
  if (count < 0 || !sound || bytes.size() != info.uncompressed_size) return std::nullopt;
  return bytes;
}

}  // namespace

std::vector<std::string> npz_names(const std::string& path) {
  const Archive archive = open(path);
  std::vector<std::string> names;
  for (int code = unzGoToFirstFile(archive.get()); code == UNZ_OK;
       code = unzGoToNextFile(archive.get())) {
    std::array<char, 4096> name{};
    if (unzGetCurrentFileInfo64(archive.get(), nullptr, name.data(), name.size() - 1, nullptr, 0,
                                nullptr, 0) != UNZ_OK)
      break;
    const std::string_view text(name.data());
    if (text.ends_with(kSuffix)) names.emplace_back(text.substr(0, text.size() - kSuffix.size()));
  }
  return names;
}

ir::Tensor read_npz(const std::string& path, const std::string& name) {
  const Archive archive = open(path);
  const std::string entry = name + std::string(kSuffix);
  constexpr int kCaseSensitive = 1;
  if (unzLocateFile(archive.get(), entry.c_str(), kCaseSensitive) != UNZ_OK)
    fail("'{}' has no array '{}'; it has: {}", path, name, join(npz_names(path), ", "));
  const std::optional<std::string> bytes = read_entry(archive.get());
  if (!bytes) fail("cannot read the array '{}' of '{}': the archive is damaged", name, path);
  return ir::read_npy(std::as_bytes(std::span(*bytes)), path + ":" + name);
}

}  // namespace dlaexec::accuracy
