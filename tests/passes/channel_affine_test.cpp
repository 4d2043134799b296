#include "passes/channel_affine.h"

#include <gtest/gtest.h>

#include "ir/text.h"
#include "ref/evaluate.h"
#include "support/random_graph.h"

namespace dlaexec::passes {
namespace {

/// Runs the network with the affine absorbed, and without followed by a scale.
void expect_absorbs(const std::string& node, const std::string& input, const std::string& output,
                    size_t channels) {
  const ir::Graph plain =
      ir::parse("graph @g(%x: f32" + input + ") {\n" + node + " : f32" + output + "\nreturn %y\n}");
  const ir::Node& product = plain.nodes[0];
  ASSERT_TRUE(can_absorb(plain, product, channels)) << node;
  ChannelAffine affine;
  for (size_t c = 0; c < channels; ++c) {
    affine.factor.push_back(0.5 + static_cast<double>(c));
    affine.offset.push_back(1.0 - 0.25 * static_cast<double>(c));
  }
  ir::Graph changed = plain;
  absorb(changed, changed.nodes[0], affine);

  const auto inputs = test::random_inputs(plain, 3);
  const ir::Tensor before = ref::run(plain, inputs)[0], after = ref::run(changed, inputs)[0];
  const std::vector<float> old = before.to_floats();
  std::vector<float> wanted(old.size());
  size_t inner = 1;
  for (size_t i = 2; i < before.dims().size(); ++i) inner *= static_cast<size_t>(before.dims()[i]);
  for (size_t i = 0; i < old.size(); ++i) {
    const size_t c = i / inner % channels;
    wanted[i] = static_cast<float>(old[i] * affine.factor[c] + affine.offset[c]);
  }
  EXPECT_LT(test::relative_difference(after, ir::Tensor::of(before.dims(), wanted)), 1e-6) << node;
}

constexpr const char* kConv = "{stride=[1,1], pads=[0,0,0,0], dilation=[1,1]";

TEST(ChannelAffine, IsAbsorbedByEveryProductWithConstantWeights) {
  expect_absorbs("const %w = f32[4,3,2,2] seed(1)\n%y = conv(%x, %w) " + std::string(kConv) + "}",
                 "[1,3,4,4]", "[1,4,3,3]", 4);
  expect_absorbs(
      "const %w = f32[4,2,1,1] seed(1)\nconst %b = f32[4] seed(2)\n%y = conv(%x, %w, %b) " +
          std::string(kConv) + ", groups=2}",
      "[2,4,3,3]", "[2,4,3,3]", 4);
  expect_absorbs("const %w = f32[4,3,2,2] seed(1)\n%y = deconv(%x, %w) " + std::string(kConv) +
                     ", output_padding=[0,0], groups=2}",
                 "[1,4,3,3]", "[1,6,4,4]", 6);
  expect_absorbs(
      "const %w = f32[5,3] seed(1)\nconst %b = f32[3] seed(2)\n"
      "%y = gemm(%x, %w, %b) {scale_ab=2, scale_c=3}",
      "[2,5]", "[2,3]", 3);
  expect_absorbs(
      "const %w = f32[3,5] seed(1)\nconst %b = f32[1] seed(2)\n"
      "%y = gemm(%x, %w, %b) {transpose_b=true}",
      "[2,5]", "[2,3]", 3);
  expect_absorbs("const %w = f32[5,3] seed(1)\n%y = matmul(%x, %w)", "[2,5]", "[2,3]", 3);
}

TEST(ChannelAffine, IsNotAbsorbedWhereItCannotBe) {
  const ir::Graph graph = ir::parse(R"(graph @g(%x: f32[1,3,4,4], %v: f32[4,3,1,1]) {
    const %w = f32[4,3,1,1] seed(1)
    %relu = conv(%x, %w) {stride=[1,1], pads=[0,0,0,0], dilation=[1,1], activation=relu} : f32[1,4,4,4]
    %dynamic = conv(%x, %v) {stride=[1,1], pads=[0,0,0,0], dilation=[1,1]} : f32[1,4,4,4]
    %pool = pool(%x) {kernel=[1,1], stride=[1,1], pads=[0,0,0,0], dilation=[1,1]} : f32[1,3,4,4]
    return %relu, %dynamic, %pool
  })");
  for (const ir::Node& node : graph.nodes) EXPECT_FALSE(can_absorb(graph, node, 4)) << node.name;
}

}  // namespace
}  // namespace dlaexec::passes
