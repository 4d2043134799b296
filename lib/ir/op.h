// The list of ops: enum and facts, both made from ops.def.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "ir/attributes.h"

namespace dlaexec::ir {

// Op::Shape is in no one's way; g++ warns of the type of that name all the same.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
enum class Op : uint8_t {
#define DLAEXEC_OP(name, text, attributes, least, most, layer_type) name,
#include "ir/ops.def"
};
#pragma GCC diagnostic pop

/// No limit to the number of inputs.
inline constexpr int kAny = 1 << 20;

/// What the table says of one op.
struct OpInfo {
  Op op;
  std::string_view text;        ///< in the text form: "conv"
  std::string_view layer_type;  ///< as TensorRT prints it: "CONVOLUTION"
  int least_inputs, most_inputs;
};

/// Every op, in the order of the enum.
std::span<const OpInfo> all_ops();

const OpInfo& info(Op op);

/// The op whose text name is @p name.
std::optional<Op> parse_op(std::string_view name);

/// Default attributes of the struct that belongs to @p op.
Attributes default_attributes(Op op);

}  // namespace dlaexec::ir
