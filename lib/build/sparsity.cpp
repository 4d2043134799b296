#include "build/sparsity.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

namespace dlaexec::build {
namespace {

constexpr int64_t kGroup = 4, kZeros = 2;

/// Where the input channels of a layer's weights lie: @p count of them, @p stride elements apart.
struct Channels {
  int64_t count = 0, stride = 1;
};

/// Nothing for a layer without constant weights, or whose channels are no multiple of four.
std::optional<Channels> channels_of(const ir::Graph& graph, const ir::Node& node) {
  const ir::Tensor* weights = graph.constant(node, 1);
  if (weights == nullptr || !ir::is_float(weights->type()) || weights->rank() < 2)
    return std::nullopt;
  const ir::Dims& dims = weights->dims();
  size_t axis = dims.size() - 2;
  if (node.op == ir::Op::Conv)
    axis = 1;
  else if (node.op == ir::Op::Gemm)
    axis = node.get<ir::GemmAttributes>().transpose_b ? 1 : 0;
  else if (node.op != ir::Op::MatMul)
    return std::nullopt;
  Channels channels{dims[axis], 1};
  for (size_t i = axis + 1; i < dims.size(); ++i) channels.stride *= dims[i];
  return channels;
}

/// Calls @p visit with the positions of every four weights that belong together.
template <class Visit>
void for_each_group(int64_t count, const Channels& channels, Visit&& visit) {
  const int64_t block = channels.count * channels.stride;
  for (int64_t first = 0; first < count; first += block)
    for (int64_t inner = 0; inner < channels.stride; ++inner)
      for (int64_t channel = 0; channel < channels.count; channel += kGroup) {
        std::array<size_t, kGroup> group;
        for (int64_t i = 0; i < kGroup; ++i)
          group[static_cast<size_t>(i)] =
              static_cast<size_t>(first + inner + (channel + i) * channels.stride);
        visit(group);
      }
}

bool has_pattern(const std::vector<float>& weights, const Channels& channels) {
  bool sparse = true;
  for_each_group(std::ssize(weights), channels, [&](const auto& group) {
    const auto zeros =
        std::count_if(group.begin(), group.end(), [&](size_t i) { return weights[i] == 0; });
    sparse &= zeros >= kZeros;
  });
  return sparse;
}

void prune(std::vector<float>& weights, const Channels& channels) {
  for_each_group(std::ssize(weights), channels, [&](auto group) {
    std::stable_sort(group.begin(), group.end(), [&](size_t a, size_t b) {
      return std::fabs(weights[a]) < std::fabs(weights[b]);
    });
    for (int64_t i = 0; i < kZeros; ++i) weights[group[static_cast<size_t>(i)]] = 0;
  });
}

}  // namespace

SparseLayers apply_sparsity(ir::Graph& graph, Sparsity sparsity) {
  SparseLayers layers;
  if (sparsity == Sparsity::Disable) return layers;
  for (const ir::Node& node : graph.nodes) {
    const std::optional<Channels> channels = channels_of(graph, node);
    if (!channels) continue;
    ir::Value& value = graph.value(node.inputs[1]);
    std::vector<float> weights = value.constant->to_floats();
    const bool fits = channels->count % kGroup == 0;
    if (!fits) {
      layers.unfit.push_back(node.name);
      continue;
    }
    if (sparsity == Sparsity::Force && !has_pattern(weights, *channels)) {
      prune(weights, *channels);
      value.constant = ir::Tensor::of<float>(value.constant->dims(), weights).converted(value.type);
    }
    (has_pattern(weights, *channels) ? layers.sparse : layers.dense).push_back(node.name);
  }
  return layers;
}

}  // namespace dlaexec::build
