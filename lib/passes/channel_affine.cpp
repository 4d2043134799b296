#include "passes/channel_affine.h"

#include <span>

namespace dlaexec::passes {
namespace {

/// How the output channel of a weight follows from its place: rows of @c inner elements belong to
/// one channel each, taking turns; a deconvolution's groups lie one behind the other.
struct WeightWalk {
  int64_t inner = 1;      ///< elements between neighbours along the channel dimension
  int64_t channels = 1;   ///< extent of the channel dimension
  int64_t per_group = 0;  ///< elements after which the next group begins; 0: one group
};

int64_t product(const ir::Dims& dims, size_t from) {
  int64_t result = 1;
  for (size_t i = from; i < dims.size(); ++i) result *= dims[i];
  return result;
}

WeightWalk walk_of(const ir::Node& node, const ir::Dims& dims) {
  switch (node.op) {
    case ir::Op::Conv:
      return {product(dims, 1), dims[0], 0};
    case ir::Op::Deconv: {
      const int64_t groups = node.get<ir::DeconvAttributes>().groups;
      return {product(dims, 2), dims[1], groups == 1 ? 0 : product(dims, 0) / groups};
    }
    case ir::Op::Gemm:
      if (node.get<ir::GemmAttributes>().transpose_b) return {dims[1], dims[0], 0};
      return {1, dims[1], 0};
    default:  // matmul
      return {1, dims[1], 0};
  }
}

ir::Tensor scaled(const ir::Tensor& weights, const WeightWalk& walk,
                  const std::vector<double>& factor) {
  ir::Tensor result = weights.type() == ir::DataType::Float32
                          ? weights.clone()
                          : weights.converted(ir::DataType::Float32);
  const std::span<float> elements = result.mutable_as<float>();
  const auto inner = static_cast<size_t>(walk.inner), channels = static_cast<size_t>(walk.channels);
  const size_t per_group = walk.per_group ? static_cast<size_t>(walk.per_group) : elements.size();
  for (size_t row = 0, at = 0; at < elements.size(); ++row) {
    const double scale = factor[at / per_group * channels + row % channels];
    for (const size_t end = at + inner; at < end; ++at)
      elements[at] = static_cast<float>(elements[at] * scale);
  }
  return result.converted(weights.type());
}

template <class Attributes>
bool has_empty_epilogue(const ir::Node& node) {
  const auto& attributes = node.get<Attributes>();
  return !attributes.residual && attributes.activation == ir::ActivationKind::None;
}

/// A bias that is absent or a constant of one element or one per channel.
bool bias_fits(const ir::Graph& graph, const ir::Node& node, size_t channels) {
  if (ir::Graph::input(node, 2) == ir::kNoValue) return true;
  const ir::Tensor* bias = graph.constant(node, 2);
  if (!bias) return false;
  const int64_t last = bias->rank() == 0 ? 1 : bias->dims().back();
  return bias->count() == last && (last == 1 || last == static_cast<int64_t>(channels));
}

ir::Tensor new_bias(const ir::Tensor* bias, double bias_factor, const ChannelAffine& affine,
                    ir::DataType type) {
  const size_t channels = affine.factor.size();
  std::vector<float> old = bias ? bias->to_floats() : std::vector<float>{0};
  std::vector<float> elements(channels);
  for (size_t c = 0; c < channels; ++c)
    elements[c] = static_cast<float>(old[old.size() == 1 ? 0 : c] * bias_factor * affine.factor[c] +
                                     affine.offset[c]);
  return ir::Tensor::of({static_cast<int64_t>(channels)}, elements).converted(type);
}

}  // namespace

bool can_absorb(const ir::Graph& graph, const ir::Node& node, size_t channels) {
  const ir::Tensor* weights = graph.constant(node, 1);
  if (!weights || !ir::is_float(weights->type()) || !bias_fits(graph, node, channels)) return false;
  const ir::Dims& dims = weights->dims();
  const auto wanted = static_cast<int64_t>(channels);
  switch (node.op) {
    case ir::Op::Conv:
      return has_empty_epilogue<ir::ConvAttributes>(node) && dims[0] == wanted;
    case ir::Op::Deconv:
      return has_empty_epilogue<ir::DeconvAttributes>(node) &&
             dims[1] * node.get<ir::DeconvAttributes>().groups == wanted;
    case ir::Op::Gemm:
      return has_empty_epilogue<ir::GemmAttributes>(node) &&
             dims[node.get<ir::GemmAttributes>().transpose_b ? 0 : 1] == wanted;
    case ir::Op::MatMul:  // the last dimension is dimension 1
      return has_empty_epilogue<ir::MatMulAttributes>(node) && dims.size() == 2 &&
             graph.value(node.outputs[0]).shape.size() == 2 && dims[1] == wanted;
    default:
      return false;
  }
}

void absorb(ir::Graph& graph, ir::Node& node, const ChannelAffine& affine) {
  const ir::ValueId old_weights = node.inputs[1];
  const ir::Tensor weights = *graph.value(old_weights).constant;
  const std::string name = graph.value(old_weights).name;
  node.inputs[1] =
      graph.add_constant(name, scaled(weights, walk_of(node, weights.dims()), affine.factor));

  double bias_factor = 1;
  if (node.op == ir::Op::Gemm) {
    bias_factor = node.get<ir::GemmAttributes>().scale_c;
    node.get<ir::GemmAttributes>().scale_c = 1;
  }
  const ir::ValueId old_bias = ir::Graph::input(node, 2);
  const std::string bias_name =
      old_bias == ir::kNoValue ? node.name + ".bias" : graph.value(old_bias).name;
  const ir::ValueId bias = graph.add_constant(
      bias_name, new_bias(graph.constant(node, 2), bias_factor, affine, weights.type()));
  node.inputs.resize(std::max<size_t>(node.inputs.size(), 3), ir::kNoValue);
  node.inputs[2] = bias;
}

}  // namespace dlaexec::passes
