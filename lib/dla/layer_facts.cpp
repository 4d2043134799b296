#include "dla/layer_reading.h"

namespace dlaexec::dla {

using namespace ir;

const Value* input_value(const Layer& layer, size_t index) {
  const ValueId id = Graph::input(layer.node, index);
  return id == kNoValue ? nullptr : &layer.graph.value(id);
}

/// The dimensions of an input; empty when it is absent or not static.
Dims input_dims(const Layer& layer, size_t index) {
  const Value* value = input_value(layer, index);
  if (!value || !is_static(value->shape)) return {};
  return dims_of(value->shape);
}

Dims output_dims(const Layer& layer) {
  if (layer.node.outputs.empty() || layer.node.outputs[0] == kNoValue) return {};
  const Value& value = layer.graph.value(layer.node.outputs[0]);
  return is_static(value.shape) ? dims_of(value.shape) : Dims{};
}

std::vector<ValueId> tensors(const Layer& layer) {
  std::vector<ValueId> all = data_inputs(layer.graph, layer.node);
  for (const ValueId id : layer.node.outputs)
    if (id != kNoValue) all.push_back(id);
  return all;
}

std::string precision_text(DataType type) {
  switch (type) {
    case DataType::Float32:
      return "FP32";
    case DataType::Float16:
      return "FP16";
    case DataType::BFloat16:
      return "BF16";
    case DataType::Int8:
      return "INT8";
    default:
      return std::string(text(type));
  }
}

std::string upper(std::string_view name) {
  std::string result(name);
  for (char& c : result) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return result;
}

bool is_comparison(const Node& node) {
  if (node.op != Op::Elementwise) return false;
  const ElementwiseKind kind = node.get<ElementwiseAttributes>().kind;
  return kind == ElementwiseKind::Equal || kind == ElementwiseKind::Greater ||
         kind == ElementwiseKind::Less;
}

/// The node that makes a value, or null for inputs and constants.
const Node* producer(const Graph& graph, ValueId id) {
  for (const Node& node : graph.nodes)
    if (std::find(node.outputs.begin(), node.outputs.end(), id) != node.outputs.end()) return &node;
  return nullptr;
}

bool uses_value(const Node& node, ValueId id) {
  return std::find(node.inputs.begin(), node.inputs.end(), id) != node.inputs.end();
}

Breach axis_of_batch(int64_t axis) {
  if (axis != 0) return std::nullopt;
  return "axis 0";
}

Breach variable_input(const Layer& layer, size_t first, size_t last) {
  for (size_t i = first; i <= std::min(last, layer.node.inputs.size() - 1); ++i) {
    const Value* value = input_value(layer, i);
    if (value && !value->constant) return format("{} computed at run time", value->name);
  }
  return std::nullopt;
}

namespace {

template <class Read>
Values of_tensors(const Layer& layer, Read&& read) {
  Values values;
  for (const ValueId id : tensors(layer)) {
    const Shape& shape = layer.graph.value(id).shape;
    if (!is_static(shape)) continue;
    for (const double value : read(dims_of(shape))) values.push_back(value);
  }
  return values;
}

Values read_rank(const Layer& layer) {
  if (layer.node.op == Op::Gemm || layer.node.op == Op::MatMul)
    return {};  // fc.rank speaks of those
  Values values;
  for (const ValueId id : tensors(layer))
    values.push_back(static_cast<double>(layer.graph.value(id).shape.size()));
  return values;
}
Values read_batch(const Layer& layer) {
  return of_tensors(layer, [](const Dims& dims) { return Values{double(batch_of(dims))}; });
}
Values read_chw(const Layer& layer) {
  return of_tensors(layer, [](const Dims& dims) { return to_values(chw_of(dims)); });
}

}  // namespace

const Fact kRank = {"number of dimensions", read_rank, Fact::Shown::Offenders};
const Fact kBatch = {"batch", read_batch, Fact::Shown::Offenders};
const Fact kChw = {"C, H and W", read_chw, Fact::Shown::Offenders};

std::vector<ValueId> data_inputs(const Graph& graph, const Node& node) {
  std::vector<ValueId> found;
  for (const ValueId id : node.inputs)
    if (id != kNoValue && !graph.value(id).constant) found.push_back(id);
  return found;
}

Dims chw_of(const Dims& dims) {
  if (dims.size() == 2) return {dims[1], 1, 1};
  Dims chw(dims.end() - static_cast<ptrdiff_t>(std::min<size_t>(dims.size(), 3)), dims.end());
  chw.insert(chw.begin(), 3 - chw.size(), 1);
  return chw;
}

int64_t batch_of(const Dims& dims) {
  if (dims.size() == 2) return dims[0];
  if (dims.size() <= 3) return 1;
  return volume(Dims(dims.begin(), dims.end() - 3));
}

Breach foreign_type(const Layer& layer) { return std::string(info(layer.node.op).layer_type); }

Breach wide_precision(const Layer& layer) {
  if (layer.precision == DataType::Float16 || layer.precision == DataType::Int8)
    return std::nullopt;
  return precision_text(layer.precision);
}

Breach int8_precision(const Layer& layer) {
  if (layer.precision != DataType::Int8) return std::nullopt;
  return "INT8";
}

Breach integer_tensors(const Layer& layer) {
  const bool compares = is_comparison(layer.node);
  for (const ValueId id : tensors(layer)) {
    const DataType type = layer.graph.value(id).type;
    if (is_float(type) || type == DataType::Int8) continue;
    const bool is_comparison_result = type == DataType::Bool;
    if (is_comparison_result && (compares || layer.node.op == Op::Cast)) continue;
    return format("{} of type {}", layer.graph.value(id).name, text(type));
  }
  return std::nullopt;
}

Breach symbolic_shape(const Layer& layer) {
  for (const ValueId id : tensors(layer)) {
    const Value& value = layer.graph.value(id);
    if (!is_static(value.shape)) return format("{} of {}", value.name, to_text(value.shape));
  }
  return std::nullopt;
}

Breach hwc4_input(const Layer& layer) {
  for (const ValueId id : data_inputs(layer.graph, layer.node))
    if (layer.graph.value(id).format == Format::DlaHwc4)
      return format("{} by way of {}", layer.graph.value(id).name, info(layer.node.op).layer_type);
  return std::nullopt;
}

}  // namespace dlaexec::dla
