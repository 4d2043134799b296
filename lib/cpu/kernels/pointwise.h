// Vector loops over floats: activations, unary and binary functions, rounding to narrower types.
#pragma once

#include <cstdint>

#include "cpu/isa.h"
#include "ir/attributes.h"

namespace dlaexec::cpu {

/// An activation with its parameters, as the IR has them.
struct Activation {
  ir::ActivationKind kind = ir::ActivationKind::None;
  float alpha = 0, beta = 0;
};

/// real = (q - zero) * scale
struct IntegerScale {
  float scale = 1;
  int32_t zero = 0;
};

/// Loops of one instruction set. Input and output may be the same memory; counts are elements.
struct PointwiseKernels {
  void (*activate)(Activation activation, const float* input, float* output, int64_t count);
  /// Null result of has_unary: this kind has no vector loop.
  bool (*has_unary)(ir::UnaryKind kind);
  void (*unary)(ir::UnaryKind kind, const float* input, float* output, int64_t count);
  bool (*has_binary)(ir::ElementwiseKind kind);
  /// A step of 0 takes the operand's first element for all.
  void (*binary)(ir::ElementwiseKind kind, const float* left, int64_t left_step, const float* right,
                 int64_t right_step, float* output, int64_t count);
  /// Rows of 16: each row against the same 16 elements of the other side.
  void (*binary_rows)(ir::ElementwiseKind kind, const float* left, bool left_repeats,
                      const float* right, bool right_repeats, float* output, int64_t rows);
  /// x * scale + shift, 16 channels a row, scale and shift repeating.
  void (*scale_rows)(const float* input, const float* scale, const float* shift, float* output,
                     int64_t rows);
  /// x * scale + shift.
  void (*scale)(const float* input, float scale, float shift, float* output, int64_t count);
  /// Rounds to the nearest Float16, ties to even.
  void (*round_half)(const float* input, float* output, int64_t count);
  /// Rounds to the nearest q * scale, q in [-128, 127], ties to even.
  void (*round_int8)(float scale, const float* input, float* output, int64_t count);
  void (*half_to_float)(const uint16_t* input, float* output, int64_t count);
  void (*float_to_half)(const float* input, uint16_t* output, int64_t count);
  void (*int8_to_float)(float scale, const int8_t* input, float* output, int64_t count);
  void (*float_to_int8)(float scale, const float* input, int8_t* output, int64_t count);
  /// Nearest integers, ties to even, as far as the type goes; 0 for a NaN.
  void (*quantize_int8)(IntegerScale by, const float* input, int8_t* output, int64_t count);
  void (*quantize_uint8)(IntegerScale by, const float* input, uint8_t* output, int64_t count);
  void (*dequantize_int8)(IntegerScale by, const int8_t* input, float* output, int64_t count);
  void (*dequantize_uint8)(IntegerScale by, const uint8_t* input, float* output, int64_t count);
};

const PointwiseKernels& pointwise_kernels(Isa isa);

}  // namespace dlaexec::cpu
