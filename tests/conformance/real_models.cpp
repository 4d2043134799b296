#include "conformance/real_models.h"

#include <algorithm>
#include <cmath>

#include "base/file.h"
#include "ir/npy.h"

namespace dlaexec::test {
namespace {

using nlohmann::json;

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

}  // namespace

json model_description(const std::string& data, const std::string& model) {
  const json all = json::parse(read_file(data + "/models.json"));
  for (const json& entry : all["models"])
    if (entry["name"] == model) return entry;
  fail("models.json has no model '{}'", model);
}

ir::Tensor read_npy(const std::string& data, const json& path) {
  const std::string name = data + "/" + path.get<std::string>();
  const std::string bytes = read_file(name);
  return ir::read_npy(std::as_bytes(std::span(bytes)), name);
}

ir::Tensor preprocessed(const ir::Tensor& bytes, const json& model, ir::DataType type) {
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

double cosine(const std::vector<float>& a, const std::vector<float>& b) {
  double dot = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    dot += static_cast<double>(a[i]) * b[i];
    aa += static_cast<double>(a[i]) * a[i];
    bb += static_cast<double>(b[i]) * b[i];
  }
  return aa * bb == 0 ? 1 : dot / std::sqrt(aa * bb);
}

size_t best(std::span<const float> scores) {
  return static_cast<size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
}

std::span<const char* const> small_models() { return kSmall; }
std::span<const char* const> large_models() { return kLarge; }

std::string test_name(std::string model) {
  std::replace(model.begin(), model.end(), '.', '_');
  return model;
}

}  // namespace dlaexec::test
