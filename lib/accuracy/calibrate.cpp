#include "accuracy/calibrate.h"

#include <algorithm>
#include <future>
#include <set>

#include "accuracy/taps.h"
#include "base/progress.h"
#include "ir/infer.h"
#include "quant/histogram.h"
#include "quant/ranges.h"

namespace dlaexec::accuracy {
namespace {

int64_t batch_of(const ir::Graph& graph) {
  if (graph.inputs.empty()) fail("a network without inputs has nothing to calibrate");
  const ir::Shape& shape = graph.value(graph.inputs[0]).shape;
  return shape.empty() ? 1 : shape[0].value;
}

/// True for layers that look at which element is the largest, and by how much.
bool ranks_elements(const ir::Node& node) {
  return node.op == ir::Op::Softmax || node.op == ir::Op::TopK || node.op == ir::Op::ArgReduce;
}

/// Tensors that say what the network found: its outputs and what softmax and the like read, also
/// where layers in between only move elements. Clipping them makes the best answers equal.
std::set<std::string> decisive_tensors(const ir::Graph& graph) {
  std::set<ir::ValueId> decisive(graph.outputs.begin(), graph.outputs.end());
  for (size_t i = graph.nodes.size(); i-- > 0;) {
    const ir::Node& node = graph.nodes[i];
    const bool hands_on = quant::only_moves_values(node) && decisive.contains(node.outputs[0]);
    if (ranks_elements(node) || hands_on) decisive.insert(node.inputs[0]);
  }
  std::set<std::string> names;
  for (const ir::ValueId id : decisive) names.insert(graph.value(id).name);
  return names;
}

/// One histogram per tensor, filled batch after batch.
class Collector {
 public:
  Collector(const ir::Graph& graph, ThreadPool& pool)
      : pool_(pool),
        taps_(graph, pool),
        decisive_(decisive_tensors(graph)),
        histograms_(taps_.names().size()) {}

  void add(const std::vector<ir::Tensor>& inputs) {
    const std::vector<ir::Tensor> tensors = taps_.run(inputs);
    pool_.parallel_for(static_cast<int64_t>(tensors.size()), [&](int64_t i) {
      const auto at = static_cast<size_t>(i);
      histograms_[at].add(tensors[at].to_floats());
    });
  }

  Calibration choose(const quant::CalibrationSettings& settings) {
    Calibration result;
    result.tensors.resize(histograms_.size());
    pool_.parallel_for(static_cast<int64_t>(histograms_.size()), [&](int64_t i) {
      const auto at = static_cast<size_t>(i);
      const quant::Histogram& seen = histograms_[at];
      const std::string& name = taps_.names()[at];
      const float range =
          decisive_.contains(name) ? seen.max() : quant::calibrated_range(seen, settings);
      result.tensors[at] = {name, range, seen.max(), seen.not_finite()};
    });
    for (const CalibratedTensor& tensor : result.tensors)
      if (tensor.range > 0) result.scales[tensor.name] = tensor.range / 127;
    if (result.scales.empty())
      fail(
          "the samples give no tensor a range: all that the network computes of them is 0, NaN or "
          "infinite; look at the samples, and at how they are scaled");
    return result;
  }

 private:
  ThreadPool& pool_;
  Taps taps_;
  std::set<std::string> decisive_;
  std::vector<quant::Histogram> histograms_;
};

}  // namespace

ir::Graph with_batch(const ir::Graph& graph, int64_t batch) {
  std::map<std::string, int64_t> sizes;
  for (const ir::ValueId id : graph.inputs) {
    const ir::Shape& shape = graph.value(id).shape;
    for (size_t i = 0; i < shape.size(); ++i) {
      if (shape[i].is_known()) continue;
      if (i > 0)
        fail("input '{}' is {}; calibration needs every size but the batch: give --shapes",
             graph.value(id).name, ir::to_text(shape));
      sizes[shape[i].symbol] = batch;
    }
  }
  return sizes.empty() ? graph : ir::specialize(graph, sizes);
}

std::vector<Feed> feeds_of(const ir::Graph& graph) {
  std::vector<Feed> feeds;
  for (const ir::ValueId id : graph.inputs) {
    const ir::Value& value = graph.value(id);
    Feed feed{value.name, value.type, {}};
    for (const ir::Dim& dim : value.shape) {
      if (!dim.is_known() && !feed.dims.empty())
        fail("input '{}' is {}; samples need every size but the batch: give --shapes", value.name,
             ir::to_text(value.shape));
      feed.dims.push_back(dim.value);
    }
    if (!feed.dims.empty()) feed.dims[0] = 1;
    feeds.push_back(std::move(feed));
  }
  return feeds;
}

Calibration calibrate(const ir::Graph& graph, const Dataset& data,
                      const CalibrationRequest& request, ThreadPool& pool) {
  const ir::Graph sized = with_batch(graph, static_cast<int64_t>(request.batch_size));
  const auto batch = static_cast<size_t>(batch_of(sized));
  size_t batches = data.size() / batch;
  if (batches == 0)
    fail("{} samples do not fill one batch of {}; give more samples", data.size(), batch);
  if (request.batches > 0) batches = std::min(batches, request.batches);
  Collector collector(sized, pool);
  const progress::Scope calibrating("calibrating", static_cast<int64_t>(batches));
  // Pictures are decoded while the network runs on those before.
  const auto load = [&](size_t i) {
    return std::async(std::launch::async, [&, i] { return data.load_batch(i * batch, batch); });
  };
  std::future<std::vector<ir::Tensor>> next = load(0);
  for (size_t i = 0; i < batches; ++i) {
    progress::advance_to(static_cast<int64_t>(i));
    const std::vector<ir::Tensor> inputs = next.get();
    if (i + 1 < batches) next = load(i + 1);
    collector.add(inputs);
    if (request.progress) request.progress((i + 1) * batch, batches * batch);
  }
  Calibration result = collector.choose(request.settings);
  result.samples = batches * batch;
  return result;
}

Calibration calibrate(const ir::Graph& graph, const NextBatch& next,
                      const quant::CalibrationSettings& settings, ThreadPool& pool) {
  Collector collector(graph, pool);
  size_t batches = 0;
  for (auto inputs = next(); inputs; inputs = next(), ++batches) collector.add(*inputs);
  if (batches == 0) fail("there is no batch to calibrate on; give at least one");
  Calibration result = collector.choose(settings);
  result.samples = batches * static_cast<size_t>(batch_of(graph));
  return result;
}

}  // namespace dlaexec::accuracy
