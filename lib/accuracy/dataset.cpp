#include "accuracy/dataset.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <sstream>

#include "accuracy/npz.h"
#include "base/file.h"
#include "ir/npy.h"

namespace dlaexec::accuracy {
namespace {

namespace fs = std::filesystem;

enum class Kind { Picture, Npy, Npz, Raw, Manifest, Unknown };

struct Ending {
  std::string_view ending;
  Kind kind;
};
constexpr Ending kEndings[] = {
    {".png", Kind::Picture}, {".jpg", Kind::Picture},  {".jpeg", Kind::Picture},
    {".npy", Kind::Npy},     {".npz", Kind::Npz},      {".bin", Kind::Raw},
    {".raw", Kind::Raw},     {".txt", Kind::Manifest},
};

Kind kind_of(const std::string& path) {
  std::string ending = fs::path(path).extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  for (const Ending& row : kEndings)
    if (row.ending == ending) return row.kind;
  return Kind::Unknown;
}

int64_t item_count(const Feed& feed) { return ir::volume(feed.dims); }

std::string wanted(const Feed& feed) {
  return format("input '{}' takes {} {}", feed.name, ir::text(feed.type), ir::to_text(feed.dims));
}

/// How many samples @p tensor holds for @p feed: its first dimension, or one when it lacks it.
int64_t samples_in(const ir::Tensor& tensor, const Feed& feed, const std::string& path) {
  const int64_t one = item_count(feed);
  if (one == 0 || tensor.count() % one != 0 || tensor.count() == 0)
    fail("'{}' holds {}, which is no whole number of samples: {}", path, ir::to_text(tensor.dims()),
         wanted(feed));
  return tensor.count() / one;
}

ir::Tensor read_array(const std::string& path, const Feed& feed) {
  const std::string bytes = read_file(path);
  if (kind_of(path) == Kind::Npy) return ir::read_npy(std::as_bytes(std::span(bytes)), path);
  const size_t element = ir::size_bytes(feed.type);
  const size_t sample = element * static_cast<size_t>(item_count(feed));
  if (sample == 0 || bytes.empty() || bytes.size() % sample != 0)
    fail("'{}' has {} bytes, which is no whole number of samples of {} bytes: {}", path,
         bytes.size(), sample, wanted(feed));
  const auto count = static_cast<int64_t>(bytes.size() / element);
  return ir::Tensor(feed.type, {count}, std::as_bytes(std::span(bytes)), nullptr).clone();
}

ir::Tensor take_item(const ir::Tensor& tensor, const Feed& feed, int64_t item) {
  const auto bytes = static_cast<size_t>(item_count(feed)) * ir::size_bytes(tensor.type());
  const ir::Tensor one(tensor.type(), feed.dims,
                       tensor.bytes().subspan(static_cast<size_t>(item) * bytes, bytes), nullptr);
  return one.clone().converted(feed.type);
}

}  // namespace

Dataset::Dataset(const std::string& path, std::vector<Feed> feeds, Preprocess how)
    : feeds_(std::move(feeds)), how_(how) {
  if (!fs::exists(path)) fail("cannot read '{}': there is no such file or folder", path);
  if (fs::is_directory(path)) {
    std::vector<std::string> files;
    for (const fs::directory_entry& entry : fs::directory_iterator(path))
      if (kind_of(entry.path().string()) != Kind::Unknown &&
          kind_of(entry.path().string()) != Kind::Manifest)
        files.push_back(entry.path().string());
    std::sort(files.begin(), files.end());
    for (const std::string& file : files) add_file(file);
  } else if (kind_of(path) == Kind::Manifest) {
    add_manifest(path);
  } else {
    add_file(path);
  }
  if (samples_.empty())
    fail(
        "'{}' holds no sample; give pictures (.png, .jpg), .npy, .npz, .bin or .raw files, or a "
        ".txt manifest",
        path);
}

void Dataset::add_file(const std::string& path) {
  const Kind kind = kind_of(path);
  if (kind == Kind::Unknown)
    fail("'{}' is no kind of sample that is known; use .png, .jpg, .npy, .npz, .bin or .raw", path);
  if (feeds_.size() != 1 && kind != Kind::Npz)
    fail(
        "the network has {} inputs ({}); give .npz files, or a manifest that names a file for each",
        feeds_.size(), join(feeds_, ", ", [](const Feed& feed) { return feed.name; }));
  int64_t count = 1;
  if (kind == Kind::Npy || kind == Kind::Raw)
    count = samples_in(read_array(path, feeds_[0]), feeds_[0], path);
  if (kind == Kind::Npz) count = samples_in(read_npz(path, feeds_[0].name), feeds_[0], path);
  for (int64_t item = 0; item < count; ++item)
    samples_.push_back({std::vector<std::string>(feeds_.size(), path), item, std::nullopt});
}

void Dataset::add_manifest(const std::string& path) {
  const fs::path folder = fs::path(path).parent_path();
  std::istringstream lines(read_file(path));
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    std::istringstream words(line.substr(0, line.find('#')));
    Sample sample;
    sample.files.resize(feeds_.size());
    size_t given = 0;
    std::string word;
    while (words >> word) {
      const size_t equals = word.find('=');
      const bool is_number = word.find_first_not_of("0123456789") == std::string::npos;
      if (is_number && given > 0) {
        sample.label = std::stoll(word);
        continue;
      }
      size_t feed = 0;
      if (equals != std::string::npos)
        while (feed < feeds_.size() && feeds_[feed].name != word.substr(0, equals)) ++feed;
      if (feed == feeds_.size())
        fail("'{}', line {}: the network has no input '{}'", path, number, word.substr(0, equals));
      sample.files[feed] =
          (folder / word.substr(equals == std::string::npos ? 0 : equals + 1)).string();
      ++given;
    }
    if (given == 0) continue;
    if (given != feeds_.size())
      fail("'{}', line {}: {} files for {} inputs; name one for each as input=file", path, number,
           given, feeds_.size());
    samples_.push_back(std::move(sample));
  }
}

