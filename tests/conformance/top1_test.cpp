// Labelled pictures: as many right answers as ONNX Runtime gives, within one picture.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "accuracy/image.h"
#include "base/file.h"
#include "base/format.h"
#include "conformance/executor.h"
#include "conformance/real_models.h"
#include "onnx/import.h"
#include "support/paths.h"

namespace dlaexec::test {
namespace {

using nlohmann::json;

/// Pictures [1, C, H, W] as bytes with their labels.
struct Labelled {
  std::vector<ir::Tensor> pictures;
  std::vector<size_t> labels;
};

ir::Tensor picture_of(const ir::Dims& dims, const char* bytes) {
  ir::Tensor picture(ir::DataType::UInt8, dims);
  std::copy_n(reinterpret_cast<const std::byte*>(bytes), picture.size_bytes(),
              picture.mutable_bytes().data());
  return picture;
}

Labelled read_cifar10(const std::string& data) {
  constexpr size_t kPicture = 3 * 32 * 32;
  const std::string file = read_file(data + "/images/cifar10/test_0_1999.bin");
  Labelled set;
  for (size_t at = 0; at + kPicture < file.size(); at += kPicture + 1) {
    set.labels.push_back(static_cast<size_t>(file[at]));
    set.pictures.push_back(picture_of({1, 3, 32, 32}, file.data() + at + 1));
  }
  return set;
}

Labelled read_mnist(const std::string& data) {
  constexpr size_t kPicture = 28 * 28, kHeader = 16, kLabelHeader = 8;
  const std::string pictures = read_file(data + "/images/mnist/t10k-0-1999-images-idx3-ubyte");
  const std::string labels = read_file(data + "/images/mnist/t10k-0-1999-labels-idx1-ubyte");
  Labelled set;
  for (size_t i = 0; kHeader + (i + 1) * kPicture <= pictures.size(); ++i) {
    set.pictures.push_back(picture_of({1, 1, 28, 28}, pictures.data() + kHeader + i * kPicture));
    set.labels.push_back(static_cast<size_t>(labels.at(kLabelHeader + i)));
  }
  return set;
}

Labelled read_imagenet(const std::string& data) {
  const std::string folder = data + "/images/imagenet/";
  Labelled set;
  for (const json& entry : json::parse(read_file(folder + "labels.json"))) {
    const std::string file = entry["file"].get<std::string>();
    if (!file.starts_with("eval/")) continue;
    const accuracy::Picture picture = accuracy::read_picture(folder + file);
    ir::Tensor planes(ir::DataType::UInt8, {1, 3, picture.height, picture.width});
    const size_t plane = static_cast<size_t>(picture.height * picture.width);
    const auto to = planes.mutable_as<uint8_t>();
    for (size_t i = 0; i < 3 * plane; ++i) to[i % 3 * plane + i / 3] = picture.rgb[i];
    set.pictures.push_back(std::move(planes));
    set.labels.push_back(entry["label"].get<size_t>());
  }
  return set;
}

Labelled read_set(const std::string& data, const std::string& name) {
  if (name == "cifar10") return read_cifar10(data);
  return name == "mnist" ? read_mnist(data) : read_imagenet(data);
}

class Top1 : public testing::TestWithParam<const char*> {};

TEST_P(Top1, EqualsTheBaselineWithinOnePicture) {
  if (!shared_dir()) GTEST_SKIP() << kNoShared;
  const std::string data = *shared_dir() + "/data";
  const json baseline = json::parse(read_file(data + "/baseline_accuracy.json"))[GetParam()];
  const json model = model_description(data, GetParam());
  const Labelled set = read_set(data, baseline["set"].get<std::string>());
  ASSERT_EQ(set.pictures.size(), baseline["images"].get<size_t>());
  const ir::Graph graph = onnx::import_file(data + "/" + model["model"].get<std::string>()).graph;
  const ir::DataType type = graph.value(graph.inputs.at(0)).type;
  const run::Engine engine = host_engine(plan_for_host(graph, {set.pictures.at(0)}));
  run::Context context(engine);
  int right = 0, right_before = 0, same = 0;
  for (size_t i = 0; i < set.pictures.size(); ++i) {
    const std::vector<ir::Tensor> input = {preprocessed(set.pictures[i], model, type)};
    context.execute(input);
    const size_t answer = best(context.outputs().at(0).to_floats());
    const size_t before = baseline["predictions"][i].get<size_t>();
    right += answer == set.labels[i];
    right_before += before == set.labels[i];
    same += answer == before;
  }
  std::cout << format("{}: {} of {} right, {} in the baseline; {} answers are the same\n",
                      GetParam(), right, set.pictures.size(), right_before, same);
  EXPECT_LE(std::abs(right - right_before), 1);
}

constexpr const char* kModels[] = {
    "squeezenet1.1",    "squeezenet1.1_qdq",    "mobilenetv2",
    "mobilenetv2_qdq",  "resnet20_cifar10",     "resnet20_cifar10_qdq",
    "resnet56_cifar10", "resnet56_cifar10_qdq", "resnet8_cifar10_mlperf",
    "mnist_zoo"};

INSTANTIATE_TEST_SUITE_P(Slow, Top1, testing::ValuesIn(kModels),
                         [](const auto& one) { return test_name(one.param); });

}  // namespace
}  // namespace dlaexec::test
