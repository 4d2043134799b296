// Launches of select.cu: top-k, arg-max and arg-min, running sums.
#include "base/error.h"
#include "gpu/families.h"
#include "gpu/kernels/select_params.h"
#include "gpu/kernels/word.h"

namespace dlaexec::gpu {
namespace {

using ir::Op;

SelectParams parameters(const View& x, int64_t axis) {
  const size_t at = static_cast<size_t>(axis < 0 ? axis + x.rank() : axis);
  SelectParams p{};
  p.inner = p.rows = 1;
  for (size_t d = 0; d < x.dims.size(); ++d) {
    if (d == at)
      p.length = static_cast<int>(x.dims[d]);
    else
      p.rows *= x.dims[d];
    if (d > at) p.inner *= x.dims[d];
  }
  return p;
}

void lower_top_k(Lowering& lowering, const ir::Node& node) {
  const auto& attributes = node.get<ir::TopKAttributes>();
  const View x = lowering.dense(node.inputs[0]);
  const View y = lowering.target_dense(node.outputs[0]);
  SelectParams p = parameters(x, attributes.axis);
  const size_t axis =
      static_cast<size_t>(attributes.axis < 0 ? attributes.axis + x.rank() : attributes.axis);
  p.kept = static_cast<int>(y.dims[axis]);
  p.blocks_of_row = static_cast<int>(ceil_div(p.length, 256));
  const bool wants_indices = node.outputs.size() > 1 && node.outputs[1] != ir::kNoValue;
  const std::string_view index =
      wants_indices ? stored_type(lowering.value(node.outputs[1]).type) : "long long";
  const Kernel kernel{"select.cu",
                      format("top_k<{}, {}, {}>", stored_type(x.type), index, attributes.largest)};
  Step& step = lowering.add(node, "", kernel, {{p.rows * p.blocks_of_row, 1, 1}, {256, 1, 1}}, p);
  patch(step, &SelectParams::x, x.place);
  patch(step, &SelectParams::y, y.place);
  step.bytes = static_cast<double>(span_bytes(x) + span_bytes(y));
  if (wants_indices)
    patch(step, &SelectParams::indices, lowering.target_dense(node.outputs[1]).place);
}

void lower_arg(Lowering& lowering, const ir::Node& node) {
  const auto& attributes = node.get<ir::ArgReduceAttributes>();
  const View x = lowering.dense(node.inputs[0]);
  const View y = lowering.target_dense(node.outputs[0]);
  const SelectParams p = parameters(x, attributes.axis);
  const bool by_block = p.inner < 32 && p.length >= 64;
  const Kernel kernel{"select.cu", format("arg_{}<{}, {}, {}, {}>", by_block ? "rows" : "columns",
                                          stored_type(x.type), stored_type(y.type), attributes.max,
                                          attributes.last)};
  const Launch launch = by_block ? Launch{{p.rows, 1, 1}, {128, 1, 1}}
                                 : Launch{{ceil_div(p.rows, 256), 1, 1}, {256, 1, 1}};
  Step& step = lowering.add(node, "", kernel, launch, p);
  patch(step, &SelectParams::x, x.place);
  patch(step, &SelectParams::indices, y.place);
  step.bytes = static_cast<double>(span_bytes(x) + span_bytes(y));
}

void lower_running_sum(Lowering& lowering, const ir::Node& node) {
  const auto& attributes = node.get<ir::CumSumAttributes>();
  const View x = lowering.dense(node.inputs[0]);
  const View y = lowering.target_dense(node.outputs[0]);
  const SelectParams p = parameters(x, lowering.graph().constant(node, 1)->to_ints()[0]);
  const Kernel kernel{"select.cu", format("running_sum<{}, {}, {}>", stored_type(x.type),
                                          attributes.exclusive, attributes.reverse)};
  Step& step = lowering.add(node, "", kernel, {{ceil_div(p.rows, 256), 1, 1}, {256, 1, 1}}, p);
  patch(step, &SelectParams::x, x.place);
  patch(step, &SelectParams::y, y.place);
  step.bytes = static_cast<double>(span_bytes(x) + span_bytes(y));
}

bool is_position(const ir::Value& value) {
  return value.type == ir::DataType::Int32 || value.type == ir::DataType::Int64;
}

}  // namespace

std::optional<std::string> why_not_select(const ir::Graph& graph, const ir::Node& node,
                                          const Target&) {
  const ir::Value& x = graph.value(node.inputs[0]);
  if (stored_type(x.type).empty() || x.type == ir::DataType::Bool)
    return format("elements of type {}", ir::text(x.type));
  if (node.op == Op::ArgReduce)
    return is_position(graph.value(node.outputs[0]))
               ? std::nullopt
               : std::optional<std::string>("positions that are neither i32 nor i64");
  if (!graph.constant(node, 1)) return std::string("a size or axis that data decides");
  if (node.op == Op::CumSum && x.type == ir::DataType::Int8)
    return std::string("running sums of i8");
  if (node.op == Op::TopK && node.outputs.size() > 1 && node.outputs[1] != ir::kNoValue &&
      !is_position(graph.value(node.outputs[1])))
    return std::string("positions that are neither i32 nor i64");
  return why_not_words(x, graph.value(node.outputs[0]));
}

void lower_select(Lowering& lowering, const ir::Node& node) {
  if (node.op == Op::TopK) return lower_top_k(lowering, node);
  if (node.op == Op::ArgReduce) return lower_arg(lowering, node);
  lower_running_sum(lowering, node);
}

}  // namespace dlaexec::gpu
