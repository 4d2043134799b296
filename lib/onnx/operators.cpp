#include "onnx/operators.h"

#include <algorithm>
#include <array>

namespace dlaexec::onnx {
namespace {

constexpr Operator kOperators[] = {
#define DLAEXEC_ONNX(domain, name, first, last, function, op, types) \
  {domain, name, first, last, &function, ir::Op::op, types, HoldsIntegers::Never},
#define DLAEXEC_ONNX_INTEGERS(when, domain, name, first, last, function, op, types) \
  {domain, name, first, last, &function, ir::Op::op, types, HoldsIntegers::when},
#include "onnx/operators.def"
};

}  // namespace

std::span<const Operator> operators() { return kOperators; }

const Operator* find_operator(std::string_view domain, std::string_view name, int64_t opset) {
  const int64_t version = domain.empty() ? std::min(opset, kNewestOpset) : 1;
  for (const Operator& row : kOperators)
    if (row.domain == domain && row.name == name && version >= row.first_opset &&
        version <= row.last_opset)
      return &row;
  return nullptr;
}

}  // namespace dlaexec::onnx
