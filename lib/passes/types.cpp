#include "passes/types.h"

namespace dlaexec::passes {

Role role_of(const ir::Graph& graph, const ir::Node& node, size_t index) {
  const bool constant = graph.constant(node, index) != nullptr;
  switch (node.op) {
    case ir::Op::Conv:
    case ir::Op::Deconv:
    case ir::Op::Gemm:
    case ir::Op::MatMul:
      if (index == 1 && constant) return Role::Weights;
      return index == 2 ? Role::Parameter : Role::Data;
    case ir::Op::Scale:
    case ir::Op::BatchNorm:
    case ir::Op::PRelu:
    case ir::Op::InstanceNorm:
    case ir::Op::LayerNorm:
    case ir::Op::GroupNorm:
    case ir::Op::RmsNorm:
    case ir::Op::Lstm:
    case ir::Op::Gru:
    case ir::Op::Rnn:
    case ir::Op::RoiAlign:
    case ir::Op::GridSample:
      return index == 0 ? Role::Data : Role::Parameter;
    case ir::Op::If:
    case ir::Op::Loop:
    case ir::Op::Scan:
    case ir::Op::NonMaxSuppression:
    case ir::Op::Unique:
    case ir::Op::Det:
    case ir::Op::Range:
      return Role::Parameter;
    case ir::Op::Resize:
    case ir::Op::Pad:
    case ir::Op::Quantize:
    case ir::Op::Dequantize:
    case ir::Op::TopK:
      return index == 0 ? Role::Data : Role::Other;
    default:
      return Role::Data;
  }
}

bool is_real(const ir::Value& value) {
  return ir::is_float(value.type) ||
         (value.type == ir::DataType::Int8 && value.quantization.is_known());
}

ir::DataType delivered_type(const ir::Graph& graph, const ir::Node& node, ir::ValueId output) {
  const ir::Value& value = graph.value(output);
  const bool has_body = node.op == ir::Op::If || node.op == ir::Op::Loop || node.op == ir::Op::Scan;
  if (!is_real(value) || has_body) return value.type;
  const ir::DataType precision = node.precision.value_or(ir::DataType::Float32);
  if (precision != ir::DataType::Int8 || value.quantization.is_known()) return precision;
  return on_dla(node) ? ir::DataType::Float16 : ir::DataType::Float32;
}

}  // namespace dlaexec::passes
