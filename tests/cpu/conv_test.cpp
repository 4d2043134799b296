#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "cpu/case.h"

namespace dlaexec::cpu::test {
namespace {

using testing::Contains;

/// One random convolution within the limits given; nothing when it would have no output.
struct ConvDraw {
  int64_t channels_in, channels_out, groups;
  int64_t height, width, kernel_y, kernel_x;
  ir::ConvAttributes attributes;

  bool has_output() const {
    const auto fits = [&](int64_t size, int64_t kernel, size_t axis) {
      const ir::Ints& pads = attributes.pads;
      return size + pads[axis] + pads[axis + 2] >= (kernel - 1) * attributes.dilation[axis] + 1;
    };
    return fits(height, kernel_y, 0) && fits(width, kernel_x, 1);
  }
};

ConvDraw draw(Random& random) {
  ConvDraw made;
  made.groups = random.one_of<int64_t>({1, 1, 1, 1, 2, 3, 4});
  made.channels_in = made.groups * random.one_of<int64_t>({1, 3, 5, 16, 17, 32, 33});
  made.channels_out = made.groups * random.one_of<int64_t>({1, 2, 5, 16, 33, 48});
  made.height = random.one_of<int64_t>({1, 2, 5, 7, 8, 13, 15});
  made.width = random.one_of<int64_t>({1, 3, 4, 7, 14, 15, 16, 29});
  made.kernel_y = random.one_of<int64_t>({1, 1, 2, 3, 3, 5});
  made.kernel_x = random.one_of<int64_t>({1, 1, 2, 3, 3, 7});
  ir::ConvAttributes& attributes = made.attributes;
  attributes.groups = made.groups;
  attributes.stride = {random.integer(1, 3), random.integer(1, 4)};
  attributes.dilation = {random.integer(1, 2), random.integer(1, 2)};
  for (int i = 0; i < 4; ++i)
    attributes.pads.push_back(
        random.integer(0, i % 2 == 0 ? made.kernel_y - 1 : made.kernel_x - 1));
  attributes.residual = random.integer(0, 3) == 0;
  attributes.activation =
      random.one_of({ir::ActivationKind::None, ir::ActivationKind::Relu, ir::ActivationKind::Clip,
                     ir::ActivationKind::LeakyRelu, ir::ActivationKind::Silu});
  attributes.alpha = attributes.activation == ir::ActivationKind::Silu ? 1.0f : 0.1f;
  attributes.beta = 0.4f;
  return made;
}

/// The graph of a drawn convolution, its values of @p type.
Case conv_case(Random& random, ConvDraw made, ir::DataType type, int64_t batch) {
  Case test;
  const ir::ValueId image =
      test.input(random.tensor(type, {batch, made.channels_in, made.height, made.width}));
  const ir::ValueId weights = test.constant(random.tensor(
      type, {made.channels_out, made.channels_in / made.groups, made.kernel_y, made.kernel_x}));
  ir::ValueId bias = ir::kNoValue;
  if (random.integer(0, 1) == 0)
    bias = test.constant(random.tensor(ir::DataType::Float32, {made.channels_out}));
  const bool residual = made.attributes.residual;
  made.attributes.residual = false;
  const ir::ValueId output = test.node(ir::Op::Conv, {image, weights, bias}, made.attributes, type);
  if (!residual) return test;
  const ir::Dims dims = ir::dims_of(test.graph.value(output).shape);
  const ir::ValueId added = test.input(random.tensor(type, dims));
  test.graph.nodes[0].inputs.push_back(added);
  test.graph.nodes[0].get<ir::ConvAttributes>().residual = true;
  return test;
}

void check_random_convs(uint64_t seed, int count, ir::DataType type) {
  Random random(seed);
  for (int i = 0; i < count; ++i) {
    const ConvDraw made = draw(random);
    if (!made.has_output()) continue;
    SCOPED_TRACE("case " + std::to_string(i) + ": " + std::to_string(made.channels_in) + "x" +
                 std::to_string(made.height) + "x" + std::to_string(made.width) + " to " +
                 std::to_string(made.channels_out) + ", kernel " + std::to_string(made.kernel_y) +
                 "x" + std::to_string(made.kernel_x) + ", groups " + std::to_string(made.groups));
    expect_like_reference(conv_case(random, made, type, random.integer(1, 2)), 3e-5);
    if (testing::Test::HasFatalFailure() || testing::Test::HasNonfatalFailure()) return;
  }
}

TEST(Conv, WhatIsNoNumberLeavesItsActivationAsOne) {
  for (const auto& [groups, kernel] : {std::pair{1, 1}, {1, 2}, {32, 3}})
    for (const auto activation : {ir::ActivationKind::Relu, ir::ActivationKind::Clip}) {
      SCOPED_TRACE(std::to_string(groups) + " groups " + std::string(ir::text(activation)));
      Random random(7);
      ConvDraw made{32, 32, groups, 9, 11, kernel, kernel, {}};
      made.attributes.groups = groups;
      made.attributes.stride = made.attributes.dilation = {1, 1};
      made.attributes.pads = {0, 0, 0, 0};
      made.attributes.activation = activation;
      made.attributes.beta = 0.4f;
      Case test = conv_case(random, made, ir::DataType::Float32, 1);
      test.inputs[0].mutable_as<float>()[40] = std::numeric_limits<float>::quiet_NaN();
      expect_like_reference(test, 1e-5);  // of outputs in [0.1, 0.4], made of larger terms
    }
}

TEST(Conv, RandomShapesAgreeWithTheDefinitionInFloat) {
  check_random_convs(1, 150, ir::DataType::Float32);
}

TEST(Conv, RandomShapesAreRoundedOnceToHalf) { check_random_convs(2, 40, ir::DataType::Float16); }

ConvDraw square(int64_t in, int64_t out, int64_t size, int64_t kernel, int64_t stride) {
  ConvDraw made{in, out, 1, size, size, kernel, kernel, {}};
  made.attributes.stride = {stride, stride};
  made.attributes.dilation = {1, 1};
  made.attributes.pads.assign(4, kernel / 2);
  return made;
}

TEST(Conv, FirstLayersOfUsualNetworksAgree) {
  Random random(3);
  expect_like_reference(conv_case(random, square(3, 64, 37, 7, 2), ir::DataType::Float32, 1));
  expect_like_reference(conv_case(random, square(3, 32, 32, 3, 2), ir::DataType::Float32, 1));
  expect_like_reference(conv_case(random, square(1, 16, 30, 3, 1), ir::DataType::Float32, 2));
}

TEST(Conv, DepthwiseHasAKernelOfItsOwn) {
  Random random(4);
  for (const int64_t channels : {5, 16, 33})
    for (const int64_t stride : {1, 2, 3})
      for (const int64_t kernel : {3, 5}) {
        ConvDraw made = square(channels, channels, 19, kernel, stride);
        made.groups = made.attributes.groups = channels;
        made.attributes.activation = ir::ActivationKind::HardSwish;
        EXPECT_THAT(expect_like_reference(conv_case(random, made, ir::DataType::Float32, 1)),
                    Contains("conv.depthwise"));
      }
}

TEST(Conv, WinogradAgreesAtEdgesWithResidualsAndInBatches) {
  Random random(6);
  for (const int64_t size : {13, 30, 41})
    for (const int64_t channels : {32, 50}) {
      ConvDraw made = square(channels, 64, size, 3, 1);
      made.width += 2;
      made.attributes.pads = {1, 0, 0, 1};
      made.attributes.residual = size != 30;
      made.attributes.activation = size == 13 ? ir::ActivationKind::Silu : ir::ActivationKind::Relu;
      made.attributes.alpha = 1;
      EXPECT_THAT(expect_like_reference(conv_case(random, made, ir::DataType::Float32, 2), 1e-5),
                  Contains("conv.winograd"));
    }
}

TEST(Deconv, RandomShapesAgreeWithTheDefinition) {
  Random random(5);
  for (int i = 0; i < 60; ++i) {
    const int64_t in = random.one_of<int64_t>({1, 5, 16, 33}),
                  out = random.one_of<int64_t>({2, 17});
    ir::DeconvAttributes attributes;
    const int64_t kernel = random.integer(1, 4);
    attributes.stride = {random.integer(1, 3), random.integer(1, 3)};
    attributes.dilation = {random.integer(1, 2), 1};
    attributes.output_padding = {random.integer(0, attributes.stride[0] - 1), 0};
    for (int p = 0; p < 4; ++p) attributes.pads.push_back(random.integer(0, kernel - 1));
    attributes.activation = ir::ActivationKind::LeakyRelu;
    attributes.alpha = 0.2f;
    SCOPED_TRACE("case " + std::to_string(i));
    Case test;
    const ir::ValueId x = test.input(random.tensor(ir::DataType::Float32, {1, in, 6, 9}));
    const ir::ValueId w =
        test.constant(random.tensor(ir::DataType::Float32, {in, out, kernel, kernel}));
    const ir::ValueId b = test.constant(random.tensor(ir::DataType::Float32, {out}));
    test.node(ir::Op::Deconv, {x, w, b}, attributes);
    EXPECT_THAT(expect_like_reference(test, 1e-5), Contains("deconv.phases"));
  }
}

}  // namespace
}  // namespace dlaexec::cpu::test
