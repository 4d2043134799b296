// 2:4 sparse weights: of four neighbouring channels at most two are not zero.
#include "dla/layer_reading.h"

namespace dlaexec::dla {
namespace {

using namespace ir;

constexpr int64_t kMostWeights = 256 * 1024;

/// Float weights of a convolution whose channels come in whole fours; null for all others.
const Tensor* weights_in_fours(const Layer& layer) {
  const Tensor* weights = layer.graph.constant(layer.node, 1);
  const bool usable = weights && weights->type() == DataType::Float32 && weights->rank() == 4 &&
                      weights->dims()[1] % 4 == 0;
  return usable ? weights : nullptr;
}

bool are_sparse(const Tensor& weights) {
  const Dims& dims = weights.dims();
  const auto elements = weights.as<float>();
  const int64_t plane = dims[2] * dims[3];
  for (int64_t four = 0; four < dims[0] * dims[1] / 4; ++four)
    for (int64_t tap = 0; tap < plane; ++tap) {
      int used = 0;
      for (int64_t lane = 0; lane < 4; ++lane)
        used += elements[static_cast<size_t>((four * 4 + lane) * plane + tap)] != 0;
      if (used > 2) return false;
    }
  return true;
}

/// Kernels beyond whole 64s that the sparse array can do.
bool fits_array(int64_t kernels) {
  const int64_t rest = kernels % 64;
  return (rest & (rest - 1)) == 0;  // 0, 1, 2, 4, 8, 16, 32
}

}  // namespace

Breach sparse_weights(const Layer& layer) {
  const Tensor* weights = weights_in_fours(layer);
  if (!weights || !are_sparse(*weights)) return std::nullopt;
  return "2:4 sparse weights";
}

Breach sparse_in_vain(const Layer& layer) {
  if (!sparse_weights(layer)) return std::nullopt;
  const Tensor& weights = *layer.graph.constant(layer.node, 1);
  const Dims input = input_dims(layer, 0);
  std::vector<std::string> against;
  if (layer.precision != DataType::Int8) against.push_back(precision_text(layer.precision));
  if (input.size() > 1 && input[1] <= 64) against.push_back(format("{} channels", input[1]));
  if (!fits_array(weights.dims()[0])) against.push_back(format("{} kernels", weights.dims()[0]));
  if (weights.count() > kMostWeights) against.push_back(format("{} weights", weights.count()));
  if (input_value(layer, 0)->format == Format::DlaHwc4) against.push_back("an HWC4 input");
  if (against.empty()) return std::nullopt;
  return format("2:4 sparse weights with {}", join(against, ", "));
}

}  // namespace dlaexec::dla
