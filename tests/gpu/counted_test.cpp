// Results whose size data decides, on the host and on the device against ref/.
#include <gmock/gmock.h>

#include <numeric>
#include <random>

#include "base/format.h"
#include "gpu/cut.h"
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
  float grid = 0;  ///< scores and sides are multiples of it: many overlaps are about equal
  float size = 0.4F;
  bool has_no_numbers = false;
  int64_t kept = -1;  ///< when it is known without computing
  const char* limits = ", %m, %o, %t";
};

std::string graph_of(const Detection& d) {
  return format(R"(graph @g(%b: f32[{0},{1},4], %s: f32[{0},{2},{1}]) {{
  const %m = {3}
  const %o = {4}
  const %t = {5}
  %y = nms(%b, %s{7}) {{center_point_box={6}}} : i64[kept,3]
  return %y
}})",
                d.images, d.boxes, d.classes, d.most, d.overlap, d.score, d.centre, d.limits);
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
    {"OverlapsOfAThird", 2, 250, 2, "i64[1] [250]", "f32[1] [0.33333334]", "f32[1] [0]", false,
     0.1F, 0.5F},
    {"OverlapsOfAThirdOfCentres", 2, 250, 2, "i64[1] [250]", "f32[1] [0.33333331]", "f32[1] [0]",
     true, 0.1F, 0.5F},
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
    {"WithoutThresholds", 1, 90, 2, "i64[1] [30]", "f32[1] [0.5]", "f32[1] [0]", false, 0, 0.4F,
     false, -1, ", %m"},
    {"WithoutLimits", 1, 90, 2, "i64[1] [30]", "f32[1] [0.5]", "f32[1] [0]", false, 0, 0.4F, false,
     0, ""},
    {"OfAScoreAlone", 1, 90, 2, "i64[1] [30]", "f32[1] [0.5]", "f32[1] [0.4]", false, 0, 0.4F,
     false, -1, ", %m, _, %t"},
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

/// What follows a detection row by row, in each way that kernels take; boxes and scores come from
/// layers of their own, and the detection itself is not asked for.
constexpr const char* kTail = R"(graph @g(%b: f32[1,60,4], %x: f32[1,2,60], %c: f32[2,5]) {{
  const %m = i64[1] [20]
  const %o = f32[1] [0.5]
  const %t = f32[1] [{}]
  const %zero = i64[1] [0]
  const %one = i64[1] [1]
  const %two = i64[1] [2]
  const %three = i64[1] [3]
  const %last = i64[] [2]
  const %flat = i64[1] [-1]
  const %half = f32[] [0.5]
  %s = activation(%x) {{kind=sigmoid}} : f32[1,2,60]
  %k = nms(%b, %s, %m, %o, %t) {{center_point_box=false}} : i64[n,3]
  %col = slice(%k, %two, %three, %one) : i64[n,1]
  %img = slice(%k, %zero, %one, %one) : i64[n,1]
  %at = concat(%img, %col) {{axis=1}} : i64[n,2]
  %picked = gather_nd(%b, %at) {{batch_dims=0}} : f32[n,4]
  %index = gather(%k, %last) {{axis=1}} : i64[n]
  %same = reshape(%col, %flat) : i64[n]
  %boxes = gather(%b, %index) {{axis=1}} : f32[1,n,4]
  %turned = transpose(%boxes) {{perm=[1,0,2]}} : f32[n,1,4]
  %kind = slice(%k, %one, %two, %one) : i64[n,1]
  %line = gather_nd(%c, %kind) {{batch_dims=0}} : f32[n,5]
  %real = cast(%k) {{to=f32}} : f32[n,3]
  %wide = concat(%real, %picked, %line) {{axis=1}} : f32[n,12]
  %scaled = elementwise(%wide, %half) {{kind=prod}} : f32[n,12]
  %twice = elementwise(%index, %same) {{kind=sum}} : i64[n]
  return %scaled, %twice, %turned
}})";

class Tail : public testing::TestWithParam<const char*> {
 protected:
  ir::Graph graph = ir::parse(format(kTail, GetParam()));
  std::vector<ir::Tensor> inputs() const {
    Detection detection{"", 1, 60, 2};
    std::vector<ir::Tensor> made = inputs_of(detection);
    made.push_back(ir::seeded(ir::DataType::Float32, {2, 5}, 9));
    return made;
  }
  void expect_like_ref(const std::vector<ir::Tensor>& got) const {
    const std::vector<ir::Tensor> wanted = ref::run(graph, inputs());
    ASSERT_EQ(got.size(), wanted.size());
    expect_close(got[0], wanted[0], 1e-6);
    EXPECT_EQ(got[1].to_ints(), wanted[1].to_ints());
    expect_close(got[2], wanted[2], 0);
  }
  std::vector<int> all() const {
    std::vector<int> nodes(graph.nodes.size());
    std::iota(nodes.begin(), nodes.end(), 0);
    return nodes;
  }
};

