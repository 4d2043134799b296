// Windows over the channels of grouped convolutions, as a launch is told of them.
#include "gpu/product_groups.h"

#include <gmock/gmock.h>

#include <cstddef>
#include <cstring>

#include "ir/text.h"

namespace dlaexec::gpu {
namespace {

/// A grouped convolution of 3 x 3.
struct Case {
  int groups, inputs, outputs;  ///< the latter two of a group
  int channels() const { return groups * inputs; }
  int maps() const { return groups * outputs; }
};

constexpr Case kCases[] = {{32, 4, 4},  {32, 8, 8}, {2, 3, 3}, {4, 3, 5},   {5, 24, 24},
                           {4, 64, 64}, {3, 16, 8}, {9, 1, 2}, {2, 40, 72}, {6, 48, 48}};

ir::Graph graph_of(const Case& t) {
  return ir::parse(format(
      "graph @g(%x: f32[1,{0},6,6]) {{\n  const %w = f32[{1},{2},3,3] seed(3)\n  %y = conv(%x, %w) "
      "{{stride=[1,1], pads=[1,1,1,1], dilation=[1,1], groups={3}}} : f32[1,{1},6,6]\n  return "
      "%y\n}}",
      t.channels(), t.maps(), t.inputs, t.groups));
}

LowerOptions options_with(const std::string& tactic) {
  LowerOptions options;
  options.choose = [tactic](const std::string&, const std::vector<std::string>&) { return tactic; };
  return options;
}

/// The one step of @p lowered that multiplies.
const Step& product_step(const Lowered& lowered) {
  for (const Step& step : lowered.steps)
    if (!step.problem.empty()) return step;
  throw std::logic_error("no product");
}

/// The weights that @p step, of floats, is launched with.
std::vector<float> weights_of(const Lowered& lowered, const Step& step) {
  for (const Patch& patch : step.patches)
    if (patch.at == offsetof(ConvParams, weights)) {
      const auto bytes = lowered.constants[static_cast<size_t>(patch.place.index)].make();
      std::vector<float> floats(bytes.size() / sizeof(float));
      std::memcpy(floats.data(), bytes.data(), bytes.size());
      return floats;
    }
  throw std::logic_error("no weights");
}

/// What @p t multiplies input channel @p c by, for output channel @p k.
float wanted_weight(const Case& t, const ir::Tensor& weights, int k, int tap, int c) {
  const int64_t in_group = c - int64_t{k} / t.outputs * t.inputs;
  if (in_group < 0 || in_group >= t.inputs) return 0;
  return weights.as<float>()[static_cast<size_t>((k * t.inputs + in_group) * 9 + tap)];
}

/// Every window must hold its tile's weights where their channels are, and zeros elsewhere.
void expect_windows(const Case& t, const ProductTactic& tactic) {
  SCOPED_TRACE(
      format("{} groups of {} to {} with {}", t.groups, t.inputs, t.outputs, to_text(tactic)));
  const ir::Graph graph = graph_of(t);
  const Lowered lowered = lower(graph, target_of("sm_87"), options_with(to_text(tactic)));
  const Step& step = product_step(lowered);
  ConvParams p;
  std::memcpy(&p, step.parameters.data(), sizeof p);
  const std::vector<float> made = weights_of(lowered, step);
  const ir::Tensor& weights = *graph.value(graph.nodes[0].inputs[1]).constant;
  const int window = p.channel_bytes / 4;
  ASSERT_LE(p.last_window + p.channel_bytes, p.x_pixel_bytes);
  for (int k = 0; k < t.maps(); ++k) {
    // As first_byte() of conv_feed.cuh says it.
    const int first = k / tactic.k * tactic.k / p.group_outputs * p.group_bytes;
    const int begin = std::min(first & ~15, p.last_window) / 4;
    for (int tap = 0; tap < 9; ++tap) {
      float in_window = 0, in_row = 0;
      for (int c = 0; c < t.channels(); ++c) {
        const float wanted = wanted_weight(t, weights, k, tap, c);
        in_row += std::abs(wanted);
        if (c < begin || c >= begin + window) continue;
        in_window += std::abs(wanted);
        const int at = k * p.weight_row_bytes / 4 + tap * window + c - begin;
        ASSERT_EQ(made[static_cast<size_t>(at)], wanted) << k << " " << tap << " " << c;
      }
      ASSERT_EQ(in_window, in_row) << "a channel lies outside of its window";
    }
  }
}

TEST(ChannelGroups, EveryTilesWindowHoldsItsWeightsAndZerosBetween) {
  for (const Case& t : kCases)
    for (const int k : {32, 64, 128, 256}) {
      ProductTactic tactic;
      tactic.rows = 64;
      tactic.k = k;
      expect_windows(t, tactic);
    }
}

TEST(ChannelGroups, WindowsAreNoWiderThanTheGroupsOfATile) {
  Product product;
  product.p.taps_h = product.p.taps_w = 3;
  product.p.channel_bytes = 256;
  product.p.group_outputs = 4;
  product.p.group_bytes = 8;
  product.groups = ChannelGroups{32, 4, 4, {}};
  ProductTactic tactic;
  tactic.k = 32;
  EXPECT_EQ(with_windows(product, tactic).p.channel_bytes, 64);
  EXPECT_EQ(with_windows(product, tactic).sum_bytes, 9 * 64);
  EXPECT_EQ(with_windows(product, tactic).p.last_window, 256 - 64);
  tactic.k = 64;
  EXPECT_EQ(with_windows(product, tactic).p.channel_bytes, 128);
  tactic.k = 256;  // more channels than there are
  EXPECT_EQ(with_windows(product, tactic).p.channel_bytes, 256);
  tactic.unit = ProductTactic::Unit::Bulk;  // in pieces of 128 bytes
  tactic.k = 32;
  EXPECT_EQ(with_windows(product, tactic).p.channel_bytes, 128);
}

TEST(ChannelGroups, RunOnTensorCoresAndTheirProblemNamesThem) {
  for (const char* architecture : {"sm_80", "sm_87", "sm_90a"}) {
    const Lowered lowered = lower(graph_of({32, 4, 4}), target_of(architecture));
    const Step& step = product_step(lowered);
    EXPECT_THAT(step.problem, testing::EndsWith(" g32"));
    EXPECT_THAT(step.kernel.expression, testing::HasSubstr("Groups"));
  }
  // Floats have tensor cores since sm_80.
  EXPECT_EQ(product_step(lower(graph_of({32, 4, 4}), target_of("sm_75"))).tactic, "plain");
}

}  // namespace
}  // namespace dlaexec::gpu
