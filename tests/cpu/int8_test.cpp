// Int8 by Int8: sums of integers are exact, so results do not depend on the instruction set.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "cpu/case.h"

namespace dlaexec::cpu::test {
namespace {

using ir::DataType;
using testing::AnyOf;
using testing::Contains;

constexpr float kOutputScale = 0.37f;
/// Results in Float32 come from one exact sum in one double expression.
constexpr double kExact = 1e-7;

std::vector<float> random_scales(Random& random, int64_t count) {
  std::vector<float> scales;
  for (int64_t i = 0; i < count; ++i) scales.push_back(random.number(0.001f, 0.02f));
  return scales;
}

struct Int8Conv {
  int64_t in, out, size, kernel;
  ir::ConvAttributes attributes;
};

Case conv_case(Random& random, Int8Conv conv, DataType output) {
  Case test;
  const int64_t in = conv.in / conv.attributes.groups;
  const ir::ValueId x =
      test.input(random.tensor(DataType::Int8, {2, conv.in, conv.size, conv.size + 3}), 0.043f);
  const ir::ValueId w =
      test.constant(random.tensor(DataType::Int8, {conv.out, in, conv.kernel, conv.kernel}),
                    random_scales(random, random.one_of<int64_t>({1, conv.out})));
  const ir::ValueId b = test.constant(random.tensor(DataType::Float32, {conv.out}));
  const bool residual = conv.attributes.residual;
  conv.attributes.residual = false;
  const ir::ValueId y = test.node(ir::Op::Conv, {x, w, b}, conv.attributes, output, kOutputScale);
  if (!residual) return test;
  const ir::ValueId added =
      test.input(random.tensor(DataType::Int8, ir::dims_of(test.graph.value(y).shape)), 0.29f);
  test.graph.nodes[0].inputs.push_back(added);
  test.graph.nodes[0].get<ir::ConvAttributes>().residual = true;
  return test;
}

Int8Conv draw(Random& random, int64_t groups) {
  Int8Conv conv{};
  conv.in = groups * random.one_of<int64_t>({1, 3, 16, 17, 40, 150});
  conv.out = groups * random.one_of<int64_t>({1, 5, 16, 33, 70});
  conv.size = random.integer(5, 17);
  conv.kernel = random.one_of<int64_t>({1, 1, 3, 5});
  ir::ConvAttributes& attributes = conv.attributes;
  attributes.groups = groups;
  attributes.stride = {random.integer(1, 3), random.integer(1, 2)};
  attributes.dilation = {1, random.integer(1, 2)};
  for (int i = 0; i < 4; ++i) attributes.pads.push_back(random.integer(0, conv.kernel));
  attributes.residual = random.integer(0, 2) == 0;
  attributes.activation = random.one_of({ir::ActivationKind::None, ir::ActivationKind::Relu,
                                         ir::ActivationKind::Clip, ir::ActivationKind::LeakyRelu});
  attributes.alpha = 0.1f;
  attributes.beta = 4;
  return conv;
}

bool has_output(const Int8Conv& conv) {
  return conv.size >= conv.kernel && conv.size + 3 >= (conv.kernel - 1) * 2 + 1;
}

TEST(Int8Conv, SumsAreExactForRandomShapesOnEveryInstructionSet) {
  Random random(1);
  for (int i = 0; i < 60; ++i) {
    const Int8Conv conv = draw(random, random.one_of<int64_t>({1, 1, 1, 2, 4}));
    if (!has_output(conv)) continue;
    SCOPED_TRACE("case " + std::to_string(i) + ": " + std::to_string(conv.in) + " to " +
                 std::to_string(conv.out) + ", kernel " + std::to_string(conv.kernel));
    for (const DataType output : {DataType::Int8, DataType::Float32})
      EXPECT_THAT(expect_like_reference(conv_case(random, conv, output), kExact),
                  Contains(AnyOf("conv.int8", "conv.int8-depthwise", "conv.int8-first")));
    if (HasFailure()) return;
  }
}

TEST(Int8Conv, DepthwiseSumsAreExactToo) {
  Random random(2);
  for (const int64_t channels : {5, 16, 33}) {
    Int8Conv conv = draw(random, channels);
    conv.in = conv.out = channels;
    conv.kernel = 3;
    conv.attributes.pads.assign(4, 1);
    conv.attributes.residual = channels == 16;
    for (const DataType output : {DataType::Int8, DataType::Float32})
      EXPECT_THAT(expect_like_reference(conv_case(random, conv, output), kExact),
                  Contains("conv.int8-depthwise"));
  }
}

TEST(Int8Conv, SumsOverTheRowsOfAPictureAreExactToo) {
  Random random(3);
  for (const int64_t kernel : {1, 4, 7}) {
    Int8Conv conv{3, 33, 17, kernel, {}};
    conv.attributes.stride = {2, 2};
    conv.attributes.dilation = {2, 1};
    conv.attributes.pads.assign(4, 3);
    EXPECT_THAT(expect_like_reference(conv_case(random, conv, DataType::Int8), kExact),
                Contains("conv.int8-first"));
  }
}

TEST(Int8Conv, TheLargestSumsFit) {
  Case test;
  ir::Tensor x(DataType::Int8, {1, 4096, 1, 1}), w(DataType::Int8, {3, 4096, 1, 1});
  for (int8_t& element : x.mutable_as<int8_t>()) element = -128;
  for (int8_t& element : w.mutable_as<int8_t>()) element = 127;
  const ir::ValueId input = test.input(x, 1);
  ir::ConvAttributes attributes;
  attributes.stride = attributes.dilation = {1, 1};
  attributes.pads.assign(4, 0);
  test.node(ir::Op::Conv, {input, test.constant(w, {1})}, attributes);
  EXPECT_THAT(expect_like_reference(test, 0), Contains("conv.int8"));
}

TEST(Int8Gemm, SumsAreExactForEveryWayToGiveTheOperands) {
  Random random(3);
  for (const int64_t rows : {1, 7, 33})
    for (const int64_t outputs : {1, 16, 45, 64})
      for (const bool transpose : {false, true}) {
        const int64_t terms = random.integer(1, 150);
        SCOPED_TRACE(ir::to_text(ir::Dims{rows, terms, outputs}));
        Case test;
        ir::GemmAttributes attributes;
        attributes.transpose_b = transpose;
        attributes.scale_ab = 0.5f;
        attributes.activation = ir::ActivationKind::Relu;
        const ir::ValueId a = test.input(random.tensor(DataType::Int8, {rows, terms}), 0.05f);
        const ir::ValueId b =
            test.constant(random.tensor(DataType::Int8, transpose ? ir::Dims{outputs, terms}
                                                                  : ir::Dims{terms, outputs}),
                          random_scales(random, outputs));
        test.graph.value(b).quantization.axis = transpose ? 0 : 1;
        const ir::ValueId c = test.constant(random.tensor(DataType::Float32, {outputs}));
        const ir::ValueId r = test.input(random.tensor(DataType::Float32, {rows, outputs}));
        attributes.residual = true;
        test.node(ir::Op::Gemm, {a, b, c, r}, attributes);
        EXPECT_THAT(expect_like_reference(test, kExact), Contains("gemm.int8"));
      }
}

TEST(Int8MatMul, RowsOfAllBatchesMultiplyOneMatrix) {
  Random random(4);
  Case test;
  const ir::ValueId a = test.input(random.tensor(DataType::Int8, {2, 3, 17, 100}), 0.05f);
  const ir::ValueId b =
      test.constant(random.tensor(DataType::Int8, {100, 37}), random_scales(random, 37));
  test.graph.value(b).quantization.axis = 1;
  test.node(ir::Op::MatMul, {a, b}, ir::MatMulAttributes(), DataType::Int8, kOutputScale);
  EXPECT_THAT(expect_like_reference(test, kExact), Contains("gemm.int8"));
}

TEST(Int8MatMul, ComputedMatricesMultiplyExactlyWithBatchesThatRepeat) {
  Random random(27);
  for (const DataType output : {DataType::Int8, DataType::Float32})
    for (const ir::Dims& right : {ir::Dims{2, 3, 70, 37}, ir::Dims{3, 70, 16}, ir::Dims{70, 5}}) {
      Case test;
      const ir::ValueId a = test.input(random.tensor(DataType::Int8, {2, 3, 17, 70}), 0.05f);
      const ir::ValueId b = test.input(random.tensor(DataType::Int8, right), 0.03f);
      test.node(ir::Op::MatMul, {a, b}, ir::MatMulAttributes(), output, kOutputScale);
      EXPECT_THAT(expect_like_reference(test, kExact), Contains("gemm.int8-batched"))
          << right.back();
    }
}

TEST(Int8MatMul, EmptyMatricesAreLeftToTheReference) {
  for (const ir::Dims& left : {ir::Dims{2, 0, 5}, ir::Dims{0, 3, 5}}) {
    Case test;
    const ir::ValueId a = test.input(ir::Tensor(DataType::Int8, left), 0.05f);
    const ir::ValueId b = test.input(ir::Tensor(DataType::Int8, {5, 4}), 0.03f);
    test.node(ir::Op::MatMul, {a, b}, ir::MatMulAttributes());
    EXPECT_THAT(expect_like_reference(test, kExact), Contains("ref.matmul"));
  }
}

TEST(Int8Deconv, SumsAreExactInEveryPhase) {
  Random random(31);
  for (const DataType output : {DataType::Int8, DataType::Float32})
    for (const int64_t stride : {1, 2, 3}) {
      Case test;
      const ir::ValueId x = test.input(random.tensor(DataType::Int8, {2, 21, 5, 6}), 0.05f);
      const ir::ValueId w =
          test.constant(random.tensor(DataType::Int8, {21, 19, 4, 3}), random_scales(random, 19));
      test.graph.value(w).quantization.axis = 1;
      const ir::ValueId b = test.constant(random.tensor(DataType::Float32, {19}));
      ir::DeconvAttributes attributes;
      attributes.stride = {stride, 2};
      attributes.pads = {1, 0, 1, 1};
      attributes.dilation = {1, 1};
      attributes.output_padding = {0, 0};
      attributes.activation = ir::ActivationKind::Relu;
      test.node(ir::Op::Deconv, {x, w, b}, attributes, output, kOutputScale);
      EXPECT_THAT(expect_like_reference(test, kExact), Contains("deconv.int8"));
    }
}

TEST(Quantize, RoundsToEvenSaturatesAndComesBackOnEveryInstructionSet) {
  Random random(5);
  for (const DataType type : {DataType::Int8, DataType::UInt8})
    for (const bool per_channel : {false, true}) {
      const int64_t scales = per_channel ? 5 : 1;
      ir::Tensor zeros(type, {scales});
      for (std::byte& zero : zeros.mutable_bytes())
        zero = static_cast<std::byte>(type == DataType::Int8 ? 0 : random.integer(0, 255));
      ir::QuantizeAttributes attributes;
      attributes.axis = 1;
      attributes.to = type;
      Case test;
      const ir::ValueId x = test.input(random.tensor(DataType::Float32, {3, 5, 7, 3}));
      test.inputs[0].mutable_as<float>()[0] = std::numeric_limits<float>::quiet_NaN();
      test.inputs[0].mutable_as<float>()[1] = 1e30f;
      test.inputs[0].mutable_as<float>()[2] = 0.005f * 2.5f;
      const ir::ValueId scale =
          test.constant(ir::Tensor::of<float>({scales}, std::vector<float>(scales, 0.005f)));
      const ir::ValueId zero = test.constant(zeros);
      const ir::ValueId q = test.node(ir::Op::Quantize, {x, scale, zero}, attributes, type);
      attributes.to = DataType::Float32;
      test.node(ir::Op::Dequantize, {q, scale, zero}, attributes);
      test.graph.outputs.push_back(q);
      const std::vector<std::string> kernels = expect_like_reference(test, 0);
      EXPECT_THAT(kernels, Contains("quantize"));
      EXPECT_THAT(kernels, Contains("dequantize"));
    }
}

}  // namespace
}  // namespace dlaexec::cpu::test
