// What operators on integers share; how they are written stands in quant.cpp.
#pragma once

#include <vector>

#include "onnx/operators.h"

namespace dlaexec::onnx {

/// x as reals; @p axis is where several scales belong.
ValueId dequantized(Node& node, ValueId x, ValueId scale, ValueId zero, int64_t axis);

/// x as integers of the zero point's type; a result without one has the type of @p operand.
ValueId quantized(Node& node, ValueId x, ValueId scale, ValueId zero, ValueId operand);

/// x minus its zero point, as whole numbers; @p axis is where several zero points belong.
ValueId whole(Node& node, ValueId x, ValueId zero, int64_t axis);

/// Numbers in steps of the result, rounded to whole ones above the zero point; see quantized().
ValueId to_integers(Node& node, ValueId x, ValueId zero, ValueId operand);

/// An integer operand minus its zero point, in f32, where the sums of a product are exact; several
/// zero points belong to rows or to columns.
ValueId centred(Node& node, ValueId x, ValueId zero, bool per_row);

/// The inputs of an operator on integers: an operand's zero point is the second input behind it.
struct Places {
  std::vector<size_t> operands;
  size_t result_zero;
};

/// Whether an operator on integers is written in whole numbers.
bool is_whole(Node& node, const Places& places);

/// Marks the layers of an operator on integers that are not symmetric.
void hold_asymmetric(Node& node, const Places& places);

/// A matrix of integers; the zero point may be absent.
struct IntegerMatrix {
  ValueId x, scale, zero;
};

/// The real product of two integer matrices, from its exact sums, plus a bias if there is one.
ValueId add_integer_product(Node& node, const IntegerMatrix& a, const IntegerMatrix& b,
                            ValueId bias);

}  // namespace dlaexec::onnx
