// The trained models beside the checkout: imported, run, compared with stored references.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "conformance/executor.h"
#include "ir/npy.h"
#include "onnx/import.h"
#include "support/paths.h"

namespace dlaexec::test {
namespace {

using nlohmann::json;

ir::Tensor read_npy(const std::string& data, const json& path) {
  const std::string name = data + "/" + path.get<std::string>();
  const std::string bytes = read_file(name);
  return ir::read_npy(std::as_bytes(std::span(bytes)), name);
}

json description_of(const std::string& data, const std::string& model) {
  const json all = json::parse(read_file(data + "/models.json"));
  for (const json& entry : all["models"])
    if (entry["name"] == model) return entry;
  fail("models.json has no model '{}'", model);
}

/// x = (float32(u8) - sub[c]) * mul[c], in the input's type.
ir::Tensor input_of(const std::string& data, const json& model, const json& test,
                    ir::DataType type) {
  const ir::Tensor bytes = read_npy(data, test["input"]["u8"]);
  const auto sub = model["preprocess"]["sub"].get<std::vector<float>>();
  const auto mul = model["preprocess"]["mul"].get<std::vector<float>>();
  std::vector<float> x = bytes.to_floats();
  const ir::Dims& dims = bytes.dims();
  const auto plane = static_cast<size_t>(dims.at(2) * dims.at(3));
  for (size_t i = 0; i < x.size(); ++i) {
    const size_t c = i / plane % static_cast<size_t>(dims[1]);
    x[i] = (x[i] - sub[sub.size() == 1 ? 0 : c]) * mul[mul.size() == 1 ? 0 : c];
  }
  return ir::Tensor::of<float>(dims, x).converted(type);
}

/// Stored elements beside those found at the same places.
struct Pair {
  std::vector<float> found, expected;
};

Pair pair_of(const std::string& data, const json& output, const ir::Tensor& tensor) {
  Pair pair;
  const std::vector<float> all = tensor.to_floats();
  if (output.contains("file")) {
    pair.expected = read_npy(data, output["file"]).to_floats();
    pair.found = all;
    return pair;
  }
  pair.expected = read_npy(data, output["value"]).to_floats();
  for (const int64_t at : read_npy(data, output["index"]).to_ints())
    pair.found.push_back(all.at(static_cast<size_t>(at)));
  return pair;
}

double cosine(const Pair& pair) {
  double dot = 0;
  double a = 0;
  double b = 0;
  for (size_t i = 0; i < pair.found.size(); ++i) {
    dot += static_cast<double>(pair.found[i]) * pair.expected[i];
    a += static_cast<double>(pair.found[i]) * pair.found[i];
    b += static_cast<double>(pair.expected[i]) * pair.expected[i];
  }
  return a * b == 0 ? 1 : dot / std::sqrt(a * b);
}

double largest_error(const Pair& pair) {
  double largest = 0;
  for (size_t i = 0; i < pair.found.size(); ++i)
    largest = std::max(largest, std::abs(static_cast<double>(pair.found[i]) - pair.expected[i]));
  return largest;
}

size_t best(const std::vector<float>& scores) {
  return static_cast<size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
}

/// Q/DQ models round at ties, where float noise decides: their outputs are compared by direction.
bool is_quantized(const json& model) {
  return model["ops"].contains("QuantizeLinear") || model["ops"].contains("QLinearConv");
}

/// The references of one model were made where sums of two u8 x i8 products saturate at 16 bits
/// (x86 without VNNI). Saturating the same way brings its cosine from 0.93 to 0.99; we sum exactly.
double least_cosine(const json& model) {
  return model["name"] == "mobilenetv2_int8_qop" ? 0.85 : 0.99;
}

void compare(const std::string& data, const json& model, const json& output,
             const ir::Tensor& tensor) {
  const Pair pair = pair_of(data, output, tensor);
  ASSERT_EQ(pair.found.size(), pair.expected.size());
  if (is_quantized(model)) {
    EXPECT_GE(cosine(pair), least_cosine(model));
    EXPECT_EQ(best(pair.found), best(pair.expected));
    return;
  }
  const double spread = output["max"].get<double>() - output["min"].get<double>();
  const double tolerance = output["dtype"] == "float16" ? 1e-2 : 1e-4;
  EXPECT_LE(largest_error(pair), tolerance * spread) << output["name"];
}

using Parameter = std::tuple<const char*, const char*>;

class RealModel : public testing::TestWithParam<Parameter> {};

TEST_P(RealModel, GivesTheStoredOutputs) {
  if (!shared_dir()) GTEST_SKIP() << kNoShared;
  const std::string data = *shared_dir() + "/data";
  const json model = description_of(data, std::get<0>(GetParam()));
  const onnx::Imported imported = onnx::import_file(data + "/" + model["model"].get<std::string>());
  const ir::Graph& graph = imported.graph;
  for (const json& test : model["cases"]) {
    const ir::Tensor input = input_of(data, model, test, graph.value(graph.inputs.at(0)).type);
    const Tensors found = executor(std::get<1>(GetParam())).run(graph, {input});
    for (const json& output : test["outputs"]) {
      const auto id = graph.find_value(output["name"].get<std::string>());
      ASSERT_TRUE(id.has_value()) << output["name"];
      const auto at = std::find(graph.outputs.begin(), graph.outputs.end(), *id);
      ASSERT_NE(at, graph.outputs.end()) << output["name"];
      compare(data, model, output, found[static_cast<size_t>(at - graph.outputs.begin())]);
    }
  }
}

std::string name_of(const testing::TestParamInfo<Parameter>& info) {
  std::string name = std::get<0>(info.param);
  std::replace(name.begin(), name.end(), '.', '_');
  return name + "_" + std::get<1>(info.param);
}

constexpr const char* kSmall[] = {"mnist_zoo",
                                  "mnist_opt",
                                  "mnist_tengine",
                                  "resnet20_cifar10",
                                  "ppocr_v2_cls",
                                  "resnet20_cifar10_slicepad",
                                  "resnet20_cifar10_qdq",
                                  "resnet56_cifar10",
                                  "resnet8_cifar10_mlperf",
                                  "vww_mobilenetv1_025",
                                  "ultraface_rfb320",
                                  "ultraface_rfb320_simplified",
                                  "resnet56_cifar10_qdq"};
constexpr const char* kLarge[] = {
    "squeezenet1.1",   "squeezenet1.1_fp16",   "squeezenet1.1_qdq", "mobilenetv2",
    "mobilenetv2_qdq", "mobilenetv2_int8_qop", "yolox_nano",        "deeplabv3_mobilenetv2",
    "prisma_seg",      "super_resolution",     "esrgan_slim_x2",    "style_candy",
    "ppocr_v3_en_det"};

INSTANTIATE_TEST_SUITE_P(Quick, RealModel,
                         testing::Combine(testing::ValuesIn(kSmall), testing::Values("ref", "cpu")),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Slow, RealModel,
                         testing::Combine(testing::ValuesIn(kLarge), testing::Values("ref", "cpu")),
                         name_of);

}  // namespace
}  // namespace dlaexec::test
