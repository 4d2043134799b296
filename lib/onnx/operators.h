// The operators that are imported: one row each, in operators.def.
#pragma once

#include <span>
#include <string_view>

#include "onnx/node.h"

namespace dlaexec::onnx {

/// Adds what an ONNX node means to the graph and gives its results, in ONNX's order; results that
/// nobody wants may be left out.
using ImportFunction = ValueIds (*)(Node& node);

/// When an operator's layers compute in Float32 whatever the build allows.
enum class HoldsIntegers {
  Never,
  Asymmetric,  ///< unless its integers are Int8 without zero points
  Always,
};

/// One operator over a range of opsets.
struct Operator {
  std::string_view domain;  ///< "" is ai.onnx
  std::string_view name;
  int64_t first_opset, last_opset;
  ImportFunction import;
  ir::Op op;               ///< what does the work in the graph; others may surround it
  std::string_view types;  ///< of the first input, for people
  HoldsIntegers holds_integers;
};

/// The newest opset of the standard domain whose operators are known.
inline constexpr int64_t kNewestOpset = 23;

std::span<const Operator> operators();

/// The row for an operator at an opset, or null. Opsets past the newest one count as it.
const Operator* find_operator(std::string_view domain, std::string_view name, int64_t opset);

// The functions of the rows.
#define DLAEXEC_ONNX(domain, name, first, last, function, op, types) ValueIds function(Node& node);
#include "onnx/operators.def"

/// A convolution with the window attributes of @p node on operands of its own.
ValueId add_conv(Node& node, ValueId x, ValueId w, ValueId bias);

/// An LSTM with the attributes of @p node on operands of its own, in ONNX's order.
ValueIds add_lstm(Node& node, ValueIds inputs);

/// An average pool with the window attributes of @p node.
ValueId add_average_pool(Node& node, ValueId x);

}  // namespace dlaexec::onnx
