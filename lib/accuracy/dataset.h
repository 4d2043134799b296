// Samples for calibration and validation: folders, files and manifests as network inputs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "accuracy/image.h"
#include "ir/graph.h"

namespace dlaexec::accuracy {

/// A network input that samples fill: one item of a batch.
struct Feed {
  std::string name;
  ir::DataType type = ir::DataType::Float32;
  ir::Dims dims;  ///< with a batch of 1 in front
};

/// One sample: a file per input, and what the network should say of it.
struct Sample {
  std::vector<std::string> files;  ///< in the order of the feeds
  int64_t item = 0;                ///< which item of the files' first dimension
  std::optional<int64_t> label;
};

/// A list of samples that are read when they are asked for.
class Dataset {
 public:
  /// @p path is one of
  ///   a folder     its pictures and .npy, .npz, .bin and .raw files in the order of their names
  ///   a manifest   a .txt file: per line the file (or input=file for each input), then a label if
  ///                there is one; relative to the manifest; # begins a comment
  ///   a file       a picture, or .npy whose first dimension may hold many samples, or .npz with
  ///   one
  ///                array per input, or raw elements of whole samples
  /// Throws an Error that names what is missing, of the wrong shape, or empty.
  Dataset(const std::string& path, std::vector<Feed> feeds, Preprocess how);

  size_t size() const { return samples_.size(); }
  const Sample& sample(size_t index) const { return samples_[index]; }
  const std::vector<Feed>& feeds() const { return feeds_; }

  /// The tensors of one sample, one per feed, with a batch of 1.
  std::vector<ir::Tensor> load(size_t index) const;
  /// Samples [first, first + count) side by side along the first dimension.
  std::vector<ir::Tensor> load_batch(size_t first, size_t count) const;

 private:
  void add_file(const std::string& path);
  void add_manifest(const std::string& path);
  ir::Tensor load_file(const std::string& path, const Feed& feed, int64_t item) const;

  std::vector<Feed> feeds_;
  Preprocess how_;
  std::vector<Sample> samples_;
};

}  // namespace dlaexec::accuracy
