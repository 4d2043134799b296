#include "cpu/conv_shape.h"

#include "cpu/numbers.h"

namespace dlaexec::cpu {
namespace {

Axis axis_of(const ir::ConvAttributes& attributes, const ir::Dims& weights, size_t spatial) {
  const size_t count = weights.size() - 2;
  Axis axis;
  axis.kernel = weights[2 + spatial];
  axis.stride = attributes.stride[spatial];
  axis.dilation = attributes.dilation[spatial];
  axis.pad_before = attributes.pads[spatial];
  axis.pad_after = attributes.pads[spatial + count];
  return axis;
}

}  // namespace

std::optional<ConvShape> conv_shape(const Request& request) {
  const ir::Dims input = request.input_dims(0);
  const ir::Dims weights = request.input_dims(1);
  if (input.size() != 3 && input.size() != 4) return std::nullopt;
  const auto& attributes = request.node.get<ir::ConvAttributes>();
  ConvShape shape;
  shape.input = image_dims(input);
  shape.output = image_dims(request.output_dims());
  shape.groups = attributes.groups;
  shape.x = axis_of(attributes, weights, input.size() - 3);
  if (input.size() == 4) shape.y = axis_of(attributes, weights, 0);
  return shape;
}

int residual_input(const Request& request) {
  const bool has = request.node.get<ir::ConvAttributes>().residual;
  return has ? static_cast<int>(request.node.inputs.size()) - 1 : -1;
}

bool has_bias(const Request& request) {
  return request.has_input(2) && residual_input(request) != 2;
}

bool has_float_operands(const Request& request) {
  for (const ir::ValueId id : request.node.inputs)
    if (id != ir::kNoValue && !holds_reals(request.graph.value(id))) return false;
  if (!holds_reals(request.output()) || request.constant(1) == nullptr) return false;
  if (has_bias(request) && request.constant(2) == nullptr) return false;
  const int residual = residual_input(request);
  if (residual >= 0 && request.input_dims(static_cast<size_t>(residual)) != request.output_dims())
    return false;
  return request.input(0).type != ir::DataType::Int8 || request.input(1).type != ir::DataType::Int8;
}

ConvWeights weights_in_whole_blocks(const std::vector<float>& weights, const ConvShape& shape) {
  const int64_t in = shape.input.channels / shape.groups;    // per group
  const int64_t out = shape.output.channels / shape.groups;  // per group
  int64_t joined = 1;
  const auto is_whole = [&] { return in * joined % kBlock == 0 && out * joined % kBlock == 0; };
  while (joined < shape.groups && (shape.groups % joined != 0 || !is_whole())) ++joined;
  if (joined == 1) return {weights, shape.groups};

  const int64_t taps = shape.y.kernel * shape.x.kernel;
  ConvWeights wide;
  wide.groups = shape.groups / joined;
  wide.numbers.assign(static_cast<size_t>(shape.output.channels * in * joined * taps), 0.0f);
  for (int64_t k = 0; k < shape.output.channels; ++k) {
    const int64_t first = k / out % joined * in;  // of the group's channels among the joined ones
    const float* from = weights.data() + k * in * taps;
    float* to = wide.numbers.data() + (k * in * joined + first) * taps;
    std::copy(from, from + in * taps, to);
  }
  return wide;
}

}  // namespace dlaexec::cpu
