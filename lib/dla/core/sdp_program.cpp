#include "dla/core/sdp_program.h"

#include <algorithm>

#include "ir/dla_formats.h"

namespace dlaexec::dla::core {
namespace {

constexpr double kLeast32 = -2147483648.0;

/// Constants of an operand that is no tensor, one a channel, as @p number makes them from what is
/// stored; empty for one that differs from pixel to pixel.
template <class Stored, class Number, class Make>
std::vector<Number> spread(const Loadable& loadable, const SdpOperand& operand, int64_t channels,
                           Make&& number) {
  if (operand.cube != kNoCube || operand.extent == OperandExtent::PerElement) return {};
  const auto* const stored =
      reinterpret_cast<const Stored*>(loadable.blob(operand.constants).data());
  std::vector<Number> numbers(static_cast<size_t>(channels + kKernelBlock));
  for (int64_t k = 0; k < channels; ++k)
    numbers[static_cast<size_t>(k)] =
        number(stored[operand.extent == OperandExtent::PerLayer ? 0 : k]);
  return numbers;
}

double largest(const std::vector<double>& numbers) {
  double most = 0;
  for (const double number : numbers) most = std::max(most, std::fabs(number));
  return most;
}

}  // namespace

bool is_dense_feature(const Cube& cube) {
  return cube.format == ir::cut_format(cube.type) &&
         cube.layout.line == cube.dims.w * cube.layout.pixel;
}

SdpProgram::SdpProgram(const Loadable& loadable, const Operation& operation,
                       const SdpParameters& sdp, double largest_sum)
    : is_integer(works_in_integers(loadable, operation)),
      out_offset(sdp.output.offset),
      out_factor(factor(sdp.output)) {
  const Cube& output = loadable.cube(operation.output);
  const int64_t channels = output.dims.c;
  const bool reads_int8 = operation.precision == ir::DataType::Int8;
  is_usable = !sdp.lut.is_present() && is_dense_feature(output) && is_integer == reads_int8 &&
              (is_integer || output.type == ir::DataType::Float16);
  const auto constants = [&](const SdpOperand& operand, int shift, std::vector<double>& wide,
                             std::vector<float>& single) {
    const auto scaled = [&](int16_t stored) {
      return std::ldexp(saturate<int32_t>(int64_t{stored} << operand.shift_left), -shift);
    };
    if (is_integer)
      wide = spread<int16_t, double>(loadable, operand, channels, scaled);
    else
      single =
          spread<float, float>(loadable, operand, channels, [](float stored) { return stored; });
    is_usable &= !wide.empty() || !single.empty();
  };

  for (const SdpStage& from : sdp.stages) {
    ProgramStage& stage = stages.emplace_back();
    stage.alu = from.alu;
    stage.mul = from.mul;
    stage.is_relu = from.activation == SdpActivation::Relu;
    if (stage.mul != SdpMul::None)
      constants(from.mul_operand, from.mul_shift, stage.mul_wide, stage.mul_single);
    if (stage.alu == SdpAlu::None) continue;
    if (from.alu_operand.cube == kNoCube) {
      constants(from.alu_operand, 0, stage.alu_wide, stage.alu_single);
      continue;
    }
    const Cube& cube = loadable.cube(from.alu_operand.cube);
    is_usable &= cube.dims == output.dims && cube.type == output.type && is_dense_feature(cube);
    stage.cube = from.alu_operand.cube;
    stage.cube_offset = from.alu_operand.converter.offset;
    stage.cube_factor = factor(from.alu_operand.converter);
    stage.cube_left = std::ldexp(1.0, from.alu_operand.shift_left);
  }
  bound_integers(largest_sum);
}

void SdpProgram::bound_integers(double largest_sum) {
  double bound = std::min(-kLeast32, largest_sum);
  for (ProgramStage& stage : stages) {
    if (stage.alu != SdpAlu::None) {
      const double operand = stage.cube == kNoCube ? largest(stage.alu_wide)
                                                   : std::min(-kLeast32, 32768 * stage.cube_left);
      bound = stage.alu == SdpAlu::Sum ? bound + operand : std::max(bound, operand);
    }
    if (stage.mul != SdpMul::None) {
      const double product = bound * largest(stage.mul_wide) + 1;  // which is rounded
      bound = stage.mul == SdpMul::All ? product : std::max(bound, product);
    }
    stage.saturates = bound >= -kLeast32;
    bound = std::min(bound, -kLeast32);
  }
  output_saturates = (bound + std::fabs(out_offset)) * std::fabs(out_factor) + 1 >= -kLeast32;
}

}  // namespace dlaexec::dla::core
