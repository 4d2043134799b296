// SDP, the single point data processor: what happens to each element alone.
#pragma once

#include "dla/core/memory.h"
#include "dla/core/sdp_arithmetic.h"

namespace dlaexec::dla::core {

/// An element of an Int8 or Float16 cube as an FP32 number: stored * @p converter.
float read_float(const CubeView& view, const Position& at, const Converter& converter);

/// Writes @p value to an Int8 cube through @p converter, or to a Float16 one.
void write_float(const CubeView& view, const Position& at, float value, const Converter& converter);

/// The stages, table and output converter of one operation, element by element: the reference for
/// the vectorized cores.
class Sdp {
 public:
  Sdp(const Memory& memory, const Operation& operation, const SdpParameters& parameters);

  /// An Int8 operation: takes a 32-bit integer (a wider one saturates), writes the output's
  /// element.
  void deliver(const Position& at, int64_t value) const;
  /// A Float16 operation: takes an FP32 number.
  void deliver(const Position& at, float value) const;

 private:
  int64_t integer_operand(const SdpOperand& operand, const Position& at) const;
  float float_operand(const SdpOperand& operand, const Position& at) const;
  int64_t constant_index(const SdpOperand& operand, const Position& at) const;

  const Memory& memory_;
  const SdpParameters& parameters_;
  CubeView output_;
};

}  // namespace dlaexec::dla::core
