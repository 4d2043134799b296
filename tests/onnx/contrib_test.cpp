// com.microsoft's operators against the standard ones that they stand for.
#include "onnx/contrib_model.h"

namespace dlaexec::onnx {
namespace {

using Model = ContribModel;

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

TEST(Contrib, WhereChoosesBetweenIntegersOfDifferentScales) {
  Model model = integral();
  model.integers("choice", TensorProto::BOOL, {3, 8}, 0, 0, 2);
  model.integers("other", TensorProto::UINT8, {3, 8}, 50, 0, 256);
  model.contrib(
      "QLinearWhere",
      {"choice", "a", "a_scale", "a_zero", "other", "b_scale", "a_zero", "y_scale", "y_zero"},
      {"y"});
  model.add_node("DequantizeLinear", {"other", "b_scale", "a_zero"}, {"other_real"});
  model.add_node("Where", {"choice", "a_real", "other_real"}, {"chosen"});
  model.add_node("QuantizeLinear", {"chosen", "y_scale", "y_zero"}, {"e"});
  for (const char* name : {"y", "e"}) model.add_output(name);
  expect_equal_outputs(model, 0);
}

/// Weights of @p bits in @p bytes, and what they are one by one: [columns, depth] u8 as "whole".
void add_packed(Model& model, int bits, int64_t columns, int64_t depth) {
  const int64_t bytes = columns * depth * bits / 8;
  model.integers("packed", TensorProto::UINT8, {columns, depth / 16, 16 * bits / 8}, 3, 0, 256);
  const TensorProto packed = model.graph()->initializer(model.graph()->initializer_size() - 1);
  TensorProto* whole = model.add_initializer("whole", {columns, depth}, {});
  whole->set_data_type(TensorProto::UINT8);
  for (int i = 0; i < bytes; ++i)
    for (int shift = 0; shift < 8; shift += bits)
      whole->add_int32_data((packed.int32_data(i) >> shift) & ((1 << bits) - 1));
}

TEST(Contrib, WeightsOfFewBitsHaveAScaleForEachBlock) {
  for (const int bits : {2, 4, 8}) {
    Model model;
    model.reals("x", {3, 64}, 1);
    model.reals("scales", {5, 4}, 2);
    model.reals("bias", {5}, 3);
    add_packed(model, bits, 5, 64);
    model.integers("zero", TensorProto::UINT8, {5, 4}, 1 << (bits - 1), 1 << (bits - 1), 1);
    NodeProto* node =
        model.contrib("MatMulNBits", {"x", "packed", "scales", "", "", "bias"}, {"y"});
    OnnxModel::set(node, "N", 5);
    OnnxModel::set(node, "K", 64);
    OnnxModel::set(node, "bits", bits);
    OnnxModel::set(node, "block_size", 16);
    NodeProto* real = model.add_node("DequantizeLinear", {"whole", "scales", "zero"}, {"real"});
    OnnxModel::set(real, "block_size", 16);
    OnnxModel::set(real, "axis", 1);
    model.add_node("Transpose", {"real"}, {"turned"});
    model.add_node("MatMul", {"x", "turned"}, {"product"});
    model.add_node("Add", {"product", "bias"}, {"e"});
    for (const char* name : {"y", "e"}) model.add_output(name);
    expect_equal_outputs(model, 1e-3f);
  }
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

// The schemas give operands and result one type T; the zero points are optional.
TEST(Contrib, AResultWithoutAZeroPointHasTheTypeOfItsOperands) {
  for (const int type : {TensorProto::INT8, TensorProto::UINT8}) {
    Model model;
    for (const char* name : {"a", "b"}) model.integers(name, type, {1, 1, 2, 3}, 5, 0, 100);
    model.integers("zero", type, {}, 0, 0, 1);
    model.scalar("scale", 0.02f);
    const std::vector<std::string> one = {"a", "scale", "zero", "scale"};
    const std::vector<std::string> two = {"a", "scale", "zero", "b", "scale", "zero", "scale"};
    for (const char* op : {"QLinearAdd", "QLinearMul"}) model.contrib(op, two, {op});
    for (const char* op : {"QLinearSigmoid", "QLinearLeakyRelu", "QLinearSoftmax"})
      model.contrib(op, one, {op});
    NodeProto* pool = model.contrib("QLinearAveragePool", one, {"QLinearAveragePool"});
    OnnxModel::set(pool, "kernel_shape", {2, 2});
    for (const NodeProto& node : model.graph()->node()) model.add_output(node.output(0));
    const ir::Graph graph = import_bytes(model.bytes(), "/nonexistent").graph;
    const ir::DataType expected =
        type == TensorProto::INT8 ? ir::DataType::Int8 : ir::DataType::UInt8;
    for (const ir::ValueId output : graph.outputs)
      EXPECT_EQ(graph.value(output).type, expected) << graph.value(output).name;
  }
}

TEST(Contrib, AnLstmOfIntegersHasTheWeightsThatTheyStandFor) {
  Model model;
  model.reals("x", {4, 2, 3}, 1);
  model.reals("bias", {2, 40}, 2);
  model.integers("w", TensorProto::INT8, {2, 3, 20}, 5, -64, 128);
  model.integers("r", TensorProto::INT8, {2, 5, 20}, 9, -64, 128);
  model.integers("zero", TensorProto::INT8, {2}, 3, 0, 5);
  model.reals("gate_scales", {2, 20}, 3);
  model.add_initializer("scales", {2}, {0.01f, 0.02f});
  const auto with_attributes = [](NodeProto* node) {
    set_text(node, "direction", "bidirectional");
    OnnxModel::set(node, "hidden_size", 5);
  };
  with_attributes(model.contrib(
      "DynamicQuantizeLSTM",
      {"x", "w", "r", "bias", "", "", "", "", "scales", "zero", "gate_scales"}, {"y"}));
  model.indices("after", {1, 2});
  model.indices("between", {1});
  model.add_node("Cast", {"w"}, {"w_real"});
  model.add_node("Cast", {"r"}, {"r_real"});
  model.add_node("Cast", {"zero"}, {"zero_real"});
  for (NodeProto& node : *model.graph()->mutable_node())
    if (node.op_type() == "Cast") OnnxModel::set(&node, "to", TensorProto::FLOAT);
  model.add_node("Unsqueeze", {"zero_real", "after"}, {"zeros"});
  model.add_node("Unsqueeze", {"scales", "after"}, {"w_scales"});
  model.add_node("Unsqueeze", {"gate_scales", "between"}, {"r_scales"});
  model.add_node("Sub", {"w_real", "zeros"}, {"w_steps"});
  model.add_node("Mul", {"w_steps", "w_scales"}, {"w_turned"});
  model.add_node("Mul", {"r_real", "r_scales"}, {"r_turned"});
  for (const char* name : {"w", "r"})
    OnnxModel::set(model.add_node("Transpose", {std::string(name) + "_turned"},
                                  {std::string(name) + "_standard"}),
                   "perm", {0, 2, 1});
  with_attributes(model.add_node("LSTM", {"x", "w_standard", "r_standard", "bias"}, {"e"}));
  for (const char* name : {"y", "e"}) model.add_output(name);
  expect_equal_outputs(model);
}

TEST(Contrib, FusedMatMulTransposesBatchesToo) {
  Model model;
  model.reals("a", {5, 2, 3}, 1);  // [rows, batch, terms]
  model.reals("b", {4, 2, 3}, 2);  // [columns, batch, terms]
  NodeProto* fused = model.contrib("FusedMatMul", {"a", "b"}, {"y"});
  for (const char* name : {"transBatchA", "transBatchB", "transB"}) OnnxModel::set(fused, name, 1);
  set_real(fused, "alpha", 0.5f);
  OnnxModel::set(model.add_node("Transpose", {"a"}, {"left"}), "perm", {1, 0, 2});
  OnnxModel::set(model.add_node("Transpose", {"b"}, {"right"}), "perm", {1, 2, 0});
  model.add_node("MatMul", {"left", "right"}, {"product"});
  model.scalar("half", 0.5f);
  model.add_node("Mul", {"product", "half"}, {"e"});
  for (const char* name : {"y", "e"}) model.add_output(name);
  expect_equal_outputs(model);
}

// ONNX Runtime's optimizer writes it into files whose opset does not have it yet.
TEST(Contrib, LayerNormalizationIsReadFromOldOpsets) {
  OnnxModel model(14);
  model.add_initializer("x", {2, 4}, numbers(8, 1));
  for (const char* name : {"scale", "shift"}) model.add_initializer(name, {4}, numbers(4, name[1]));
  model.add_node("LayerNormalization", {"x", "scale", "shift"}, {"y"});
  model.add_output("y");
  const ir::Graph graph = import_bytes(model.bytes(), "/nonexistent").graph;
  EXPECT_EQ(graph.nodes[0].op, ir::Op::LayerNorm);
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
