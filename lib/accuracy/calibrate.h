// INT8 ranges from data.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "accuracy/dataset.h"
#include "base/thread_pool.h"
#include "ir/graph.h"
#include "quant/calibrate.h"
#include "quant/quant.h"

namespace dlaexec::accuracy {

struct CalibrationRequest {
  quant::CalibrationSettings settings;
  size_t batch_size = 1;  ///< samples that go through the network at once, where its batch is free
  size_t batches = 0;     ///< at most so many; 0: as many as the data gives
  /// Called after each batch with samples done and samples to do.
  std::function<void(size_t done, size_t total)> progress;
};

/// One tensor's range and what it was chosen from.
struct CalibratedTensor {
  std::string name;
  float range = 0;          ///< INT8 covers [-range, range]; 0: the tensor was always 0
  float largest = 0;        ///< the largest magnitude seen
  uint64_t not_finite = 0;  ///< elements that were NaN or infinite
};

struct Calibration {
  std::vector<CalibratedTensor> tensors;  ///< in the order of the network
  quant::Scales scales;                   ///< of those whose range is not 0
  size_t samples = 0;
};

/// The inputs of @p graph as samples fill them.
std::vector<Feed> feeds_of(const ir::Graph& graph);

/// The network with every size known: its free batch is @p batch. Throws an Error for another free
/// size, which has no data to follow.
ir::Graph with_batch(const ir::Graph& graph, int64_t batch);

/// Runs samples through the network in FP32 on the host and chooses a range for every float tensor;
/// what the network's answer is read from (its outputs, what softmax reads) is never clipped.
/// @p graph is the network as the build sees it before it assigns precisions: the tensors have the
/// names that the scales are given by. Throws an Error when the data does not fit its inputs.
Calibration calibrate(const ir::Graph& graph, const Dataset& data,
                      const CalibrationRequest& request, ThreadPool& pool);

/// Gives the next batch of inputs, or nothing after the last.
using NextBatch = std::function<std::optional<std::vector<ir::Tensor>>()>;

/// The same from batches that somebody else has. @p graph has static shapes. Throws an Error when
/// there is none.
Calibration calibrate(const ir::Graph& graph, const NextBatch& next,
                      const quant::CalibrationSettings& settings, ThreadPool& pool);

}  // namespace dlaexec::accuracy