ir::Tensor Dataset::load_file(const std::string& path, const Feed& feed, int64_t item) const {
  return in_context([&] { return format("reading a sample for input '{}'", feed.name); },
                    [&] {
                      const Kind kind = kind_of(path);
                      if (kind == Kind::Picture) {
                        if (feed.dims.size() != 4)
                          fail("'{}' is a picture; {}", path, wanted(feed));
                        return preprocess(read_picture(path), how_, feed.dims[1], feed.dims[2],
                                          feed.dims[3])
                            .converted(feed.type);
                      }
                      const ir::Tensor tensor =
                          kind == Kind::Npz ? read_npz(path, feed.name) : read_array(path, feed);
                      if (item >= samples_in(tensor, feed, path))
                        fail("'{}' has fewer samples than the other inputs", path);
                      return take_item(tensor, feed, item);
                    });
}

std::vector<ir::Tensor> Dataset::load(size_t index) const {
  std::vector<ir::Tensor> tensors;
  for (size_t i = 0; i < feeds_.size(); ++i)
    tensors.push_back(load_file(samples_[index].files[i], feeds_[i], samples_[index].item));
  return tensors;
}

std::vector<ir::Tensor> Dataset::load_batch(size_t first, size_t count) const {
  std::vector<ir::Tensor> batch;
  for (const Feed& feed : feeds_) {
    ir::Dims dims = feed.dims;
    dims[0] = static_cast<int64_t>(count);
    batch.emplace_back(feed.type, dims);
  }
  for (size_t i = 0; i < count; ++i) {
    const std::vector<ir::Tensor> one = load(first + i);
    for (size_t feed = 0; feed < one.size(); ++feed)
      std::memcpy(batch[feed].mutable_bytes().data() + i * one[feed].size_bytes(),
                  one[feed].bytes().data(), one[feed].size_bytes());
  }
  return batch;
}

}  // namespace dlaexec::accuracy
