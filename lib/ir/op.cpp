#include "ir/op.h"

#include "ir/graph.h"

namespace dlaexec::ir {
namespace {

constexpr OpInfo kOps[] = {
#define DLAEXEC_OP(name, text, attributes, least, most, layer_type) \
  {Op::name, text, layer_type, least, most},
#include "ir/ops.def"
};

}  // namespace

std::span<const OpInfo> all_ops() { return kOps; }

const OpInfo& info(Op op) { return kOps[static_cast<size_t>(op)]; }

std::optional<Op> parse_op(std::string_view name) {
  for (const OpInfo& row : kOps)
    if (row.text == name) return row.op;
  return std::nullopt;
}

Attributes default_attributes(Op op) {
  switch (op) {
#define DLAEXEC_OP(name, text, attributes, least, most, layer_type) \
  case Op::name:                                                    \
    return attributes{};
#include "ir/ops.def"
  }
  __builtin_unreachable();
}

}  // namespace dlaexec::ir
