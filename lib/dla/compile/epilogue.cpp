#include "dla/compile/epilogue.h"

#include <algorithm>
#include <cmath>

namespace dlaexec::dla {
namespace {

constexpr double kLargestOperand = 32767;
/// More bits behind the point would let sums overflow 32 bits.
constexpr int kMostFractionBits = 15;

/// The shift with which the largest of the factors becomes a 16-bit mantissa.
int mantissa_shift(double largest) {
  int exponent = 0;
  std::frexp(largest, &exponent);
  int shift = std::clamp(15 - exponent, 0, 63);
  while (shift > 0 && std::nearbyint(std::ldexp(largest, shift)) > kLargestOperand) --shift;
  return shift;
}

int16_t operand_of(double value) {
  return static_cast<int16_t>(std::clamp(std::nearbyint(value), -kLargestOperand, kLargestOperand));
}

}  // namespace

double RealOperand::largest() const {
  double largest = 0;
  for (const double value : values) largest = std::max(largest, std::fabs(value));
  return largest;
}

void Epilogue::enter_middle(const RealOperand& units, float output_scale, float operand_scale) {
  const double by_factor = kLargestOperand * output_scale / std::max(units.largest(), 1e-300);
  const double by_operand =
      operand_scale > 0 ? kLargestOperand * output_scale / (128.0 * operand_scale) : by_factor;
  const double largest = std::min(by_factor, by_operand);
  if (!(largest >= 1))
    fail(
        "its scales are too far apart for 16-bit converters (output {:.3g}, inputs {:.3g} and "
        "{:.3g} a step)",
        output_scale, units.largest(), operand_scale);
  const int fraction =
      static_cast<int>(std::min<double>(kMostFractionBits, std::floor(std::log2(largest))));
  scale_ = std::ldexp(static_cast<double>(output_scale), -fraction);
  sdp_.output = {0, 1, static_cast<uint8_t>(fraction)};

  RealOperand factors = units;
  for (double& factor : factors.values) factor /= scale_;
  if (factors.extent == OperandExtent::PerLayer && factors.values[0] == 1) return;
  SdpStage& stage = stage_with_mul();
  stage.mul = SdpMul::All;
  stage.mul_operand = mul_constants(factors, stage.mul_shift);
}

void Epilogue::enter_scale(double scale, double output_scale) {
  scale_ = scale;
  const double ratio = scale / output_scale;
  if (!is_representable(ratio))
    fail("its scales are too far apart for a 16-bit converter ({:.3g} and {:.3g} a step)", scale,
         output_scale);
  sdp_.output = converter_of(ratio);
}

SdpStage& Epilogue::stage_with_alu() {
  const bool is_free = !sdp_.stages.empty() && sdp_.stages.back().alu == SdpAlu::None &&
                       sdp_.stages.back().mul == SdpMul::None &&
                       sdp_.stages.back().activation == SdpActivation::None;
  return is_free ? sdp_.stages.back() : sdp_.stages.emplace_back();
}

SdpStage& Epilogue::stage_with_mul() {
  const bool is_free = !sdp_.stages.empty() && sdp_.stages.back().mul == SdpMul::None &&
                       sdp_.stages.back().activation == SdpActivation::None;
  return is_free ? sdp_.stages.back() : sdp_.stages.emplace_back();
}

SdpStage& Epilogue::stage_with_activation() {
  const bool is_free = !sdp_.stages.empty() && sdp_.stages.back().activation == SdpActivation::None;
  return is_free ? sdp_.stages.back() : sdp_.stages.emplace_back();
}

SdpOperand Epilogue::float_constants(const RealOperand& operand) {
  std::vector<float> values;
  for (const double wide : operand.values) {
    const float value = static_cast<float>(wide);
    if (!(std::fabs(value) <= kLargestHalf))
      fail("one of its constants is {:.4g}; the DLA takes constants up to 65504", value);
    values.push_back(builder_.generation() == Generation::Xavier
                         ? static_cast<float>(to_half(value))
                         : to_fp19(value));
  }
  SdpOperand result;
  result.extent = operand.extent;
  result.constants = builder_.add_constants<float>(values);
  return result;
}

SdpOperand Epilogue::alu_constants(const RealOperand& operand) {
  if (!is_int8_) return float_constants(operand);
  SdpOperand result;
  result.extent = operand.extent;
  const double largest = operand.largest() / scale_;
  while (result.shift_left < 31 &&
         std::nearbyint(std::ldexp(largest, -result.shift_left)) > kLargestOperand)
    ++result.shift_left;
  std::vector<int16_t> values;
  for (const double value : operand.values)
    values.push_back(operand_of(std::ldexp(value / scale_, -result.shift_left)));
  result.constants = builder_.add_constants<int16_t>(values);
  return result;
}

SdpOperand Epilogue::mul_constants(const RealOperand& operand, uint8_t& shift) {
  if (!is_int8_) return float_constants(operand);
  SdpOperand result;
  result.extent = operand.extent;
  const int bits = mantissa_shift(operand.largest());
  std::vector<int16_t> values;
  for (const double value : operand.values) values.push_back(operand_of(std::ldexp(value, bits)));
  result.constants = builder_.add_constants<int16_t>(values);
  shift = static_cast<uint8_t>(bits);
  return result;
}

void Epilogue::add(const RealOperand& operand) { combine(SdpAlu::Sum, operand); }

void Epilogue::combine(SdpAlu alu, const RealOperand& operand) {
  SdpStage& stage = stage_with_alu();
  stage.alu = alu;
  stage.alu_operand = alu_constants(operand);
}

void Epilogue::multiply(const RealOperand& operand) {
  SdpStage& stage = stage_with_mul();
  stage.mul = SdpMul::All;
  stage.mul_operand = mul_constants(operand, stage.mul_shift);
}

void Epilogue::multiply_negatives(const RealOperand& slope) {
  SdpStage& stage = stage_with_mul();
  stage.mul = SdpMul::Negatives;
  stage.mul_operand = mul_constants(slope, stage.mul_shift);
}

void Epilogue::combine(SdpAlu alu, CubeId cube, int sign) {
  SdpStage& stage = stage_with_alu();
  stage.alu = alu;
  stage.alu_operand.cube = cube;
  const Cube& other = builder_.cube(cube);
  const double units = other.type == ir::DataType::Int8 ? other.scale / scale_ : 1;
  if (!is_representable(units))
    fail("its scales are too far apart for a 16-bit converter ({:.3g} and {:.3g} a step)",
         other.scale, scale_);
  stage.alu_operand.converter = converter_of(sign * units);
}

void Epilogue::multiply(CubeId cube) {
  SdpStage& stage = stage_with_mul();
  stage.mul = SdpMul::All;
  stage.mul_operand.cube = cube;
  const Cube& other = builder_.cube(cube);
  if (!is_int8_ && other.type == ir::DataType::Int8)
    stage.mul_operand.converter = converter_of(other.scale);
}

void Epilogue::bend(const Bend& bend) {
  const auto bound = [](float value) { return RealOperand{OperandExtent::PerLayer, {value}}; };
  switch (bend.kind) {
    case ir::ActivationKind::None:
      return;
    case ir::ActivationKind::Relu:
      stage_with_activation().activation = SdpActivation::Relu;
      return;
    case ir::ActivationKind::LeakyRelu:
      return multiply_negatives(bound(bend.alpha));
    case ir::ActivationKind::Clip:
      if (bend.alpha == 0)
        stage_with_activation().activation = SdpActivation::Relu;
      else if (bend.alpha > -kLargestHalf)
        combine(SdpAlu::Max, bound(bend.alpha));
      if (bend.beta < kLargestHalf) combine(SdpAlu::Min, bound(bend.beta));
      return;
    default:
      fail("activation {} is not one of the DLA's", ir::text(bend.kind));
  }
}

SdpParameters Epilogue::finish() && {
  if (!fits()) fail("it needs {} stages of the SDP, which has 3", sdp_.stages.size());
  return std::move(sdp_);
}

}  // namespace dlaexec::dla
