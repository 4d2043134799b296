#include "report/layer_info.h"

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "report/text.h"

namespace dlaexec::report {
namespace {

using Json = nlohmann::ordered_json;
using ir::DataType;
using ir::Format;

struct FormatWords {
  DataType type;
  Format format;
  std::string_view words;
};
/// What TREx finds sizes for.
constexpr FormatWords kFormatWords[] = {
    {DataType::Float32, Format::Linear, "Row major linear FP32"},
    {DataType::Float16, Format::Linear, "Row major linear FP16 format"},
    {DataType::Int32, Format::Linear, "Row major linear Int32"},
    {DataType::Int8, Format::Linear, "Row major Int8 format"},
    {DataType::Int8, Format::Chw4, "Four wide channel vectorized row major Int8 format"},
    {DataType::Int8, Format::Chw32, "Thirty-two wide channel vectorized row major Int8 format"},
    {DataType::Float16, Format::Chw16, "Sixteen wide channel vectorized row major FP16 format"},
    {DataType::Float16, Format::Chw2, "Two wide channel vectorized row major FP16 format"},
    {DataType::Float16, Format::Hwc8, "Channel major FP16 format where channel % 8 == 0"},
    {DataType::Int8, Format::DlaLinear, "Row major INT8 format where column stride % 64 == 0"},
    {DataType::Float16, Format::DlaLinear, "Row major FP16 format where column stride % 64 == 0"},
    {DataType::Int8, Format::DlaHwc4,
     "Channel major INT8 format where channel == 4 and column stride % 32 == 0"},
    {DataType::Float16, Format::DlaHwc4,
     "Channel major FP16 format where channel == 4 and column stride % 32 == 0"},
};

std::string_view weight_type(DataType type) {
  if (type == DataType::Int8) return "Int8";
  if (type == DataType::Float16) return "Half";
  if (type == DataType::Int32) return "Int32";
  return "Float";
}

/// TensorRT's names for kinds of layers that have typed parameters; others go by their op alone.
std::string_view parameter_type(ir::Op op) {
  switch (op) {
    case ir::Op::Conv:
      return "Convolution";
    case ir::Op::Deconv:
      return "Deconvolution";
    case ir::Op::Pool:
      return "Pooling";
    case ir::Op::Reduce:
      return "Reduce";
    case ir::Op::Softmax:
      return "SoftMax";
    case ir::Op::Elementwise:
      return "ElementWise";
    case ir::Op::Activation:
      return "Activation";
    case ir::Op::Gemm:
    case ir::Op::MatMul:
      return "MatrixMultiply";
    default:
      return "";
  }
}

std::string_view layer_type(const ir::Node& node) {
  if (node.op == ir::Op::ForeignNode) return "DLA";
  if (node.op == ir::Op::Reformat) return "Reformat";
  const std::string_view type = parameter_type(node.op);
  return type.empty() ? ir::info(node.op).layer_type : type;
}

Json dimensions(const ir::Shape& shape) {
  Json dims = Json::array();
  for (const ir::Dim& dim : shape) dims.push_back(dim.is_known() ? dim.value : -1);
  return dims;
}

Json tensor_json(const ir::Value& value) {
  return {{"Name", value.name},
          {"Location", "Device"},
          {"Dimensions", dimensions(value.shape)},
          {"Format/Datatype", format_text(value)}};
}

/// The tensors that flow into a step: constants are weights, not inputs.
Json inputs_json(const ir::Graph& graph, const ir::Node& node) {
  Json tensors = Json::array();
  for (const ir::ValueId id : node.inputs)
    if (id != ir::kNoValue && !graph.value(id).constant)
      tensors.push_back(tensor_json(graph.value(id)));
  return tensors;
}

Json weights_json(const ir::Tensor& tensor) {
  return {{"Type", weight_type(tensor.type())}, {"Count", tensor.count()}};
}

void add_convolution(Json& layer, const ir::Graph& graph, const ir::Node& node) {
  const auto& conv = node.get<ir::ConvAttributes>();
  const ir::Tensor* weights = graph.constant(node, 1);
  const ir::Tensor* bias = graph.constant(node, 2);
  if (weights != nullptr && weights->rank() > 2) {
    layer["Kernel"] = ir::Dims(weights->dims().begin() + 2, weights->dims().end());
    layer["OutMaps"] = weights->dims()[0];
    layer["Weights"] = weights_json(*weights);
  }
  const auto half = static_cast<std::ptrdiff_t>(conv.pads.size() / 2);
  layer["PaddingMode"] = "kEXPLICIT_ROUND_DOWN";
  layer["PrePadding"] = ir::Dims(conv.pads.begin(), conv.pads.begin() + half);
  layer["PostPadding"] = ir::Dims(conv.pads.begin() + half, conv.pads.end());
  layer["Stride"] = conv.stride;
  layer["Dilation"] = conv.dilation;
  layer["Groups"] = conv.groups;
  if (bias != nullptr) layer["Bias"] = weights_json(*bias);
  layer["HasResidual"] = conv.residual ? 1 : 0;
  std::string activation(ir::text(conv.activation));
  for (char& c : activation) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  layer["Activation"] = activation;
}

Json layer_json(const ir::Graph& graph, const ir::Node& node) {
  Json layer = {{"Name", node.name}, {"LayerType", layer_type(node)}};
  layer["Inputs"] = inputs_json(graph, node);
  layer["Outputs"] = Json::array();
  for (const ir::ValueId id : node.outputs)
    if (id != ir::kNoValue) layer["Outputs"].push_back(tensor_json(graph.value(id)));
  if (!parameter_type(node.op).empty()) layer["ParameterType"] = parameter_type(node.op);
  if (node.op == ir::Op::Conv) add_convolution(layer, graph, node);
  if (node.op == ir::Op::Reformat) layer["Origin"] = "REFORMAT";
  layer["TacticValue"] = "0x0000000000000000";
  layer["StreamId"] = 0;
  layer["Metadata"] = join(node.origins, "\x1f", [](const std::string& origin) {
    return "[ONNX Layer: " + origin + "]";
  });
  return layer;
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// Entries after "[", one a line, each led by a comma but the first.
template <class Range, class Text>
std::string lines_of(const Range& items, Text&& text) {
  return join(items, "\n,", text);
}

std::string bindings(const ir::Graph& graph) {
  std::vector<ir::ValueId> ids = graph.inputs;
  ids.insert(ids.end(), graph.outputs.begin(), graph.outputs.end());
  return lines_of(ids, [&](ir::ValueId id) { return json_string(graph.value(id).name); });
}

std::string tensors_text(const Json& tensors) {
  return join(tensors, ", ", [](const Json& tensor) {
    return format("{} {} {}", tensor["Name"].template get<std::string>(),
                  tensor["Dimensions"].dump(),
                  tensor["Format/Datatype"].template get<std::string>());
  });
}

}  // namespace

Verbosity verbosity_of(const plan::Plan& plan) {
  for (const plan::Setting& setting : plan.metadata.settings)
    if (setting.name == kVerbositySetting)
      return ir::parse_enum<Verbosity>(setting.value).value_or(Verbosity::LayerNamesOnly);
  return Verbosity::LayerNamesOnly;
}

std::string layer_info_json(const plan::Plan& plan) {
  std::string layers;
  if (verbosity_of(plan) == Verbosity::LayerNamesOnly)
    layers = lines_of(plan.graph.nodes, [](const ir::Node& n) { return json_string(n.name); });
  if (verbosity_of(plan) == Verbosity::Detailed)
    layers = lines_of(plan.graph.nodes,
                      [&](const ir::Node& node) { return dump(layer_json(plan.graph, node)); });
  return "{\"Layers\": [" + layers + "\n],\n\"Bindings\": [" + bindings(plan.graph) + "\n]}\n";
}

void print_layer_info(const plan::Plan& plan) {
  log::info("Layer Information:");
  if (verbosity_of(plan) == Verbosity::None)
    log::info("The plan was built with --profilingVerbosity=none and tells nothing of its layers.");
  for (const ir::Node& node : plan.graph.nodes) {
    if (verbosity_of(plan) == Verbosity::LayerNamesOnly) log::info("{}", node.name);
    if (verbosity_of(plan) != Verbosity::Detailed) continue;
    const Json layer = layer_json(plan.graph, node);
    log::info("Name: {}, LayerType: {}, Inputs: [{}], Outputs: [{}]", node.name, layer_type(node),
              tensors_text(layer["Inputs"]), tensors_text(layer["Outputs"]));
  }
}

std::string format_text(const ir::Value& value) {
  for (const FormatWords& row : kFormatWords)
    if (row.type == value.type && row.format == value.format) return std::string(row.words);
  return dlaexec::format("{} {}", ir::text(value.type), ir::text(value.format));
}

}  // namespace dlaexec::report
