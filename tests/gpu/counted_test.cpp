// Results whose size data decides, on the host and on the device against ref/.
#include <gmock/gmock.h>

#include <random>

#include "base/format.h"
#include "on_device.h"
#include "on_host.h"

namespace dlaexec::gpu {
namespace {

/// A detector's last layer and what it is fed with.
struct Detection {
  const char* name;
  int64_t images, boxes, classes;
  std::string most = "i64[1] [7]", overlap = "f32[1] [0.5]", score = "f32[1] [0.3]";
  bool centre = false;
  float grid = 0;  ///< scores and corners are multiples of it: many are equal
  float size = 0.4F;
  bool has_no_numbers = false;
  int64_t kept = -1;  ///< when it is known without computing
};

std::string graph_of(const Detection& d) {
  return format(R"(graph @g(%b: f32[{0},{1},4], %s: f32[{0},{2},{1}]) {{
  const %m = {3}
  const %o = {4}
  const %t = {5}
  %y = nms(%b, %s, %m, %o, %t) {{center_point_box={6}}} : i64[kept,3]
  return %y
}})",
                d.images, d.boxes, d.classes, d.most, d.overlap, d.score, d.centre);
}

/// Puts here and there what is no number or no finite one.
void spoil(ir::Tensor& boxes, ir::Tensor& scores) {
  constexpr float kOdd[] = {NAN, INFINITY, -INFINITY, -0.F, 0.F};
  const auto put = [&](std::span<float> elements, size_t every) {
    for (size_t i = 0; i < elements.size(); i += every)
      elements[i] = kOdd[i / every % std::size(kOdd)];
  };
  put(boxes.mutable_as<float>(), 7);
  put(scores.mutable_as<float>(), 3);
}

std::vector<ir::Tensor> inputs_of(const Detection& d) {
  std::mt19937 random(7);
  std::uniform_real_distribution<float> from_0_to_1;
  const auto number = [&](float scale) {
    const float x = scale * from_0_to_1(random);
    return d.grid > 0 ? std::floor(x / d.grid) * d.grid : x;
  };
  ir::Tensor boxes(ir::DataType::Float32, {d.images, d.boxes, 4});
  for (int64_t i = 0; i < d.images * d.boxes; ++i) {
    float* const b = boxes.mutable_as<float>().data() + 4 * i;
    for (int k = 0; k < 4; ++k) b[k] = number(k < 2 ? 1 : d.size);
    if (d.centre) continue;
    for (int k = 2; k < 4; ++k) b[k] += b[k - 2];
    if (i % 3 == 0) std::swap(b[0], b[2]);  // corners come in any order
  }
  ir::Tensor scores(ir::DataType::Float32, {d.images, d.classes, d.boxes});
  for (float& score : scores.mutable_as<float>()) score = number(1);
  if (d.has_no_numbers) spoil(boxes, scores);
  return {boxes, scores};
}

const Detection kDetections[] = {
    {"Plain", 2, 50, 3},
    {"Centres", 2, 300, 2, "i64[1] [40]", "f32[1] [0.4]", "f32[1] [0.2]", true},
    {"EqualScores", 1, 200, 2, "i64[1] [200]", "f32[1] [0.5]", "f32[1] [0]", false, 0.25F},
    {"EqualBoxes", 1, 260, 1, "i64[1] [260]", "f32[1] [0]", "f32[1] [0.5]", true, 0.125F},
    {"NoArea", 1, 90, 2, "i64[1] [90]", "f32[1] [0]", "f32[1] [-1]", false, 0, 0, false, 180},
    {"NoneSelected", 2, 70, 2, "i64[1] [9]", "f32[1] [0.5]", "f32[1] [2]", false, 0, 0.4F, false,
     0},
    {"AllSelected", 1, 150, 2, "i64[1] [9223372036854775807]", "f32[1] [1]", "f32[1] [-1]", false,
     0, 0.4F, false, 300},
    {"AtMostNone", 1, 30, 2, "i64[1] [0]", "f32[1] [0.5]", "f32[1] [0]", false, 0, 0.4F, false, 0},
    {"AtMostOne", 3, 130, 4, "i64[] [1]", "f32[] [0.1]", "f32[] [0]", false, 0, 0.4F, false, 12},
    {"ALimitBelowZeroCoversAll", 1, 80, 1, "i64[1] [80]", "f32[1] [-0.5]", "f32[1] [0]", false, 0,
     0.4F, false, 1},
    {"NoNumbers", 1, 200, 3, "i64[1] [200]", "f32[1] [0.2]", "f32[1] [-1]", false, 0, 0.4F, true},
    {"NoNumbersInCentres", 1, 200, 3, "i64[1] [200]", "f32[1] [0.2]", "f32[1] [-1]", true, 0, 0.4F,
     true},
    {"OneBox", 1, 1, 1},
    {"MoreThanAListHolds", 1, 9000, 1, "i64[1] [9000]", "f32[1] [0.05]", "f32[1] [0]", false, 0,
     0.02F},
    {"MoreEqualScoresThanAListHolds", 1, 9000, 1, "i64[1] [9000]", "f32[1] [0.05]", "f32[1] [-1]",
     false, 0.5F, 0.6F},
};

