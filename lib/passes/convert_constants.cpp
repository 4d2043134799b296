#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "passes/passes.h"
#include "passes/types.h"

namespace dlaexec::passes {
namespace {

constexpr float kLargestInt8 = 127;

/// The type a constant is wanted in, and for Int8 the dimension that has a scale per index.
struct Target {
  ir::DataType type;
  std::optional<int64_t> axis;  ///< no value: one scale for all
  auto operator<=>(const Target&) const = default;
};

/// The dimension of a node's weights that counts output channels.
int64_t channel_axis(const ir::Node& node, const ir::Dims& weights) {
  switch (node.op) {
    case ir::Op::Conv:
      return 0;
    case ir::Op::Deconv:
      return 1;
    case ir::Op::Gemm:
      return node.get<ir::GemmAttributes>().transpose_b ? 0 : 1;
    default:  // matmul
      return std::ssize(weights) - 1;
  }
}

Target target_of(const ir::Node& node, Role role, const ir::Tensor& constant) {
  const ir::DataType precision = node.precision.value_or(ir::DataType::Float32);
  if (role == Role::Parameter) return {ir::DataType::Float32, {}};
  if (role == Role::Weights && precision == ir::DataType::Int8)
    return {precision, channel_axis(node, constant.dims())};
  return {precision, {}};
}

/// Which scale belongs to each element: element / inner % scales.
int64_t inner_of(const ir::Dims& dims, int64_t axis) {
  int64_t inner = 1;
  for (size_t i = static_cast<size_t>(axis) + 1; i < dims.size(); ++i) inner *= dims[i];
  return inner;
}

/// The real numbers of a constant that may be quantized.
std::vector<float> reals(const ir::Value& value) {
  std::vector<float> elements = value.constant->to_floats();
  const ir::Quantization& q = value.quantization;
  if (value.type != ir::DataType::Int8 || !q.is_known()) return elements;
  const int64_t inner = q.scales.size() == 1 ? 1 : inner_of(value.constant->dims(), q.axis);
  for (size_t i = 0; i < elements.size(); ++i)
    elements[i] *= q.scales[static_cast<size_t>(static_cast<int64_t>(i) / inner) % q.scales.size()];
  return elements;
}

/// Symmetric quantization by the largest magnitude; channels of zeros get the scale 1.
ir::Value quantized(const ir::Value& from, const Target& target) {
  const std::vector<float> elements = reals(from);
  const ir::Dims& dims = from.constant->dims();
  const int64_t axis = target.axis.value_or(0);
  const size_t count = target.axis ? static_cast<size_t>(dims[static_cast<size_t>(axis)]) : 1;
  const int64_t inner = target.axis ? inner_of(dims, axis) : 1;
  const auto channel = [&](size_t i) {
    return static_cast<size_t>(static_cast<int64_t>(i) / inner) % count;
  };
  std::vector<float> largest(count, 0);
  for (size_t i = 0; i < elements.size(); ++i)
    largest[channel(i)] = std::max(largest[channel(i)], std::fabs(elements[i]));

  ir::Value made = from;
  made.type = ir::DataType::Int8;
  made.quantization = {{}, axis};
  if (!target.axis && from.quantization.scales.size() == 1)
    made.quantization.scales = from.quantization.scales;  // a range that somebody gave
  else
    for (const float top : largest)
      made.quantization.scales.push_back(top > 0 ? top / kLargestInt8 : 1);
  ir::Tensor stored(ir::DataType::Int8, dims);
  for (size_t i = 0; i < elements.size(); ++i) {
    const float q = std::nearbyint(elements[i] / made.quantization.scales[channel(i)]);
    stored.mutable_as<int8_t>()[i] = static_cast<int8_t>(q >= kLargestInt8   ? kLargestInt8
                                                         : q > -kLargestInt8 ? q
                                                                             : -kLargestInt8);
  }
  made.constant = std::move(stored);
  return made;
}

/// Finite numbers that Float16 cannot hold become its largest ones: a mask's -3.4e38 would be
/// infinite, and NaN where it is multiplied by zero.
ir::Tensor saturated(const ir::Tensor& from) {
  constexpr float kLargestHalf = 65504;
  std::vector<float> elements = from.to_floats();
  for (float& element : elements)
    if (std::isfinite(element)) element = std::clamp(element, -kLargestHalf, kLargestHalf);
  return ir::Tensor::of(from.dims(), elements);
}

ir::Value converted(const ir::Value& from, const Target& target) {
  if (target.type == ir::DataType::Int8) return quantized(from, target);
  ir::Value made = from;
  ir::Tensor elements = from.type == ir::DataType::Int8
                            ? ir::Tensor::of(from.constant->dims(), reals(from))
                            : *from.constant;
  if (target.type == ir::DataType::Float16) elements = saturated(elements);
  made.constant = elements.converted(target.type);
  made.type = target.type;
  made.quantization = {};
  return made;
}

/// True if @p value already is what @p target asks for.
bool fits(const ir::Value& value, const Target& target) {
  if (value.type != target.type) return false;
  if (value.type != ir::DataType::Int8) return true;
  const size_t scales = value.quantization.scales.size();
  return scales == 1 || (target.axis && value.quantization.axis == *target.axis);
}

}  // namespace

bool convert_constants(ir::Graph& graph) {
  std::map<std::pair<ir::ValueId, Target>, ir::ValueId> done;
  for (ir::Node& node : graph.nodes) {
    if (node.op == ir::Op::Reformat) continue;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const ir::ValueId id = node.inputs[i];
      if (id == ir::kNoValue || !graph.value(id).constant || !is_real(graph.value(id))) continue;
      const Role role = role_of(graph, node, i);
      if (role == Role::Other) continue;
      const Target target = target_of(node, role, *graph.value(id).constant);
      if (fits(graph.value(id), target)) continue;
      const auto [at, fresh] = done.try_emplace({id, target}, ir::kNoValue);
      if (fresh) at->second = graph.add_value(converted(graph.value(id), target));
      node.inputs[i] = at->second;
    }
  }
  return !done.empty();
}

}  // namespace dlaexec::passes
