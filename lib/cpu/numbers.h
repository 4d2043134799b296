// How the numbers of a value lie in float memory: conversion to and from its own type.
#pragma once

#include <vector>

#include "cpu/isa.h"
#include "cpu/layout.h"
#include "ir/graph.h"

namespace dlaexec::cpu {

/// To what a float result is rounded: the numbers that the type can hold.
struct Rounding {
  ir::DataType type = ir::DataType::Float32;
  float scale = 1;  ///< Int8: real = q * scale
  bool is_none() const { return type == ir::DataType::Float32; }
};

/// Whether Float32 memory can hold the real numbers of @p value: floats, and Int8 of known scale.
bool holds_reals(const ir::Value& value);

/// The rounding that a result stored in @p value gets.
Rounding rounding_of(const ir::Value& value);

/// Whether equal elements of two values mean equal numbers.
bool same_numbers(const ir::Value& a, const ir::Value& b);

/// The linear layout that nodes moving elements use: floats for real numbers, else the own type.
Layout moving_layout(const ir::Value& value);

/// The real numbers of a constant where they lie, if they lie there as floats; else made. Valid
/// while the constant is.
struct Numbers {
  const float* data;
  std::vector<float> made;
};
Numbers read_numbers(const ir::Value& value);

/// The real numbers of a constant, whatever its type.
std::vector<float> real_numbers(const ir::Value& value);

}  // namespace dlaexec::cpu
