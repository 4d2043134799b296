#include "cpu/numbers.h"

namespace dlaexec::cpu {

bool holds_reals(const ir::Value& value) {
  return ir::is_float(value.type) ||
         (value.type == ir::DataType::Int8 && value.quantization.is_known());
}

Rounding rounding_of(const ir::Value& value) {
  DLAEXEC_CHECK(holds_reals(value));
  if (value.type != ir::DataType::Int8) return {value.type, 1};
  DLAEXEC_CHECK(value.quantization.scales.size() == 1);
  return {value.type, value.quantization.scales[0]};
}

bool same_numbers(const ir::Value& a, const ir::Value& b) {
  return a.type == b.type && a.quantization == b.quantization;
}

Layout moving_layout(const ir::Value& value) {
  return holds_reals(value) ? kLinear : Layout{value.type, Order::Linear};
}

Numbers read_numbers(const ir::Value& value) {
  if (value.type == ir::DataType::Float32) return {value.constant->as<float>().data(), {}};
  std::vector<float> made = real_numbers(value);
  const float* data = made.data();
  return {data, std::move(made)};
}

std::vector<float> real_numbers(const ir::Value& value) {
  const ir::Tensor& tensor = *value.constant;
  std::vector<float> numbers = tensor.to_floats();
  if (value.type != ir::DataType::Int8 || !value.quantization.is_known()) return numbers;
  const std::vector<float>& scales = value.quantization.scales;
  int64_t inner = 1;  // elements between neighbours along the axis of the scales
  for (size_t i = static_cast<size_t>(value.quantization.axis) + 1; i < tensor.dims().size(); ++i)
    inner *= tensor.dims()[i];
  for (size_t i = 0; i < numbers.size(); ++i) {
    const size_t index = scales.size() == 1 ? 0 : i / static_cast<size_t>(inner) % scales.size();
    numbers[i] *= scales[index];
  }
  return numbers;
}

}  // namespace dlaexec::cpu