class Detections : public testing::TestWithParam<Detection> {};

/// The same results, sizes and all.
void expect_same(const std::vector<ir::Tensor>& got, const std::vector<ir::Tensor>& wanted) {
  ASSERT_EQ(got.size(), wanted.size());
  for (size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].dims(), wanted[i].dims());
    EXPECT_EQ(got[i].to_ints(), wanted[i].to_ints());
  }
}

TEST_P(Detections, AreThoseOfRefOnTheHost) {
  if (!why_not_on_host().empty()) GTEST_SKIP() << why_not_on_host();
  const ir::Graph graph = ir::parse(graph_of(GetParam()));
  const Target target = target_of("sm_87");
  ASSERT_EQ(why_not(graph, graph.nodes[0], target), std::nullopt);
  const std::vector<ir::Tensor> inputs = inputs_of(GetParam());
  const std::vector<ir::Tensor> wanted = ref::run(graph, inputs);
  if (GetParam().kept >= 0) {
    EXPECT_EQ(wanted[0].dims(), ir::Dims({GetParam().kept, 3}));
  }
  expect_same(run_on_host(lower(graph, target), inputs), wanted);
}

TEST_P(Detections, AreThoseOfRefOnDevice) {
  SKIP_WITHOUT_DEVICE();
  const ir::Graph graph = ir::parse(graph_of(GetParam()));
  const std::vector<ir::Tensor> inputs = inputs_of(GetParam());
  expect_same(run_on_device(graph, inputs), ref::run(graph, inputs));
}

INSTANTIATE_TEST_SUITE_P(Of, Detections, testing::ValuesIn(kDetections),
                         [](const auto& detection) { return detection.param.name; });

/// Where elements of each type are not zero, beside a value of known size.
constexpr const char* kPlaces =
    R"(graph @g(%f: f32[3,700,2], %h: f16[5], %i: i64[2,3,2,2,2], %b: bool[70], %q: i8[4,9] q(0.1)) {
  %p = nonzero(%f) : i64[3,a]
  %q1 = unary(%h) {kind=neg} : f16[5]
  %r = nonzero(%h) : i64[1,b]
  %s = nonzero(%i) : i64[5,c]
  %t = nonzero(%b) : i64[1,d]
  %u = nonzero(%q) : i64[2,e]
  return %p, %q1, %r, %s, %t, %u
})";

std::vector<ir::Tensor> places_inputs(const ir::Graph& graph) {
  std::vector<ir::Tensor> inputs = random_inputs(graph);
  for (float& x : inputs[0].mutable_as<float>()) x = x > 0 ? 0 : x;
  inputs[0].mutable_as<float>()[0] = NAN;
  inputs[0].mutable_as<float>()[1] = -0.F;
  std::fill(inputs[1].mutable_bytes().begin(), inputs[1].mutable_bytes().end(), std::byte{0});
  return inputs;
}

TEST(Places, AreThoseOfRefOnTheHost) {
  if (!why_not_on_host().empty()) GTEST_SKIP() << why_not_on_host();
  const ir::Graph graph = ir::parse(kPlaces);
  const std::vector<ir::Tensor> inputs = places_inputs(graph);
  expect_same(run_on_host(lower(graph, target_of("sm_87")), inputs), ref::run(graph, inputs));
}

TEST(Places, AreThoseOfRefOnDevice) {
  SKIP_WITHOUT_DEVICE();
  const ir::Graph graph = ir::parse(kPlaces);
  const std::vector<ir::Tensor> inputs = places_inputs(graph);
  expect_same(run_on_device(graph, inputs), ref::run(graph, inputs));
}

/// What reads such a result runs on the host.
TEST(Counted, OnlyTheNodeThatCountsRunsOnTheDevice) {
  const ir::Graph graph = ir::parse(R"(graph @g(%b: f32[1,9,4], %s: f32[1,2,9], %n: i64[1]) {
  const %m = i64[1] [5]
  %y = nms(%b, %s, %m) {center_point_box=false} : i64[kept,3]
  %z = reformat(%y) : i64[kept,3]
  %w = nms(%b, %s, %n) {center_point_box=false} : i64[some,3]
  return %z, %w
})");
  const Target target = target_of("sm_87");
  EXPECT_EQ(why_not(graph, graph.nodes[0], target), std::nullopt);
  EXPECT_EQ(why_not(graph, graph.nodes[1], target),
            "'y' has a shape that is known only at run time");
  EXPECT_EQ(why_not(graph, graph.nodes[2], target), "limits that data decides");
}

TEST(Counted, AResultLargerThanDeviceMemoryHoldsIsTheHosts) {
  const ir::Graph graph = ir::parse(R"(graph @g(%x: i8[20000,5000]) {
  %y = nonzero(%x) : i64[2,n]
  return %y
})");
  EXPECT_EQ(why_not(graph, graph.nodes[0], target_of("sm_87")), std::nullopt);
  const ir::Graph larger = ir::parse(R"(graph @g(%x: i8[20000,10000]) {
  %y = nonzero(%x) : i64[2,n]
  return %y
})");
  EXPECT_EQ(why_not(larger, larger.nodes[0], target_of("sm_87")), "'y' is larger than 2 GB");
}

}  // namespace
}  // namespace dlaexec::gpu
