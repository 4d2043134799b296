// What follows a sum of products, or an element: bias, scale, residual, activation, as stages of
// the SDP. In INT8 the stages work on a middle scale: the output's divided by 2^fraction.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dla/compile/builder.h"

namespace dlaexec::dla {

/// Constants of a layer in real numbers: one, one per channel, or one per element.
struct RealOperand {
  OperandExtent extent = OperandExtent::PerLayer;
  std::vector<double> values;

  double largest() const;  ///< magnitude
};

/// An activation that the SDP does without a table.
struct Bend {
  ir::ActivationKind kind = ir::ActivationKind::None;
  float alpha = 0, beta = 0;
};

/// Builds the SDP's stages one after the other, opening the next sub-unit where the order within
/// one (ALU, multiplier, ReLU) demands it.
class Epilogue {
 public:
  /// Real = value * unit when an Int8 operation starts; Float16 ones have unit 1.
  explicit Epilogue(Builder& builder, ir::DataType precision)
      : builder_(builder), is_int8_(precision == ir::DataType::Int8) {}

  /// Int8: brings values whose units are @p units (real numbers per step, e.g. input scale times
  /// kernel scale) to the middle scale for @p output_scale. Other operands that will be added have
  /// @p operand_scale (0: none). Throws an Error when the scales are too far apart.
  void enter_middle(const RealOperand& units, float output_scale, float operand_scale);
  /// Int8: stays on @p scale, from which the output converter leads to @p output_scale.
  void enter_scale(double scale, double output_scale);

  void add(const RealOperand& operand);
  void multiply(const RealOperand& operand);
  /// Multiplies what is not above zero.
  void multiply_negatives(const RealOperand& slope);
  /// Combines with another tensor, times @p sign.
  void combine(SdpAlu alu, CubeId cube, int sign);
  /// Combines with constants.
  void combine(SdpAlu alu, const RealOperand& operand);
  void multiply(CubeId cube);
  void bend(const Bend& bend);

  /// Whether the SDP has as many sub-units as there are stages.
  bool fits() const { return sdp_.stages.size() <= 3; }
  /// The stages and the converter to the output.
  SdpParameters finish() &&;

 private:
  SdpStage& stage_with_alu();
  SdpStage& stage_with_mul();
  SdpStage& stage_with_activation();
  SdpOperand alu_constants(const RealOperand& operand);
  SdpOperand mul_constants(const RealOperand& operand, uint8_t& shift);
  SdpOperand float_constants(const RealOperand& operand);

  Builder& builder_;
  bool is_int8_;
  double scale_ = 1;  ///< Int8: real = value * scale_
  SdpParameters sdp_;
};

}  // namespace dlaexec::dla
