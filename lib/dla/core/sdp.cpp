#include "dla/core/sdp.h"

#include <limits>

#include "dla/core/lut.h"
#include "dla/core/rows.h"

namespace dlaexec::dla::core {
namespace {

/// The element of @p view that an operand repeats to @p at.
Position broadcast(const Nchw& dims, const Position& at) {
  return {dims.n == 1 ? 0 : at.n, dims.c == 1 ? 0 : at.c, dims.h == 1 ? 0 : at.h,
          dims.w == 1 ? 0 : at.w};
}

template <class Number>
Number alu(SdpAlu op, Number value, Number operand) {
  switch (op) {
    case SdpAlu::None:
      return value;
    case SdpAlu::Sum:
      return value + operand;
    case SdpAlu::Max:
      return value > operand ? value : operand;
    case SdpAlu::Min:
      return value < operand ? value : operand;
  }
  __builtin_unreachable();
}

template <class Number>
bool is_multiplied(const SdpStage& stage, Number value) {
  return stage.mul == SdpMul::All || (stage.mul == SdpMul::Negatives && !(value > 0));
}

template <class Number>
Number activate(SdpActivation activation, Number value) {
  return activation == SdpActivation::None || value > 0 ? value : Number{0};
}

}  // namespace

float widen(Half half) {
  const float value = static_cast<float>(half);
  constexpr float kLargest = std::numeric_limits<float>::max();
  return std::isinf(value) ? std::copysign(kLargest, value) : value;
}

float read_float(const CubeView& view, const Position& at, const Converter& converter) {
  const float stored =
      view.is_int8() ? static_cast<float>(view.load<int8_t>(at)) : widen(view.load<Half>(at));
  if (converter.is_identity()) return stored;
  return (stored - static_cast<float>(converter.offset)) * static_cast<float>(factor(converter));
}

void write_float(const CubeView& view, const Position& at, float value,
                 const Converter& converter) {
  if (!view.is_int8()) return view.store(at, to_half(value));
  const double steps = std::round(static_cast<double>(value) * factor(converter));
  view.store(at, static_cast<int8_t>(std::isnan(steps) ? 0 : std::clamp(steps, -128.0, 127.0)));
}

Sdp::Sdp(const Memory& memory, const Operation& operation, const SdpParameters& parameters)
    : memory_(memory), parameters_(parameters), output_(memory.view(operation.output)) {}

int64_t Sdp::constant_index(const SdpOperand& operand, const Position& at) const {
  const Nchw& dims = output_.dims();
  switch (operand.extent) {
    case OperandExtent::PerLayer:
      return 0;
    case OperandExtent::PerChannel:
      return at.c;
    case OperandExtent::PerElement:
      return (at.c * dims.h + at.h) * dims.w + at.w;
  }
  __builtin_unreachable();
}

int64_t Sdp::integer_operand(const SdpOperand& operand, const Position& at) const {
  int64_t value = 0;
  if (operand.cube == kNoCube) {
    value = memory_.constants<int16_t>(operand.constants)[constant_index(operand, at)];
  } else {
    const CubeView view = memory_.view(operand.cube);
    const int8_t stored = view.load<int8_t>(broadcast(view.dims(), at));
    value = saturate<int16_t>(apply(operand.converter, stored));
  }
  return saturate<int32_t>(value << operand.shift_left);
}

float Sdp::float_operand(const SdpOperand& operand, const Position& at) const {
  if (operand.cube == kNoCube)
    return memory_.constants<float>(operand.constants)[constant_index(operand, at)];
  const CubeView view = memory_.view(operand.cube);
  return read_float(view, broadcast(view.dims(), at), operand.converter);
}

void Sdp::deliver(const Position& at, int64_t value) const {
  for (const SdpStage& stage : parameters_.stages) {
    if (stage.alu != SdpAlu::None)
      value = alu(stage.alu, value, integer_operand(stage.alu_operand, at));
    if (is_multiplied(stage, value))
      value = shift_right_rounded(value * integer_operand(stage.mul_operand, at), stage.mul_shift);
    value = activate(stage.activation, int64_t{saturate<int32_t>(value)});
  }
  output_.store(at, saturate<int8_t>(apply(parameters_.output, value)));
}

void Sdp::deliver(const Position& at, float value) const {
  for (const SdpStage& stage : parameters_.stages) {
    if (stage.alu != SdpAlu::None)
      value = alu(stage.alu, value, float_operand(stage.alu_operand, at));
    if (is_multiplied(stage, value)) value = value * float_operand(stage.mul_operand, at);
    value = activate(stage.activation, value);
  }
  const Lut& lut = parameters_.lut;
  if (lut.is_present()) value = look_up(lut, memory_.constants<Half>(lut.entries), value);
  write_float(output_, at, value, parameters_.output);
}

void run_sdp(const Memory& memory, const Operation& operation, ThreadPool& threads) {
  const auto& parameters = std::get<SdpParameters>(operation.parameters);
  const CubeView input = memory.view(operation.input);
  const Sdp sdp(memory, operation, parameters);
  for_each_row(input.dims(), threads, [&](int64_t n, int64_t c, int64_t h) {
    for (int64_t w = 0; w < input.dims().w; ++w) {
      const Position at{n, c, h, w};
      if (operation.precision == ir::DataType::Int8)
        sdp.deliver(at, int64_t{input.load<int8_t>(at)});
      else
        sdp.deliver(at, read_float(input, at, parameters.input));
    }
  });
}

}  // namespace dlaexec::dla::core
