// com.microsoft: layers that ONNX Runtime's own optimizer joins and writes into files.
#include <array>
#include <optional>
#include <utility>

#include "onnx/quant.h"

namespace dlaexec::onnx {
namespace {

/// The parameters of an activation; its own defaults stand for those that are not given.
using Parameters = std::array<std::optional<float>, 2>;

/// The activation that attribute "activation" names, with @p parameters in the order of its own.
ValueId activated(Node& node, ValueId x, const Parameters& parameters) {
  struct Row {
    std::string_view name;
    ActivationKind kind;
    std::array<float, 2> defaults;
  };
  constexpr Row kRows[] = {
      {"Relu", ActivationKind::Relu, {}},
      {"Tanh", ActivationKind::Tanh, {}},
      {"Sigmoid", ActivationKind::Sigmoid, {}},
      {"LeakyRelu", ActivationKind::LeakyRelu, {0.01f}},
      {"Clip", ActivationKind::Clip, {-3.402823466e38f, 3.402823466e38f}},
      {"HardSigmoid", ActivationKind::HardSigmoid, {0.2f, 0.5f}},
  };
  const std::string name = node.text("activation", "");
  if (name.empty()) return x;
  for (const Row& row : kRows) {
    if (row.name != name) continue;
    return node.activation(row.kind, x, parameters[0].value_or(row.defaults[0]),
                           parameters[1].value_or(row.defaults[1]));
  }
  fail("activation is '{}'; Relu, Tanh, Sigmoid, LeakyRelu, Clip and HardSigmoid are known", name);
}

ValueId plus(Node& node, ValueId a, ValueId b) {
  return b == kNoValue ? a : node.binary(ElementwiseKind::Sum, a, b);
}

ValueId normalized(Node& node, Op op, ValueIds inputs, float epsilon) {
  ir::NormAttributes attributes;
  attributes.axis = node.rank(inputs[0]) - 1;
  attributes.epsilon = epsilon;
  if (inputs.back() == kNoValue) inputs.pop_back();
  return node.add(op, std::move(inputs), attributes);
}

/// Results that only training reads.
void refuse_statistics(Node& node, size_t first, size_t count) {
  for (size_t i = first; i < first + count; ++i)
    if (node.wants(i)) fail("output {} (statistics for training) is not supported", i);
}

}  // namespace

ValueIds fused_conv(Node& node) {
  const ValueId y = add_conv(node, node.in(0), node.in(1), node.optional(2));
  const ir::Floats given = node.reals("activation_params");
  Parameters parameters;
  for (size_t i = 0; i < parameters.size() && i < given.size(); ++i) parameters[i] = given[i];
  return {activated(node, plus(node, y, node.optional(3)), parameters)};
}

ValueIds fused_gemm(Node& node) {
  const ValueId y = gemm(node)[0];
  const auto given = [&](std::string_view name) {
    return node.has_attribute(name) ? std::optional(node.real(name, 0)) : std::nullopt;
  };
  return {activated(node, y, {given("activation_alpha"), given("activation_beta")})};
}

ValueIds skip_layer_norm(Node& node) {
  refuse_statistics(node, 1, 2);
  const ValueId sum = plus(node, plus(node, node.in(0), node.in(1)), node.optional(4));
  const ValueId y = normalized(node, Op::LayerNorm, {sum, node.in(2), node.optional(3)},
                               node.real("epsilon", 1e-12f));
  return {y, kNoValue, kNoValue, sum};
}

ValueIds simplified_layer_norm(Node& node) {
  refuse_statistics(node, 1, 1);
  node.ignore("stash_type");
  const int64_t last = node.rank(node.in(0)) - 1;
  if (const int64_t axis = node.axis_in(node.integer("axis", -1), last + 1); axis != last)
    fail("axis is {}; only the last one, {}, is supported", axis, last);
  return {normalized(node, Op::RmsNorm, {node.in(0), node.in(1)}, node.real("epsilon", 1e-5f))};
}

ValueIds skip_simplified_layer_norm(Node& node) {
  refuse_statistics(node, 1, 2);
  const ValueId sum = plus(node, plus(node, node.in(0), node.in(1)), node.optional(3));
  const ValueId y = normalized(node, Op::RmsNorm, {sum, node.in(2)}, node.real("epsilon", 1e-5f));
  return {y, kNoValue, kNoValue, sum};
}

namespace {

/// What is summed and how it is normalized; absent: kinds, mask, positions.
struct Embedding {
  ValueId words, places, kinds, gamma, beta, mask, positions;
};

ValueIds normalized_embedding(Node& node, const Embedding& of) {
  const auto rows = [&](ValueId table, ValueId indices) {
    return node.add(Op::Gather, {table, indices}, ir::AxisAttributes{0});
  };
  const ValueId ids = node.in(0);
  ValueId positions = of.positions;
  if (positions == kNoValue) {
    const ValueId length = node.squeeze(node.shape_of(ids, 1, 2), {0});
    positions = node.add(Op::Range, {node.number(0, length), length, node.number(1, length)});
  }
  ValueId sum = plus(node, rows(of.words, ids), rows(of.places, positions));
  if (node.has(1) && of.kinds != kNoValue) sum = plus(node, sum, rows(of.kinds, node.in(1)));
  const ValueId y =
      normalized(node, Op::LayerNorm, {sum, of.gamma, of.beta}, node.real("epsilon", 1e-12f));
  node.ignore("mask_index_type");
  if (!node.wants(1)) return {y, kNoValue, sum};
  if (of.mask == kNoValue) fail("the mask index is asked for, but there is no mask");
  return {y, node.reduce(ir::ReduceKind::Sum, of.mask, {1}, false), sum};
}

}  // namespace

ValueIds embed_layer_norm(Node& node) {
  return normalized_embedding(node, {node.in(2), node.in(3), node.optional(4), node.in(5),
                                     node.in(6), node.optional(7), node.optional(8)});
}

ValueIds quantized_embed_layer_norm(Node& node) {
  const auto real = [&](size_t input) {  // scales begin at 8, zero points at 13
    if (!node.has(input)) return kNoValue;
    return dequantized(node, node.in(input), node.in(input + 6), node.optional(input + 11), 0);
  };
  return normalized_embedding(
      node, {real(2), real(3), real(4), real(5), real(6), node.optional(7), kNoValue});
}

}  // namespace dlaexec::onnx
