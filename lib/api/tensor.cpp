#include <algorithm>
#include <cmath>

#include "api/convert.h"
#include "api/network.h"

namespace dlaexec::api {

ir::Value& Tensor::value() const { return network_.graph().value(id_); }

void Tensor::setName(const char* name) noexcept {
  const std::string wanted = name ? name : "";
  const auto taken = network_.graph().find_value(wanted);
  if (taken && *taken != id_) {
    network_.logger().log(
        ILogger::Severity::kERROR,
        format("tensor name '{}' is taken; give each tensor a name of its own", wanted).c_str());
    return;
  }
  value().name = wanted;
  network_.changed();
}

const char* Tensor::getName() const noexcept { return value().name.c_str(); }

Dims Tensor::getDimensions() const noexcept {
  return guarded(network_.logger(), Dims{-1, {}},
                 [&] { return network_.user_dims(network_.inferred().value(id_).shape); });
}

void Tensor::setDimensions(Dims dimensions) noexcept {
  succeeds(network_.logger(), [&] {
    if (!isNetworkInput())
      fail("dimensions of '{}' follow from its layer; set those of inputs", value().name);
    ir::Shape shape = to_shape(dimensions);
    if (network_.hidden_axes()) shape.insert(shape.begin(), value().shape.front());
    value().shape = std::move(shape);
    network_.changed();
  });
}

// Inside the graph every float tensor is Float32 until the build fixes types: the user's choice
// says how the tensor is exchanged.
void Tensor::setType(DataType type) noexcept {
  succeeds(network_.logger(), [&] { io_type_ = to_ir(type); });
}

DataType Tensor::getType() const noexcept {
  return guarded(network_.logger(), DataType::kFLOAT, [&] {
    return to_api(io_type_ ? *io_type_ : network_.inferred().value(id_).type);
  });
}

bool Tensor::setDynamicRange(float min, float max) noexcept {
  const float largest = std::max(std::fabs(min), std::fabs(max));
  if (!(min <= max) || !(largest > 0) || std::isinf(largest)) return false;
  value().quantization = {{largest / 127}, 0};
  return true;
}

bool Tensor::dynamicRangeIsSet() const noexcept { return value().quantization.is_known(); }

void Tensor::resetDynamicRange() noexcept { value().quantization = {}; }

float Tensor::getDynamicRangeMax() const noexcept {
  return dynamicRangeIsSet() ? value().quantization.scales[0] * 127 : std::nanf("");
}

float Tensor::getDynamicRangeMin() const noexcept { return -getDynamicRangeMax(); }

bool Tensor::isNetworkInput() const noexcept { return network_.graph().is_input(id_); }

bool Tensor::isNetworkOutput() const noexcept { return network_.graph().is_output(id_); }

}  // namespace dlaexec::api
