// com.microsoft's operators against the standard ones that they stand for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnx/import.h"
#include "ref/evaluate.h"
#include "support/onnx_model.h"

namespace dlaexec::onnx {
namespace {

using onnx_file::AttributeProto;
using onnx_file::NodeProto;
using onnx_file::TensorProto;
using test::OnnxModel;
using testing::FloatNear;
using testing::Pointwise;

std::vector<float> numbers(size_t count, int seed) {
  std::vector<float> elements(count);
  for (size_t i = 0; i < count; ++i)
    elements[i] = static_cast<float>((static_cast<int>(i) * 37 + seed * 11) % 29 - 14) / 7.0f;
  return elements;
}

/// A model of the operators' domain, to which both sides of a comparison add their nodes.
struct Model : OnnxModel {
  Model() : OnnxModel(23) { add_opset("com.microsoft", 1); }

  NodeProto* contrib(const std::string& op, const std::vector<std::string>& inputs,
                     const std::vector<std::string>& outputs) {
    NodeProto* node = add_node(op, inputs, outputs, op);
    node->set_domain("com.microsoft");
    return node;
  }
  /// Floats of @p dims made from @p seed.
  void reals(const std::string& name, const ir::Dims& dims, int seed) {
    add_initializer(name, dims, numbers(static_cast<size_t>(ir::volume(dims)), seed));
  }
  void scalar(const std::string& name, float value) { add_initializer(name, {}, {value}); }
  void indices(const std::string& name, const std::vector<int64_t>& elements) {
    TensorProto* tensor = add_initializer(name, {std::ssize(elements)}, {});
    tensor->set_data_type(TensorProto::INT64);
    for (const int64_t element : elements) tensor->add_int64_data(element);
  }
  /// Integers of a type, counting in steps of 29 from @p first, within [low, low + span).
  void integers(const std::string& name, int type, const ir::Dims& dims, int first, int low,
                int span) {
    TensorProto* tensor = add_initializer(name, dims, {});
    tensor->set_data_type(type);
    for (int64_t i = 0; i < ir::volume(dims); ++i)
      tensor->add_int32_data(low + (first + static_cast<int>(i) * 29) % span);
  }
};

void set_text(NodeProto* node, const std::string& name, const std::string& value) {
  OnnxModel::add_attribute(node, name, AttributeProto::STRING)->set_s(value);
}

void set_real(NodeProto* node, const std::string& name, float value) {
  OnnxModel::add_attribute(node, name, AttributeProto::FLOAT)->set_f(value);
}

/// Runs @p model, whose output 0 stands for the other.
void expect_equal_outputs(const Model& model, float tolerance = 1e-5f) {
  const ir::Graph graph = import_bytes(model.bytes(), "/nonexistent").graph;
  const ref::Tensors outputs = ref::run(graph, {});
  ASSERT_EQ(outputs.size() % 2, 0u);
  for (size_t i = 0; i < outputs.size(); i += 2) {
    EXPECT_EQ(outputs[i].dims(), outputs[i + 1].dims());
    EXPECT_THAT(outputs[i].to_floats(),
                Pointwise(FloatNear(tolerance), outputs[i + 1].to_floats()));
  }
}

TEST(Contrib, FusedConvAddsAndActivates) {
  Model model;
  model.reals("x", {1, 4, 5, 5}, 1);
  model.reals("w", {4, 4, 3, 3}, 2);
  model.reals("b", {4}, 3);
  model.reals("z", {1, 4, 5, 5}, 4);
  NodeProto* fused = model.contrib("FusedConv", {"x", "w", "b", "z"}, {"y"});
  set_text(fused, "activation", "LeakyRelu");
  OnnxModel::add_attribute(fused, "activation_params", AttributeProto::FLOATS)->add_floats(0.25f);
  OnnxModel::set(fused, "pads", {1, 1, 1, 1});
  OnnxModel::set(model.add_node("Conv", {"x", "w", "b"}, {"c"}), "pads", {1, 1, 1, 1});
  model.add_node("Add", {"c", "z"}, {"s"});
  set_real(model.add_node("LeakyRelu", {"s"}, {"e"}), "alpha", 0.25f);
  for (const char* name : {"y", "e"}) model.add_output(name);
  expect_equal_outputs(model);
}

TEST(Contrib, FusedGemmActivates) {
  Model model;
  model.reals("a", {3, 4}, 1);
  model.reals("b", {5, 4}, 2);
  model.reals("c", {5}, 3);
  NodeProto* fused = model.contrib("FusedGemm", {"a", "b", "c"}, {"y"});
  set_text(fused, "activation", "Relu");
  OnnxModel::set(fused, "transB", 1);
  OnnxModel::set(model.add_node("Gemm", {"a", "b", "c"}, {"g"}), "transB", 1);
  model.add_node("Relu", {"g"}, {"e"});
  for (const char* name : {"y", "e"}) model.add_output(name);
  expect_equal_outputs(model);
}

TEST(Contrib, AParameterOfAnActivationThatIsNotGivenKeepsItsDefault) {
  Model model;
  model.reals("a", {3, 4}, 1);
  model.reals("b", {4, 5}, 2);
  NodeProto* fused = model.contrib("FusedGemm", {"a", "b"}, {"y"});
  set_text(fused, "activation", "HardSigmoid");
  set_real(fused, "activation_beta", 0.3f);
  model.add_node("MatMul", {"a", "b"}, {"g"});
  set_real(model.add_node("HardSigmoid", {"g"}, {"e"}), "beta", 0.3f);
  for (const char* name : {"y", "e"}) model.add_output(name);
  expect_equal_outputs(model);
}

TEST(Contrib, AnActivationThatNobodyKnowsIsNamed) {
  Model model;
  model.reals("a", {3, 4}, 1);
  model.reals("b", {4, 4}, 2);
  set_text(model.contrib("FusedGemm", {"a", "b"}, {"y"}), "activation", "Wobble");
  model.add_output("y");
  try {
    import_bytes(model.bytes(), "/nonexistent");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(),
                testing::AllOf(testing::HasSubstr("Wobble"), testing::HasSubstr("FusedGemm")));
  }
}

TEST(Contrib, SkipLayerNormalizationsNormalizeTheSumAndGiveIt) {
  Model model;
  model.reals("x", {2, 3, 8}, 1);
  model.reals("skip", {2, 3, 8}, 2);
  for (const char* name : {"gamma", "beta", "bias"}) model.reals(name, {8}, name[0]);
  const std::vector<std::string> inputs = {"x", "skip", "gamma", "beta", "bias"};
  set_real(model.contrib("SkipLayerNormalization", inputs, {"y", "", "", "sum"}), "epsilon", 1e-5f);
  model.add_node("Add", {"x", "skip"}, {"s"});
  model.add_node("Add", {"s", "bias"}, {"t"});
  model.add_node("LayerNormalization", {"t", "gamma", "beta"}, {"e"});
  NodeProto* simple =
      model.contrib("SkipSimplifiedLayerNormalization", {"x", "skip", "gamma"}, {"ys"});
  set_real(simple, "epsilon", 1e-5f);
  model.add_node("RMSNormalization", {"s", "gamma"}, {"es"});
  model.add_node("SimplifiedLayerNormalization", {"s", "gamma"}, {"ys2"});
  model.add_node("Identity", {"es"}, {"es2"});
  for (const char* name : {"y", "e", "sum", "t", "ys", "es", "ys2", "es2"}) model.add_output(name);
  expect_equal_outputs(model);
}

TEST(Contrib, EmbedLayerNormalizationSumsThreeTables) {
  Model model;
  model.integers("ids", TensorProto::INT32, {2, 3}, 1, 0, 9);
  model.integers("segments", TensorProto::INT32, {2, 3}, 0, 0, 2);
  model.integers("mask", TensorProto::INT32, {2, 3}, 0, 0, 2);
  model.reals("words", {9, 8}, 1);
  model.reals("places", {5, 8}, 2);
  model.reals("kinds", {2, 8}, 3);
  for (const char* name : {"gamma", "beta"}) model.reals(name, {8}, name[0]);
  NodeProto* embed = model.contrib(
      "EmbedLayerNormalization",
      {"ids", "segments", "words", "places", "kinds", "gamma", "beta", "mask"}, {"y", "seen"});
  set_real(embed, "epsilon", 1e-5f);
  model.indices("first", {0, 1, 2});
  model.indices("one", {1});
  model.add_node("Gather", {"words", "ids"}, {"a"});
  model.add_node("Gather", {"places", "first"}, {"b"});
  model.add_node("Gather", {"kinds", "segments"}, {"c"});
  model.add_node("Add", {"a", "b"}, {"ab"});
  model.add_node("Add", {"ab", "c"}, {"abc"});
  model.add_node("LayerNormalization", {"abc", "gamma", "beta"}, {"e"});
  NodeProto* count = model.add_node("ReduceSum", {"mask", "one"}, {"count"});
  OnnxModel::set(count, "keepdims", int64_t{0});
  for (const char* name : {"y", "e", "seen", "count"}) model.add_output(name);
  expect_equal_outputs(model);
}

/// What both kinds of attention get: 2 sequences of 5 with 2 heads of 4.
Model attentive() {
  Model model;
  model.reals("x", {2, 5, 8}, 1);
  model.reals("w", {8, 24}, 2);
  model.reals("bias", {24}, 3);
  model.add_node("MatMul", {"x", "w"}, {"m"});
  model.add_node("Add", {"m", "bias"}, {"all"});
  OnnxModel::set(model.add_node("Split", {"all"}, {"q", "k", "v"}), "axis", 2);
  OnnxModel::set(model.graph()->mutable_node(model.graph()->node_size() - 1), "num_outputs", 3);
  return model;
}

void add_standard(Model& model, const std::string& mask, const std::string& output, bool causal) {
  NodeProto* node = model.add_node("Attention", {"q", "k", "v", mask}, {output});
  for (const char* name : {"q_num_heads", "kv_num_heads"}) OnnxModel::set(node, name, 2);
  if (causal) OnnxModel::set(node, "is_causal", 1);
}

TEST(Contrib, AttentionTakesLengthsMasksAndDirections) {
  Model model = attentive();
  TensorProto* lengths = model.add_initializer("lengths", {2}, {});
  lengths->set_data_type(TensorProto::INT32);
  TensorProto* raw = model.add_initializer("raw", {2, 5}, {});
  raw->set_data_type(TensorProto::INT32);
  TensorProto* seen = model.add_initializer("seen", {2, 1, 1, 5}, {});
  seen->set_data_type(TensorProto::BOOL);
  for (const int length : {3, 5}) {
    lengths->add_int32_data(length);
    for (int i = 0; i < 5; ++i) {
      raw->add_int32_data(i < length);
      seen->add_int32_data(i < length);
    }
  }
  const auto contrib = [&](const std::string& mask, const std::string& output) {
    NodeProto* node = model.contrib("Attention", {"x", "w", "bias", mask}, {output});
    OnnxModel::set(node, "num_heads", 2);
    return node;
  };
  contrib("", "plain");
  add_standard(model, "", "plain_standard", false);
  OnnxModel::set(contrib("", "causal"), "unidirectional", 1);
  add_standard(model, "", "causal_standard", true);
  contrib("lengths", "by_lengths");
  add_standard(model, "seen", "by_lengths_standard", false);
  contrib("raw", "by_mask");
  model.add_node("Identity", {"by_lengths_standard"}, {"by_mask_standard"});
  NodeProto* multi = model.contrib("MultiHeadAttention", {"q", "k", "v"}, {"multi"});
  OnnxModel::set(multi, "num_heads", 2);
  model.add_node("Identity", {"plain_standard"}, {"multi_standard"});
  for (const char* name : {"plain", "causal", "by_lengths", "by_mask", "multi"}) {
    model.add_output(name);
    model.add_output(std::string(name) + "_standard");
  }
  expect_equal_outputs(model);
}

/// Two matrices of bytes with what turns them into real numbers, "a_real" and "b_real".
Model integral() {
  Model model;
  model.integers("a", TensorProto::UINT8, {3, 8}, 5, 0, 256);
  model.integers("b", TensorProto::INT8, {8, 4}, 9, -64, 128);
  model.integers("a_zero", TensorProto::UINT8, {}, 120, 0, 256);
  model.integers("b_zero", TensorProto::INT8, {}, 64, -64, 128);
  model.integers("y_zero", TensorProto::UINT8, {}, 100, 0, 256);
  model.scalar("a_scale", 0.02f);
  model.scalar("b_scale", 0.03f);
  model.scalar("y_scale", 0.3f);
  model.reals("bias", {4}, 4);
  model.add_node("DequantizeLinear", {"a", "a_scale", "a_zero"}, {"a_real"});
  model.add_node("DequantizeLinear", {"b", "b_scale", "b_zero"}, {"b_real"});
  return model;
}

TEST(Contrib, IntegerProductsGiveRealNumbers) {
  Model model = integral();
  model.contrib("MatMulIntegerToFloat",
                {"a", "b", "a_scale", "b_scale", "a_zero", "b_zero", "bias"}, {"y"});
  model.add_node("MatMul", {"a_real", "b_real"}, {"m"});
  model.add_node("Add", {"m", "bias"}, {"e"});
  model.reals("x", {3, 8}, 6);
  model.contrib("DynamicQuantizeMatMul", {"x", "b", "b_scale", "b_zero", "bias"}, {"yd"});
  model.add_node("DynamicQuantizeLinear", {"x"}, {"xq", "xs", "xz"});
  model.add_node("DequantizeLinear", {"xq", "xs", "xz"}, {"xr"});
  model.add_node("MatMul", {"xr", "b_real"}, {"md"});
  model.add_node("Add", {"md", "bias"}, {"ed"});
  for (const char* name : {"y", "e", "yd", "ed"}) model.add_output(name);
  expect_equal_outputs(model, 1e-4f);
}

TEST(Contrib, QuantizedLayersRoundOnce) {
  Model model = integral();
  model.contrib("QGemm",
                {"a", "a_scale", "a_zero", "b", "b_scale", "b_zero", "", "y_scale", "y_zero"},
                {"y"});
  model.add_node("MatMul", {"a_real", "b_real"}, {"m"});
  model.add_node("QuantizeLinear", {"m", "y_scale", "y_zero"}, {"e"});
  OnnxModel::set(
      model.contrib("QLinearSoftmax", {"a", "a_scale", "a_zero", "b_scale", "a_zero"}, {"ys"}),
      "opset", 13);
  model.add_node("Softmax", {"a_real"}, {"s"});
  model.add_node("QuantizeLinear", {"s", "b_scale", "a_zero"}, {"es"});
  model.integers("image", TensorProto::UINT8, {1, 2, 4, 4}, 5, 0, 256);
  NodeProto* pool = model.contrib("QLinearAveragePool",
                                  {"image", "a_scale", "a_zero", "b_scale", "y_zero"}, {"yp"});
  model.add_node("DequantizeLinear", {"image", "a_scale", "a_zero"}, {"real"});
  NodeProto* real = model.add_node("AveragePool", {"real"}, {"p"});
  for (NodeProto* node : {pool, real}) OnnxModel::set(node, "kernel_shape", {2, 2});
  model.add_node("QuantizeLinear", {"p", "b_scale", "y_zero"}, {"ep"});
  for (const char* name : {"y", "e", "ys", "es", "yp", "ep"}) model.add_output(name);
  expect_equal_outputs(model, 0);
}

/// Whether the layers that @p op becomes stay in FP32 whatever the build allows, for zero points of
/// its second operand and its result.
bool holds_integers(const std::string& op, int b_zero, int y_zero) {
  Model model;
  for (const char* name : {"a", "b"}) model.integers(name, TensorProto::INT8, {2, 6}, 5, -64, 128);
  model.integers("a_zero", TensorProto::INT8, {}, 0, 0, 1);
  model.integers("b_zero", TensorProto::INT8, {}, 0, b_zero, 1);
  model.integers("y_zero", TensorProto::INT8, {}, 0, y_zero, 1);
  model.scalar("scale", 0.02f);
  std::vector<std::string> inputs = {"a", "scale", "a_zero", "b", "scale", "b_zero"};
  if (op == "QLinearSigmoid") inputs.resize(3);
  const bool result_leads = op == "QLinearConcat";
  const std::vector<std::string> result = {"scale", "y_zero"};
  inputs.insert(result_leads ? inputs.begin() : inputs.end(), result.begin(), result.end());
  NodeProto* node = model.contrib(op, inputs, {"y"});
  if (result_leads) OnnxModel::set(node, "axis", int64_t{1});
  model.add_output("y");
  const ir::Graph graph = import_bytes(model.bytes(), "/nonexistent").graph;
  return graph.nodes.back().precision == ir::DataType::Float32;
}

TEST(Contrib, AZeroPointAnywhereHoldsTheIntegers) {
  for (const char* op : {"QLinearAdd", "QLinearMul", "QLinearConcat"}) {
    EXPECT_FALSE(holds_integers(op, 0, 0)) << op;
    EXPECT_TRUE(holds_integers(op, 3, 0)) << op;
    EXPECT_TRUE(holds_integers(op, 0, 3)) << op;
  }
  EXPECT_FALSE(holds_integers("QLinearSigmoid", 0, 0));
  EXPECT_TRUE(holds_integers("QLinearSigmoid", 0, -128));
}

/// Counts the 1-grams 1 and 2 for results 0 and 3 of a row of words; none of the longer ones.
NodeProto* add_vectorizer(Model& model, size_t lengths) {
  model.indices("words", {1, 2, 2, 5});
  NodeProto* node = model.add_node("TfIdfVectorizer", {"words"}, {"y"});
  for (const char* name : {"min_gram_length", "max_gram_length"}) OnnxModel::set(node, name, 1);
  OnnxModel::set(node, "max_skip_count", 0);
  std::vector<int64_t> counts(lengths, 2);
  counts[0] = 0;
  OnnxModel::set(node, "ngram_counts", counts);
  OnnxModel::set(node, "pool_int64s", {1, 2});
  OnnxModel::set(node, "ngram_indexes", {0, 3});
  set_text(node, "mode", "TFIDF");
  AttributeProto* weights = OnnxModel::add_attribute(node, "weights", AttributeProto::FLOATS);
  for (const float weight : {10.0f, 0.5f}) weights->add_floats(weight);
  model.add_output("y");
  return node;
}

TEST(TfIdfVectorizer, AWeightBelongsToItsRunOfWords) {
  Model model;
  add_vectorizer(model, 2);
  const ir::Graph graph = import_bytes(model.bytes(), "/nonexistent").graph;
  EXPECT_EQ(ref::run(graph, {})[0].to_floats(), (std::vector<float>{10, 0, 0, 1}));
}

TEST(TfIdfVectorizer, RunsOfTooManyWordsAreRefusedBeforeTheyTakeMemory) {
  Model model;
  add_vectorizer(model, 100000);
  try {
    import_bytes(model.bytes(), "/nonexistent");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("ngram_counts has 100000 entries"));
  }
}

}  // namespace
}  // namespace dlaexec::onnx
