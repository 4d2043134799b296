// The types of results.
#include <algorithm>

#include "ir/infer/site.h"

namespace dlaexec::ir {
namespace {

bool compares(ElementwiseKind kind) {
  return kind >= ElementwiseKind::Equal && kind <= ElementwiseKind::GreaterOrEqual;
}

DataType first_type(const Site& site) {
  switch (site.node().op) {
    case Op::ArgReduce:
    case Op::Shape:
    case Op::Size:
    case Op::NonZero:
    case Op::NonMaxSuppression:
      return DataType::Int64;
    case Op::Elementwise:
      return compares(site.node().get<ElementwiseAttributes>().kind) ? DataType::Bool
                                                                     : site.type(0);
    case Op::Unary: {
      const UnaryKind kind = site.node().get<UnaryAttributes>().kind;
      const bool asks = kind == UnaryKind::IsNan || kind == UnaryKind::IsInf;
      return asks ? DataType::Bool : site.type(0);
    }
    case Op::Cast:
      return site.node().get<CastAttributes>().to;
    case Op::Quantize:
      return site.node().get<QuantizeAttributes>().to;
    case Op::Dequantize:
      return site.type(1);
    case Op::ConstantOfShape:
      return site.node().get<ConstantOfShapeAttributes>().type;
    case Op::Where:
      return site.type(1);
    case Op::OneHot:
      return site.type(2);
    default:  // computes in the type it is given
      return site.type(0);
  }
}

}  // namespace

std::vector<DataType> result_types(const Site& site) {
  std::vector<DataType> types(site.output_count(), first_type(site));
  const bool has_indices = site.node().op == Op::TopK || site.node().op == Op::Pool;
  if (has_indices && types.size() > 1) types[1] = DataType::Int64;
  if (site.node().op == Op::Unique) std::fill(types.begin() + 1, types.end(), DataType::Int64);
  return types;
}

}  // namespace dlaexec::ir
