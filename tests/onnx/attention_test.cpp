// The kinds of attention and rotary embedding against the standard ones that they stand for.
#include "onnx/contrib_model.h"

namespace dlaexec::onnx {
namespace {

using Model = ContribModel;

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

/// ai.onnx's Attention of 2 heads.
NodeProto* add_standard(Model& model, const std::vector<std::string>& inputs,
                        const std::vector<std::string>& outputs) {
  NodeProto* node = model.add_node("Attention", inputs, outputs);
  for (const char* name : {"q_num_heads", "kv_num_heads"}) OnnxModel::set(node, name, 2);
  return node;
}

/// com.microsoft's @p op of 2 heads.
NodeProto* add_contrib(Model& model, const std::string& op, const std::vector<std::string>& inputs,
                       const std::vector<std::string>& outputs) {
  NodeProto* node = model.contrib(op, inputs, outputs);
  OnnxModel::set(node, "num_heads", 2);
  return node;
}

/// Outputs in pairs, the second of which is called as the first and "_standard".
void add_pairs(Model& model, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    model.add_output(name);
    model.add_output(name + "_standard");
  }
}

void add_integers(Model& model, const std::string& name, int type, const ir::Dims& dims,
                  const std::vector<int>& elements) {
  TensorProto* tensor = model.add_initializer(name, dims, {});
  tensor->set_data_type(type);
  for (const int element : elements) tensor->add_int32_data(element);
}

TEST(Attention, TakesLengthsMasksAndDirections) {
  Model model = attentive();
  add_integers(model, "lengths", TensorProto::INT32, {2}, {3, 5});
  add_integers(model, "ends_and_starts", TensorProto::INT32, {4}, {4, 5, 1, 0});
  const std::vector<int> seen = {1, 1, 1, 0, 0, 1, 1, 1, 1, 1};
  add_integers(model, "raw", TensorProto::INT32, {2, 5}, seen);
  add_integers(model, "seen", TensorProto::BOOL, {2, 1, 1, 5}, seen);
  add_integers(model, "inside", TensorProto::BOOL, {2, 1, 1, 5}, {0, 1, 1, 1, 0, 1, 1, 1, 1, 1});
  const auto contrib = [&](const std::string& mask, const std::string& output) {
    return add_contrib(model, "Attention", {"x", "w", "bias", mask}, {output});
  };
  contrib("", "plain");
  add_standard(model, {"q", "k", "v"}, {"plain_standard"});
  OnnxModel::set(contrib("", "causal"), "unidirectional", 1);
  OnnxModel::set(add_standard(model, {"q", "k", "v"}, {"causal_standard"}), "is_causal", 1);
  contrib("lengths", "by_lengths");
  add_standard(model, {"q", "k", "v", "seen"}, {"by_lengths_standard"});
  contrib("raw", "by_mask");
  model.add_node("Identity", {"by_lengths_standard"}, {"by_mask_standard"});
  contrib("ends_and_starts", "by_places");
  add_standard(model, {"q", "k", "v", "inside"}, {"by_places_standard"});
  add_contrib(model, "MultiHeadAttention", {"q", "k", "v"}, {"multi"});
  model.add_node("Identity", {"plain_standard"}, {"multi_standard"});
  add_pairs(model, {"plain", "causal", "by_lengths", "by_mask", "by_places", "multi"});
  expect_equal_outputs(model);
}

TEST(Attention, GoesOnBehindPastKeysAndValues) {
  Model model = attentive();
  model.reals("past", {2, 2, 2, 3, 4}, 4);  // keys and values, batch, heads, length, size
  model.reals("added", {1, 2, 5, 8}, 5);
  for (const int64_t half : {0, 1}) {
    const std::string name = half == 0 ? "past_k" : "past_v";
    add_integers(model, name + "_index", TensorProto::INT32, {}, {static_cast<int>(half)});
    OnnxModel::set(model.add_node("Gather", {"past", name + "_index"}, {name}), "axis", int64_t{0});
  }
  const auto causal = [](NodeProto* node) { OnnxModel::set(node, "unidirectional", 1); };
  causal(
      add_contrib(model, "Attention", {"x", "w", "bias", "", "past", "added"}, {"y", "present"}));
  OnnxModel::set(add_standard(model, {"q", "k", "v", "added", "past_k", "past_v"},
                              {"y_standard", "k_standard", "v_standard"}),
                 "is_causal", 1);
  model.indices("first", {0});
  for (const char* name : {"k", "v"})
    model.add_node("Unsqueeze", {std::string(name) + "_standard", "first"},
                   {std::string(name) + "_pair"});
  OnnxModel::set(model.add_node("Concat", {"k_pair", "v_pair"}, {"present_standard"}), "axis",
                 int64_t{0});
  causal(add_contrib(model, "MultiHeadAttention",
                     {"q", "k", "v", "", "", "added", "past_k", "past_v"}, {"multi", "k2", "v2"}));
  model.add_node("Identity", {"y_standard"}, {"multi_standard"});
  model.add_node("Identity", {"k_standard"}, {"k2_standard"});
  model.add_node("Identity", {"v_standard"}, {"v2_standard"});
  add_pairs(model, {"y", "present", "multi", "k2", "v2"});
  expect_equal_outputs(model);
}

TEST(Attention, OfManyHeadsTakesOperandsHoweverTheyArePacked) {
  Model model = attentive();
  model.add_node("MatMul", {"x", "w"}, {"without_bias"});
  NodeProto* split = model.add_node("Split", {"without_bias"}, {"q0", "k0", "v0"});
  OnnxModel::set(split, "axis", 2);
  OnnxModel::set(split, "num_outputs", 3);
  model.indices("apart", {2, 5, 3, 2, 4});
  model.add_node("Reshape", {"all", "apart"}, {"parts"});  // [batch, length, parts, heads, size]
  OnnxModel::set(model.add_node("Transpose", {"parts"}, {"packed"}), "perm", {0, 1, 3, 2, 4});
  model.indices("one", {1});
  model.indices("three", {3});
  model.add_node("Slice", {"packed", "one", "three", "three"}, {"packed_kv"});
  add_contrib(model, "MultiHeadAttention", {"q0", "k0", "v0", "bias"}, {"biased"});
  add_contrib(model, "MultiHeadAttention", {"packed"}, {"packed_all"});
  add_contrib(model, "MultiHeadAttention", {"q", "packed_kv"}, {"packed_two"});
  add_standard(model, {"q", "k", "v"}, {"biased_standard"});
  for (const char* name : {"packed_all", "packed_two"})
    model.add_node("Identity", {"biased_standard"}, {std::string(name) + "_standard"});
  add_pairs(model, {"biased", "packed_all", "packed_two"});
  expect_equal_outputs(model);
}

TEST(Attention, OfIntegersIsThatOfTheRealNumbersTheyStandFor) {
  Model model;
  model.integers("x", TensorProto::UINT8, {2, 5, 8}, 5, 0, 256);
  model.integers("w", TensorProto::INT8, {8, 24}, 9, -64, 128);
  model.integers("x_zero", TensorProto::UINT8, {}, 120, 0, 256);
  model.integers("w_zero", TensorProto::INT8, {}, 64, -64, 128);
  model.scalar("x_scale", 0.02f);
  model.scalar("w_scale", 0.01f);
  model.reals("bias", {24}, 3);
  add_contrib(model, "QAttention", {"x", "w", "bias", "x_scale", "w_scale", "", "x_zero", "w_zero"},
              {"y"});
  model.add_node("DequantizeLinear", {"x", "x_scale", "x_zero"}, {"x_real"});
  model.add_node("DequantizeLinear", {"w", "w_scale", "w_zero"}, {"w_real"});
  add_contrib(model, "Attention", {"x_real", "w_real", "bias"}, {"y_standard"});
  add_pairs(model, {"y"});
  expect_equal_outputs(model);
}

/// Tables of 16 places for heads of 8 elements.
void add_tables(Model& model) {
  model.reals("cosines", {16, 4}, 6);
  model.reals("sines", {16, 4}, 7);
}

TEST(RotaryEmbedding, CountsPlacesFromAnOffset) {
  Model model;
  add_tables(model);
  model.reals("x", {2, 3, 16}, 1);
  model.indices("offset", {5});
  add_integers(model, "places", TensorProto::INT32, {2, 3}, {5, 6, 7, 5, 6, 7});
  model.contrib("RotaryEmbedding", {"x", "offset", "cosines", "sines"}, {"y"});
  add_contrib(model, "RotaryEmbedding", {"x", "places", "cosines", "sines"}, {"z"});
  NodeProto* node =
      model.add_node("RotaryEmbedding", {"x", "cosines", "sines", "places"}, {"y_standard"});
  OnnxModel::set(node, "num_heads", 2);
  model.add_node("Identity", {"y_standard"}, {"z_standard"});
  add_pairs(model, {"y", "z"});
  expect_equal_outputs(model);
}

/// A decoder's step: 2 sequences, 4 heads of queries for 2 of keys, size 8.
Model step_of(int64_t length, int64_t past) {
  Model model;
  add_tables(model);
  model.reals("q", {2, length, 32}, 1);
  model.reals("k", {2, length, 16}, 2);
  model.reals("v", {2, length, 16}, 3);
  model.reals("past_k", {2, 2, past, 8}, 4);
  model.reals("past_v", {2, 2, past, 8}, 5);
  add_integers(model, "total", TensorProto::INT32, {}, {static_cast<int>(past + length)});
  return model;
}

NodeProto* add_grouped(Model& model, const std::vector<std::string>& outputs) {
  NodeProto* node = model.contrib(
      "GroupQueryAttention",
      {"q", "k", "v", "past_k", "past_v", "last", "total", "cosines", "sines"}, outputs);
  OnnxModel::set(node, "num_heads", 4);
  OnnxModel::set(node, "kv_num_heads", 2);
  OnnxModel::set(node, "do_rotary", 1);
  return node;
}

/// The same by ai.onnx's operators for sequences of one length.
void add_grouped_standard(Model& model) {
  for (const auto& [name, heads] : {std::pair("q", 4), std::pair("k", 2)}) {
    NodeProto* node = model.add_node("RotaryEmbedding", {name, "cosines", "sines", "places"},
                                     {std::string(name) + "_turned"});
    OnnxModel::set(node, "num_heads", heads);
  }
  NodeProto* node =
      model.add_node("Attention", {"q_turned", "k_turned", "v", "", "past_k", "past_v"},
                     {"y_standard", "k_out_standard", "v_out_standard"});
  OnnxModel::set(node, "q_num_heads", 4);
  OnnxModel::set(node, "kv_num_heads", 2);
  OnnxModel::set(node, "is_causal", 1);
}

TEST(GroupQueryAttention, SharesKeysAndGoesOnBehindThePast) {
  for (const int past : {0, 3}) {
    Model model = step_of(2, past);
    add_integers(model, "last", TensorProto::INT32, {2}, {past + 1, past + 1});
    add_integers(model, "places", TensorProto::INT32, {2, 2}, {past, past + 1, past, past + 1});
    add_grouped(model, {"y", "k_out", "v_out"});
    add_grouped_standard(model);
    add_pairs(model, {"y", "k_out", "v_out"});
    expect_equal_outputs(model);
  }
}

TEST(GroupQueryAttention, TakesALengthThatOnlyDataTells) {
  Model model = step_of(1, 3);
  model.graph()->mutable_initializer()->RemoveLast();  // total, an input now
  model.add_input("total", {}, TensorProto::INT32);
  auto* total = model.graph()->mutable_input(0)->mutable_type()->mutable_tensor_type();
  total->mutable_shape();  // a scalar
  model.add_input("last", {"2"}, TensorProto::INT32);
  add_grouped(model, {"y", "k_out"});
  for (const char* name : {"y", "k_out"}) model.add_output(name);
  const ir::Graph graph = import_bytes(model.bytes(), "/nonexistent").graph;
  const auto dims = [&](size_t output) { return graph.value(graph.outputs[output]).shape; };
  EXPECT_EQ(dims(0), (ir::Shape{2, 1, 32}));
  ASSERT_EQ(dims(1).size(), 4u);
  EXPECT_FALSE(dims(1)[2].is_known());
  EXPECT_EQ(dims(1)[3], ir::Dim(8));
}

TEST(GroupQueryAttention, SeesNoMoreThanItsWindow) {
  Model model = step_of(1, 4);
  add_integers(model, "last", TensorProto::INT32, {2}, {4, 4});
  add_integers(model, "places", TensorProto::INT32, {2, 1}, {4, 4});
  OnnxModel::set(add_grouped(model, {"y"}), "local_window_size", 3);
  add_grouped_standard(model);
  add_integers(model, "inside", TensorProto::BOOL, {1, 5}, {0, 0, 1, 1, 1});
  model.graph()->mutable_node(model.graph()->node_size() - 1)->set_input(3, "inside");
  add_pairs(model, {"y"});
  expect_equal_outputs(model);
}

// Keys of the shorter sequence come where its own past ends, not behind the buffer.
TEST(GroupQueryAttention, KeepsSequencesOfDifferentLengths) {
  Model model = step_of(1, 3);
  add_integers(model, "last", TensorProto::INT32, {2}, {3, 1});
  add_integers(model, "places", TensorProto::INT32, {2, 1}, {3, 1});
  add_grouped(model, {"y", "k_out"});
  add_grouped_standard(model);
  NodeProto* standard = model.graph()->mutable_node(model.graph()->node_size() - 1);
  add_integers(model, "mask", TensorProto::BOOL, {2, 1, 1, 4}, {1, 1, 1, 1, 1, 0, 0, 1});
  standard->set_input(3, "mask");
  model.add_output("y");
  model.add_output("y_standard");
  const ir::Graph graph = import_bytes(model.bytes(), "/nonexistent").graph;
  const ref::Tensors outputs = ref::run(graph, {});
  EXPECT_THAT(outputs[0].to_floats(),
              testing::Pointwise(testing::FloatNear(1e-5f), outputs[1].to_floats()));
}

}  // namespace
}  // namespace dlaexec::onnx
