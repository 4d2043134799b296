#include "dla/compile/lower.h"

#include <algorithm>

namespace dlaexec::dla {

std::vector<double> real_constants(const ir::Graph& graph, ir::ValueId id) {
  if (id == ir::kNoValue || !graph.value(id).constant) return {};
  const ir::Value& value = graph.value(id);
  const std::vector<float> stored = value.constant->to_floats();
  std::vector<double> real(stored.begin(), stored.end());
  const ir::Quantization& quantization = value.quantization;
  if (value.type != ir::DataType::Int8) return real;
  if (!quantization.is_known()) fail("constant '{}' is i8 without a scale", value.name);
  const ir::Dims& dims = value.constant->dims();
  int64_t inner = 1;
  for (size_t i = static_cast<size_t>(quantization.axis) + 1; i < dims.size(); ++i)
    inner *= dims[i];
  const auto scales = static_cast<int64_t>(quantization.scales.size());
  for (size_t i = 0; i < real.size(); ++i)
    real[i] *= quantization.scales[static_cast<size_t>(static_cast<int64_t>(i) / inner % scales)];
  return real;
}

RealOperand real_operand(const ir::Graph& graph, ir::ValueId id, const Nchw& dims) {
  RealOperand operand;
  operand.values = real_constants(graph, id);
  const auto count = static_cast<int64_t>(operand.values.size());
  if (count == 0) fail("input '{}' must be constant", graph.value(id).name);
  const ir::Dims& shape = graph.value(id).constant->dims();
  // A trailing shape [C,1,1] or a plain [C] is one per channel; numpy would align [C] with W, but
  // only Scale has it, where it means channels.
  const bool is_channels =
      count == dims.c && (shape.size() == 1 || (shape.size() == 2 && shape[1] == dims.c) ||
                          (shape.size() >= 3 && shape[shape.size() - 3] == dims.c));
  if (count == 1)
    operand.extent = OperandExtent::PerLayer;
  else if (is_channels)
    operand.extent = OperandExtent::PerChannel;
  else if (count == dims.c * dims.h * dims.w)
    operand.extent = OperandExtent::PerElement;
  else
    fail(
        "constant '{}' of shape {} is neither one value, nor one per channel, nor one per element "
        "of {}",
        graph.value(id).name, ir::to_text(shape), to_text(dims));
  return operand;
}

void lower(Builder& builder, const ir::Node& node) {
  if (builder.is_absorbed(node)) return;
  switch (node.op) {
    case ir::Op::Conv:
      return lower_conv(builder, node);
    case ir::Op::Deconv:
      return lower_deconv(builder, node);
    case ir::Op::Gemm:
    case ir::Op::MatMul:
      return lower_product(builder, node);
    case ir::Op::Activation:
      return lower_activation(builder, node);
    case ir::Op::PRelu:
      return lower_prelu(builder, node);
    case ir::Op::Scale:
      return lower_scale(builder, node);
    case ir::Op::Elementwise:
      return lower_elementwise(builder, node);
    case ir::Op::Unary:
      return lower_unary(builder, node);
    case ir::Op::Pool:
      return lower_pool(builder, node);
    case ir::Op::Reduce:
      return lower_reduce(builder, node);
    case ir::Op::Lrn:
      return lower_lrn(builder, node);
    case ir::Op::Softmax:
      return lower_softmax(builder, node);
    case ir::Op::Concat:
      return lower_concat(builder, node);
    case ir::Op::Slice:
      return lower_slice(builder, node);
    case ir::Op::Reshape:
    case ir::Op::Flatten:
    case ir::Op::Squeeze:
    case ir::Op::Unsqueeze:
    case ir::Op::Identity:
      return lower_reshape(builder, node);
    case ir::Op::Transpose:
      return lower_transpose(builder, node);
    case ir::Op::Resize:
      return lower_resize(builder, node);
    case ir::Op::Reformat:
      return lower_reformat(builder, node);
    default:
      fail("the DLA has no {} layer", ir::info(node.op).text);
  }
}

}  // namespace dlaexec::dla
