#include "networks.h"

#include <cmath>
#include <random>

namespace dlaexec::cli {
namespace {

using test::OnnxModel;

/// He-normal weights, always the same.
std::vector<float> weights(const ir::Dims& dims) {
  int64_t count = 1, fan_in = 1;
  for (size_t i = 0; i < dims.size(); ++i) {
    count *= dims[i];
    if (i > 0) fan_in *= dims[i];
  }
  std::mt19937 random(static_cast<unsigned>(count));
  const float scale = std::sqrt(6.f / static_cast<float>(fan_in)) / 2147483648.f;
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = (static_cast<float>(random()) - 2147483648.f) * scale;
  return values;
}

void add_conv(OnnxModel& model, const std::string& name, const std::string& input,
              const std::string& output, int64_t from, int64_t to, int64_t groups = 1) {
  const ir::Dims dims = {to, from / groups, 3, 3};
  model.add_initializer(output + ".w", dims, weights(dims));
  auto* conv = model.add_node("Conv", {input, output + ".w"}, {output}, name);
  OnnxModel::set(conv, "pads", {1, 1, 1, 1});
  if (groups != 1) OnnxModel::set(conv, "group", groups);
}

}  // namespace

OnnxModel small_network(const std::string& batch) {
  OnnxModel model;
  model.add_input("image", {batch, "3", "16", "16"});
  add_conv(model, "conv1", "image", "c1", 3, 16);
  model.add_node("Relu", {"c1"}, {"r1"}, "relu1");
  auto* pool = model.add_node("MaxPool", {"r1"}, {"p1"}, "pool1");
  OnnxModel::set(pool, "kernel_shape", {2, 2});
  OnnxModel::set(pool, "strides", {2, 2});
  add_conv(model, "conv2", "p1", "c2", 16, 32);
  model.add_node("Relu", {"c2"}, {"r2"}, "relu2");
  model.add_node("GlobalAveragePool", {"r2"}, {"g"}, "pool2");
  model.add_node("Flatten", {"g"}, {"f"}, "flatten");
  model.add_initializer("fc.w", {32, 10}, weights({32, 10}));
  model.add_initializer("fc.b", {10}, std::vector<float>(10, 0.25f));
  model.add_node("Gemm", {"f", "fc.w", "fc.b"}, {"scores"}, "fc");
  model.add_output("scores");
  return model;
}

OnnxModel detector() {
  OnnxModel model;
  model.add_input("boxes", {"1", "40", "4"});
  model.add_input("logits", {"1", "3", "40"});
  model.add_node("Sigmoid", {"logits"}, {"scores"}, "sigmoid");
  const auto add_integer = [&](const char* name, int64_t element) {
    auto* tensor = model.graph()->add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(onnx_file::TensorProto::INT64);
    tensor->add_dims(1);
    tensor->add_int64_data(element);
  };
  add_integer("most", 5);
  add_integer("rows", 0);
  model.add_initializer("overlap", {1}, {0.5f});
  model.add_node("NonMaxSuppression", {"boxes", "scores", "most", "overlap"}, {"kept"}, "suppress");
  auto* cast = model.add_node("Cast", {"kept"}, {"listed"}, "list");
  OnnxModel::set(cast, "to", 1);
  auto* sum = model.add_node("ReduceSum", {"listed", "rows"}, {"total"}, "sum");
  OnnxModel::set(sum, "keepdims", 0);
  model.add_output("listed");
  model.add_output("total");
  return model;
}

OnnxModel all_on_dla() {
  OnnxModel model;
  model.add_input("input_tensor:0", {"1", "3", "32", "32"});
  add_conv(model, "conv1", "input_tensor:0", "c1", 3, 32);
  model.add_node("Relu", {"c1"}, {"r1"}, "relu1");
  add_conv(model, "conv2", "r1", "c2", 32, 32);
  model.add_node("Relu", {"c2"}, {"features"}, "relu2");
  model.add_output("features");
  return model;
}

OnnxModel eighteen_segments() {
  OnnxModel model;
  model.add_input("x", {"1", "16", "8", "8"});
  std::string from = "x";
  for (int i = 0; i < 17; ++i) {
    const std::string number = std::to_string(i);
    add_conv(model, "conv" + number, from, "c" + number, 16, 16);
    model.add_node("Elu", {"c" + number}, {"e" + number}, "elu" + number);
    from = "e" + number;
  }
  add_conv(model, "last", from, "y", 16, 256);
  model.add_output("y");
  return model;
}

OnnxModel nastily_named() {
  OnnxModel model;
  model.add_input("image", {"1", "3", "8", "8"});
  add_conv(model, kNastyName, "image", "c", 3, 16);
  model.add_node("Softmax", {"c"}, {kNastyName}, "soft\tmax");
  model.add_output(kNastyName);
  return model;
}

OnnxModel of_many_channels() {
  OnnxModel model;
  model.add_input("x", {"1", "16", "8", "8"});
  add_conv(model, "whole", "x", "c1", 16, 32);
  model.add_node("Relu", {"c1"}, {"r1"}, "relu1");
  add_conv(model, "grouped", "r1", "c2", 32, 32, 4);
  model.add_node("Relu", {"c2"}, {"y"}, "relu2");
  model.add_output("y");
  return model;
}

OnnxModel with_operators(const std::vector<std::string>& ops) {
  OnnxModel model;
  model.add_input("x", {"1", "4"});
  std::string from = "x";
  for (size_t i = 0; i < ops.size(); ++i) {
    const std::string to = "y" + std::to_string(i);
    model.add_node(ops[i], {from}, {to}, "node" + std::to_string(i));
    from = to;
  }
  model.add_output(from);
  return model;
}

OnnxModel heavy(int64_t mebibytes) {
  OnnxModel model;
  const int64_t rows = 1024, columns = mebibytes * 256;
  model.add_input("x", {"1", "1024"});
  auto* w = model.add_initializer("w", {rows, columns}, {});
  w->set_raw_data(std::string(static_cast<size_t>(rows * columns * 4), '\x3c'));
  model.add_node("MatMul", {"x", "w"}, {"y"}, "matmul");
  model.add_output("y");
  return model;
}

}  // namespace dlaexec::cli
