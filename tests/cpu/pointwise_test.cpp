#include <gtest/gtest.h>

#include <limits>

#include "cpu/case.h"

namespace dlaexec::cpu::test {
namespace {

TEST(Pointwise, EveryActivationAgreesFarFromZeroAndNearIt) {
  Random random(1);
  for (size_t kind = 0; kind < ir::kEnumText<ir::ActivationKind>.size(); ++kind) {
    SCOPED_TRACE(ir::kEnumText<ir::ActivationKind>[kind]);
    ir::Tensor input(ir::DataType::Float32, {3, 41});
    for (float& x : input.mutable_as<float>())
      x = random.number(-1, 1) * random.one_of({.1f, 20.f});
    Case test;
    const ir::ActivationAttributes attributes{static_cast<ir::ActivationKind>(kind), 0.7f, 1.3f};
    test.node(ir::Op::Activation, {test.input(input)}, attributes);
    expect_like_reference(test);
  }
}

TEST(Pointwise, WhatIsNoNumberLeavesActivationsAsOne) {
  using ir::ActivationKind;
  for (const ActivationKind kind :
       {ActivationKind::Relu, ActivationKind::Clip, ActivationKind::LeakyRelu,
        ActivationKind::Sigmoid, ActivationKind::Tanh}) {
    SCOPED_TRACE(ir::text(kind));
    ir::Tensor input = Random(1).tensor(ir::DataType::Float32, {3, 41});
    for (const size_t i : {0, 50, 122})
      input.mutable_as<float>()[i] = std::numeric_limits<float>::quiet_NaN();
    Case test;
    test.node(ir::Op::Activation, {test.input(input)}, ir::ActivationAttributes{kind, 0.1f, 1.3f});
    expect_like_reference(test);
  }
}

TEST(Pointwise, UnaryFunctionsAgree) {
  Random random(2);
  for (size_t kind = 0; kind < ir::kEnumText<ir::UnaryKind>.size(); ++kind) {
    const auto unary = static_cast<ir::UnaryKind>(kind);
    if (unary == ir::UnaryKind::Not || unary > ir::UnaryKind::Erf) continue;
    SCOPED_TRACE(ir::text(unary));
    Case test;
    ir::Tensor input = random.tensor(ir::DataType::Float32, {2, 37});
    ir::UnaryAttributes attributes;
    attributes.kind = unary;
    test.node(ir::Op::Unary, {test.input(input)}, attributes);
    expect_like_reference(test);
  }
}

TEST(Pointwise, BroadcastsAgreeInEveryDirection) {
  Random random(3);
  const std::vector<std::pair<ir::Dims, ir::Dims>> shapes = {
      {{2, 5, 4, 3}, {2, 5, 4, 3}},
      {{2, 5, 4, 3}, {1}},
      {{1, 5, 1, 1}, {2, 5, 4, 3}},
      {{2, 5, 4, 3}, {5, 1, 1}},
      {{2, 1, 4, 1}, {1, 5, 1, 3}},
      {{7}, {3, 7}},
      {{3, 1}, {3, 70}},
      {{}, {2, 2}},
      {{2, 33, 4, 3}, {2, 33, 1, 1}},
  };
  for (size_t kind = 0; kind <= static_cast<size_t>(ir::ElementwiseKind::Max); ++kind)
    for (const auto& [left, right] : shapes) {
      SCOPED_TRACE(std::string(ir::kEnumText<ir::ElementwiseKind>[kind]) + " of " +
                   ir::to_text(left) + " and " + ir::to_text(right));
      Case test;
      ir::ElementwiseAttributes attributes;
      attributes.kind = static_cast<ir::ElementwiseKind>(kind);
      const ir::ValueId a = test.input(random.tensor(ir::DataType::Float32, left));
      test.node(ir::Op::Elementwise, {a, test.input(random.tensor(ir::DataType::Float32, right))},
                attributes);
      expect_like_reference(test);
    }
}

/// A convolution in front leaves its output blocked.
ir::ValueId blocked_value(Case& test, Random& random, int64_t batch, int64_t channels) {
  ir::ConvAttributes conv;
  conv.stride = conv.dilation = {1, 1};
  conv.pads = {0, 0, 0, 0};
  const ir::ValueId x = test.input(random.tensor(ir::DataType::Float32, {batch, 7, 5, 6}));
  return test.node(ir::Op::Conv,
                   {x, test.constant(random.tensor(ir::DataType::Float32, {channels, 7, 1, 1}))},
                   conv);
}

TEST(Pointwise, BlockedImagesTakeGatesNumbersAndOneAnother) {
  Random random(4);
  for (const int64_t channels : {16, 21}) {
    for (const ir::Dims& other : std::vector<ir::Dims>{{2, channels, 5, 6},
                                                       {2, channels, 1, 1},
                                                       {1, channels, 1, 1},
                                                       {1},
                                                       {channels, 1, 1},
                                                       {2, 1, 5, 6}}) {
      SCOPED_TRACE(ir::to_text(other));
      Case test;
      const ir::ValueId image = blocked_value(test, random, 2, channels);
      const ir::ValueId gate = test.input(random.tensor(ir::DataType::Float32, other));
      ir::ElementwiseAttributes attributes;
      attributes.kind = ir::ElementwiseKind::Sub;
      attributes.activation = ir::ActivationKind::Relu;
      const ir::ValueId once = test.node(ir::Op::Elementwise, {image, gate}, attributes);
      test.node(ir::Op::Elementwise, {gate, once}, attributes);
      expect_like_reference(test);
    }
  }
}

TEST(Pointwise, ScaleAndBatchNormWorkPerChannelInBothOrders) {
  Random random(5);
  for (const bool blocked : {false, true}) {
    for (const bool norm : {false, true}) {
      Case test;
      const ir::ValueId x = blocked ? blocked_value(test, random, 2, 19)
                                    : test.input(random.tensor(ir::DataType::Float32, {2, 19, 5}));
      std::vector<ir::ValueId> operands{x};
      for (int i = 0; i < (norm ? 4 : 2); ++i) {
        ir::Tensor numbers = random.tensor(ir::DataType::Float32, {19});
        if (i == 3)
          for (float& variance : numbers.mutable_as<float>()) variance = 0.5f + variance * variance;
        operands.push_back(test.constant(numbers));
      }
      if (norm)
        test.node(ir::Op::BatchNorm, operands, ir::BatchNormAttributes{});
      else
        test.node(ir::Op::Scale, operands, ir::NoAttributes{});
      expect_like_reference(test);
    }
  }
}

TEST(Pointwise, HalfAndInt8ValuesAreRoundedWhereTheGraphSaysSo) {
  Random random(6);
  for (const ir::DataType type :
       {ir::DataType::Float16, ir::DataType::BFloat16, ir::DataType::Int8}) {
    Case test;
    const float scale = type == ir::DataType::Int8 ? 0.01f : 0;
    const ir::ValueId x = test.input(random.tensor(type, {2, 50}), scale);
    const ir::ActivationAttributes attributes{ir::ActivationKind::Sigmoid, 0, 0};
    test.node(ir::Op::Activation, {x}, attributes, type, scale * 0.5f);
    expect_like_reference(test);
  }
}

}  // namespace
}  // namespace dlaexec::cpu::test
