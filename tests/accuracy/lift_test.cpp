#include "accuracy/lift.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "accuracy/calibrate.h"
#include "base/log.h"
#include "ir/text.h"

namespace dlaexec::accuracy {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Key;
using testing::UnorderedElementsAre;

/// `wide` makes one channel a thousand times as large as the other, `level` undoes it: one INT8
/// scale for both leaves nothing of the smaller one. `tail` finds them equal again.
ir::Graph lopsided(float largest) {
  return ir::parse(format(R"(graph @g(%x: f32[1,2,8,8]) {{
    const %w0 = f32[2,2,1,1] [{0}, 0, 0, 1]
    const %w1 = f32[2,2,1,1] [{1}, 0, 0, 1]
    const %w2 = f32[2,2,1,1] [1, 0.5, -0.5, 1]
    %wide = conv(%x, %w0) {{stride=[1,1], pads=[0,0,0,0], dilation=[1,1]}} : f32[1,2,8,8]
    %level = conv(%wide, %w1) {{stride=[1,1], pads=[0,0,0,0], dilation=[1,1]}} : f32[1,2,8,8]
    %tail = conv(%level, %w2) {{stride=[1,1], pads=[0,0,0,0], dilation=[1,1]}} : f32[1,2,8,8]
    return %tail
  }})",
                          largest, 1 / largest));
}

class FindLifts : public testing::Test {
 protected:
  ThreadPool pool_{2};
  std::vector<Batch> batches_;
  quant::Options options_;

  void SetUp() override {
    options_.int8 = true;
    for (uint64_t seed = 1; seed <= 4; ++seed)
      batches_.push_back({ir::seeded(ir::DataType::Float32, {1, 2, 8, 8}, seed)});
  }

  /// What leaves INT8 so that the outputs keep that cosine.
  quant::Lifted lifts(ir::Graph graph, double least_cosine = 0.999) {
    size_t next = 0;
    const auto batch = [&]() -> std::optional<Batch> {
      return next < batches_.size() ? std::optional(batches_[next++]) : std::nullopt;
    };
    quant::CalibrationSettings minmax;
    minmax.algorithm = quant::CalibrationAlgorithm::MinMax;
    const quant::Scales scales = calibrate(graph, batch, minmax, pool_).scales;
    for (ir::Value& value : graph.values)
      if (scales.contains(value.name)) value.quantization.scales = {scales.at(value.name)};
    return find_lifts(graph, options_, batches_, least_cosine, pool_);
  }
};

TEST_F(FindLifts, TheStepsOnATensorThatInt8SpoilsLeaveAndNoOthers) {
  const quant::Lifted found = lifts(lopsided(1000));
  EXPECT_LT(found.cosine_before, 0.9);
  EXPECT_GE(found.cosine_after, 0.999);
  EXPECT_THAT(found.layers, UnorderedElementsAre(Key("wide"), Key("level")));
  EXPECT_EQ(found.steps, 2);
  EXPECT_EQ(found.of, 3);
  EXPECT_EQ(found.samples, 4u);
}

TEST_F(FindLifts, NothingLeavesWhereInt8IsGoodEnough) {
  const quant::Lifted found = lifts(lopsided(1));
  EXPECT_GE(found.cosine_before, 0.999);
  EXPECT_THAT(found.layers, IsEmpty());
}

TEST_F(FindLifts, AllStepsLeaveWhereEvenThatIsNotEnough) {
  const quant::Lifted found = lifts(lopsided(1000), 1.5);
  EXPECT_THAT(found.layers, UnorderedElementsAre(Key("wide"), Key("level"), Key("tail")));
  EXPECT_EQ(found.steps, found.of);
  EXPECT_LT(found.cosine_after, found.least_cosine);
}

TEST_F(FindLifts, NothingIsJudgedByOutputsThatAreNoRealNumbersOrZero) {
  ir::Graph graph = ir::parse(R"(graph @g(%x: f32[1,2,8,8]) {
    const %w = f32[2,2,1,1] [0, 0, 0, 0]
    %zero = conv(%x, %w) {stride=[1,1], pads=[0,0,0,0], dilation=[1,1]} : f32[1,2,8,8]
    %shape = shape(%zero) : i64[4]
    return %zero, %shape
  })");
  log::Capture lines;
  const quant::Lifted found = lifts(graph);
  EXPECT_EQ(found.samples, 0u);
  EXPECT_THAT(found.layers, IsEmpty());
  EXPECT_THAT(lines.text(), HasSubstr("nothing tells what INT8 costs"));
}

TEST_F(FindLifts, OnADlaNothingLeavesWithoutFp16) {
  options_.dla = dla::Target{};
  ir::Graph graph = lopsided(1000);
  for (ir::Node& node : graph.nodes) node.device = ir::Device::Dla;
  EXPECT_THAT(lifts(graph).layers, IsEmpty());
  options_.fp16 = true;
  EXPECT_THAT(lifts(graph).layers, UnorderedElementsAre(Key("wide"), Key("level")));
}

}  // namespace
}  // namespace dlaexec::accuracy
