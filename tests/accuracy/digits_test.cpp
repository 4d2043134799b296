// The committed digit network in INT8: calibrated on 100 rendered digits, judged by 1,000 others.
#include <gtest/gtest.h>

#include <cstring>

#include "accuracy/calibrate.h"
#include "accuracy/compare.h"
#include "accuracy/peer.h"
#include "accuracy/validate.h"
#include "base/file.h"
#include "build/build.h"
#include "support/paths.h"

namespace dlaexec::accuracy {
namespace {

constexpr size_t kCalibration = 100, kPixels = 28 * 28;
constexpr size_t kImageHeader = 16, kLabelHeader = 8;  // of IDX files

/// Rendered digits as one raw file to calibrate on, and one file each with a manifest to judge by.
class Digits : public testing::Test {
 protected:
  std::string folder_ = test::temporary_dir();
  std::string model_ = test::source_dir() + "/models/digits/digits.onnx";

  void SetUp() override {
    const std::string base = test::source_dir() + "/models/digits/rendered-";
    const std::string images = read_file(base + "images-idx3-ubyte");
    const std::string labels = read_file(base + "labels-idx1-ubyte");
    std::string calibration, manifest;
    for (size_t i = 0; i < labels.size() - kLabelHeader; ++i) {
      std::string raw(kPixels * sizeof(float), '\0');
      for (size_t k = 0; k < kPixels; ++k) {
        const auto ink =
            static_cast<float>(static_cast<uint8_t>(images[kImageHeader + i * kPixels + k])) / 255;
        std::memcpy(raw.data() + k * sizeof ink, &ink, sizeof ink);
      }
      if (i < kCalibration) {
        calibration += raw;
        continue;
      }
      write_file(folder_ + format("/{}.raw", i), raw);
      manifest += format("{}.raw {}\n", i, int{labels[kLabelHeader + i]});
    }
    write_file(folder_ + "/calibration.raw", calibration);
    write_file(folder_ + "/manifest.txt", manifest);
  }

  build::Options int8_options() {
    build::Options options;
    options.model_path = model_;
    options.int8 = true;
    options.gpu_device.reset();
    options.calibrate = [this](const ir::Graph& graph) {
      const Dataset data(folder_ + "/calibration.raw", feeds_of(graph), {});
      return calibrate(graph, data, {}, pool_).scales;
    };
    return options;
  }

  /// Top-1 lost against FP32, in points.
  double points_lost(build::Options options) {
    BuildRecord record;
    record.listen(options);
    const plan::Plan plan = build::build(options);
    EXPECT_EQ(record.ranges.source, quant::RangeSource::Calibrated);
    const Dataset data(folder_ + "/manifest.txt", feeds_of(record.network), {});
    const auto top1 = [&](Peer& peer) {
      return validate(data, 1, [&](const auto& inputs) { return peer.run(inputs).at("scores"); });
    };
    const Validation found = top1(*plan_peer(plan, engine_options(), Sight::Outputs));
    const Validation real =
        top1(*make_peer(PeerKind::Fp32, record, options, pool_, Sight::Outputs));
    EXPECT_GE(real.top1.value, 0.99);
    return 100 * accuracy::compare(data, real, found).loss;
  }

  static run::EngineOptions engine_options() {
    run::EngineOptions options;
    options.gpu_device.reset();
    return options;
  }

  ThreadPool pool_{2};
};

TEST_F(Digits, LoseAtMostOnePointInInt8OnTheHost) { EXPECT_LE(points_lost(int8_options()), 1.0); }

TEST_F(Digits, LoseAtMostOneAndAHalfPointsInInt8OnTheEmulatedDla) {
  build::Options options = int8_options();
  options.dla_core = 0;
  options.gpu_fallback = true;
  EXPECT_LE(points_lost(options), 1.5);
}

TEST_F(Digits, EveryTensorOnTheDlaIsOneStepAwayFromTheDefinition) {
  build::Options options = int8_options();
  options.dla_core = 0;
  options.gpu_fallback = true;
  BuildRecord record;
  record.listen(options);
  const plan::Plan plan = build::build(options);
  const auto own = plan_peer(plan, engine_options(), Sight::EveryTensor);
  const auto ref = make_peer(PeerKind::Ref, record, options, pool_, Sight::EveryTensor);
  const Dataset data(folder_ + "/manifest.txt", feeds_of(record.network), {});
  const Comparison found = compare(*own, *ref, record, Sight::EveryTensor, 3,
                                   [&](size_t index) { return data.load(index); });
  EXPECT_EQ(found.samples, 3u);
  ASSERT_GE(found.layers.size(), 4u) << "every convolution is seen inside the loadable";
  EXPECT_FALSE(found.first_bad.has_value());
  ASSERT_EQ(found.outputs.size(), 1u);
  EXPECT_GT(found.outputs[0].difference.cosine, 0.9999);
}

TEST_F(Digits, LookingAtEveryTensorChangesNoOutput) {
  for (const bool on_dla : {false, true}) {
    build::Options options = int8_options();
    if (on_dla) options.dla_core = 0;
    options.gpu_fallback = on_dla;
    BuildRecord record;
    record.listen(options);
    const plan::Plan plan = build::build(options);
    const Dataset data(folder_ + "/manifest.txt", feeds_of(record.network), {});
    const auto scores = [&](Sight sight) {
      return plan_peer(plan, engine_options(), sight)->run(data.load(7)).at("scores").to_floats();
    };
    EXPECT_EQ(scores(Sight::Outputs), scores(Sight::EveryTensor));
  }
}

}  // namespace
}  // namespace dlaexec::accuracy
