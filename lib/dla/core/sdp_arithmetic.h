// What the SDP does to one element, whatever gives it the operands: positions in tensors, or the
// numbers of a table that is being filled.
#pragma once

#include <cmath>

#include "dla/core/lut.h"
#include "dla/core/memory.h"

namespace dlaexec::dla::core {

/// FP16 as the SDP reads it: an infinity is the largest finite FP32.
inline float widen(Half half) {
  const float value = static_cast<float>(half);
  constexpr float kLargest = std::numeric_limits<float>::max();
  return std::isinf(value) ? std::copysign(kLargest, value) : value;
}

/// A stored element as an FP32 number: stored * @p converter.
inline float real_of(float stored, const Converter& converter) {
  if (converter.is_identity()) return stored;
  return (stored - static_cast<float>(converter.offset)) * static_cast<float>(factor(converter));
}
inline float real_of(int8_t stored, const Converter& converter) {
  return real_of(static_cast<float>(stored), converter);
}
inline float real_of(Half stored, const Converter& converter) {
  return real_of(widen(stored), converter);
}

/// An FP32 number as an Int8 element: rounded half away from zero, NaN as zero.
inline int8_t to_int8(float value, const Converter& converter) {
  const double steps = std::round(static_cast<double>(value) * factor(converter));
  return static_cast<int8_t>(std::isnan(steps) ? 0 : std::clamp(steps, -128.0, 127.0));
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

/// The Int8 element that @p value becomes in an operation that works in integers.
/// @p operand(const SdpOperand&) gives int64_t.
template <class Operand>
int8_t integer_result(const SdpParameters& sdp, int64_t value, Operand&& operand) {
  for (const SdpStage& stage : sdp.stages) {
    if (stage.alu != SdpAlu::None) value = alu(stage.alu, value, operand(stage.alu_operand));
    if (is_multiplied(stage, value))
      value = shift_right_rounded(value * operand(stage.mul_operand), stage.mul_shift);
    value = activate(stage.activation, int64_t{saturate<int32_t>(value)});
  }
  return saturate<int8_t>(apply(sdp.output, value));
}

/// The FP32 number that @p value becomes before the output's conversion.
/// @p operand(const SdpOperand&) gives float.
template <class Operand>
float float_result(const SdpParameters& sdp, const Memory& memory, float value, Operand&& operand) {
  for (const SdpStage& stage : sdp.stages) {
    if (stage.alu != SdpAlu::None) value = alu(stage.alu, value, operand(stage.alu_operand));
    if (is_multiplied(stage, value)) value = value * operand(stage.mul_operand);
    value = activate(stage.activation, value);
  }
  const Lut& lut = sdp.lut;
  if (!lut.is_present()) return value;
  const float found = look_up(lut, memory.constants<Half>(lut.entries), value);
  return sdp.gated ? found * value : found;
}

/// An operand of an operation that works in integers, from what it holds.
inline int64_t integer_operand(const SdpOperand& operand, int64_t held) {
  if (operand.cube != kNoCube) held = saturate<int16_t>(apply(operand.converter, held));
  return saturate<int32_t>(held << operand.shift_left);
}

}  // namespace dlaexec::dla::core
