#include "digits.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace fs = std::filesystem;

namespace {

constexpr const char* kImages = "images-idx3-ubyte";
constexpr const char* kLabels = "labels-idx1-ubyte";

std::string read_whole(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read '" + path.string() + "'");
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A big-endian number of 4 bytes.
size_t number_at(const std::string& bytes, size_t at) {
  size_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

/// The elements of an IDX file of @p item_size bytes an item, after @p header bytes of header.
std::string idx_items(const fs::path& path, size_t header, size_t item_size) {
  const std::string bytes = read_whole(path);
  if (bytes.size() < header || bytes.size() < header + number_at(bytes, 4) * item_size)
    throw std::runtime_error("'" + path.string() + "' is no IDX file, or is cut short");
  return bytes.substr(header, number_at(bytes, 4) * item_size);
}

}  // namespace

Digits read_digits(const fs::path& folder) {
  if (!fs::is_directory(folder))
    throw std::runtime_error("there is no folder '" + folder.string() + "'");
  std::vector<fs::path> found;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (entry.path().filename().string().ends_with(kImages)) found.push_back(entry.path());
  if (found.empty())
    throw std::runtime_error("'" + folder.string() + "' holds no file that ends in " + kImages);
  const auto is_test = [](const fs::path& path) {
    return path.filename().string().starts_with("t10k");
  };
  std::sort(found.begin(), found.end());
  std::stable_partition(found.begin(), found.end(), is_test);

  std::string labels_path = found.front().string();
  labels_path.replace(labels_path.size() - std::string(kImages).size(), std::string::npos, kLabels);
  const std::string pixels = idx_items(found.front(), 16, kSide * kSide);
  const std::string labels = idx_items(labels_path, 8, 1);
  Digits digits;
  for (size_t i = 0; i * kSide * kSide < pixels.size() && i < labels.size(); ++i) {
    const auto first = pixels.begin() + static_cast<long>(i) * kSide * kSide;
    digits.pictures.emplace_back(first, first + kSide * kSide);
    digits.labels.push_back(labels[i]);
  }
  return digits;
}

fs::path digits_folder(const fs::path& program) {
  for (fs::path start : {fs::current_path(), fs::absolute(program).parent_path()})
    for (;; start = start.parent_path()) {
      if (fs::is_directory(start / "models" / "digits")) return start / "models" / "digits";
      if (start == start.root_path()) break;
    }
  throw std::runtime_error(
      "cannot find the folder models/digits; run the sample inside the checkout");
}

std::string text_art(const Digit& digit) {
  std::string art;
  for (size_t pixel = 0; pixel < digit.size(); ++pixel) {
    art += " .:-=+*#%@"[digit[pixel] / 26];
    if ((pixel + 1) % kSide == 0) art += '\n';
  }
  return art;
}