TEST_P(Tail, IsThatOfRefOnTheHost) {
  if (!why_not_on_host().empty()) GTEST_SKIP() << why_not_on_host();
  const Target target = target_of("sm_87");
  const std::vector<gpu::Run> runs = cut(graph, all(), target);
  ASSERT_EQ(runs.size(), 1) << testing::PrintToString(runs[1].reasons);
  ASSERT_TRUE(runs[0].on_device);
  expect_like_ref(run_on_host(lower(graph, target), inputs()));
}

TEST_P(Tail, IsThatOfRefOnDevice) {
  SKIP_WITHOUT_DEVICE();
  expect_like_ref(run_on_device(graph, inputs()));
}

// Thresholds of the sigmoid of scores from 0 to 1: all candidates, some, none.
INSTANTIATE_TEST_SUITE_P(Of, Tail, testing::Values("0", "0.65", "0.9"),
                         [](const auto& one) { return "Tail" + std::to_string(one.index); });

/// The reasons why the host takes nodes of @p text, empty for those that the device takes.
std::vector<std::string> reasons(const std::string& text) {
  const ir::Graph graph = ir::parse(text);
  std::vector<int> nodes(graph.nodes.size());
  std::iota(nodes.begin(), nodes.end(), 0);
  std::vector<std::string> found(nodes.size());
  for (const gpu::Run& run : cut(graph, nodes, target_of("sm_87")))
    for (size_t i = 0; i < run.reasons.size(); ++i)
      found[static_cast<size_t>(run.nodes[i])] = run.reasons[i];
  return found;
}

TEST(Counted, WhatDoesNotGoRowByRowIsTheHosts) {
  EXPECT_THAT(reasons(R"(graph @g(%b: f32[1,9,4], %s: f32[1,2,9]) {
  const %m = i64[1] [5]
  const %a0 = i64[] [0]
  const %zero = i64[1] [0]
  const %end = i64[1] [-99]
  const %back = i64[1] [-1]
  %y = nms(%b, %s, %m) {center_point_box=false} : i64[kept,3]
  %x = cast(%y) {to=f32} : f32[kept,3]
  %r = slice(%x, %back, %end, %zero, %back) : f32[kept,3]
  return %r
})"),
              testing::ElementsAre("", "", "a number of rows that data decides"));
  EXPECT_THAT(reasons(R"(graph @g(%b: f32[1,9,4], %s: f32[1,2,9]) {
  const %m = i64[1] [5]
  %y = nms(%b, %s, %m) {center_point_box=false} : i64[kept,3]
  %x = transpose(%y) {perm=[1,0]} : i64[3,kept]
  %z = cast(%y) {to=f32} : f32[kept,3]
  return %x, %z
})"),
              testing::ElementsAre("", "'x' has rows of a size that data decides",
                                   "'y' has a size that is counted elsewhere"));
  EXPECT_THAT(reasons(R"(graph @g(%x: bool[3000,2000], %y: bool[70], %z: f32[3,70]) {
  %p = nonzero(%x) : i64[2,many]
  %q = nonzero(%y) : i64[1,few]
  %r = gather(%z, %q) {axis=1} : f32[3,1,few]
  %s = cast(%q) {to=f32} : f32[1,few]
  return %p, %r, %s
})"),
              testing::ElementsAre("", "", "'r' has rows of a size that data decides",
                                   "'q' has a size that is counted elsewhere"));
  EXPECT_THAT(reasons(R"(graph @g(%x: bool[6000000]) {
  %p = nonzero(%x) : i64[1,many]
  %q = cast(%p) {to=f32} : f32[1,many]
  return %q
})"),
              testing::ElementsAre("", "'p' may have 6000000 elements"));
}

TEST(Counted, LimitsThatDataDecidesAreTheHosts) {
  EXPECT_THAT(reasons(R"(graph @g(%b: f32[1,9,4], %s: f32[1,2,9], %n: i64[1]) {
  %w = nms(%b, %s, %n) {center_point_box=false} : i64[some,3]
  %x = cast(%w) {to=f32} : f32[some,3]
  return %x
})"),
              testing::ElementsAre("limits that data decides",
                                   "'w' has a shape that is known only at run time"));
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
