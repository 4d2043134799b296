// Sequences of tensors, which imports resolve.
#include "onnx/contrib_model.h"

namespace dlaexec::onnx {
namespace {

using Model = ContribModel;

std::string error_of(const Model& model) {
  try {
    import_bytes(model.bytes(), "/nonexistent");
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(Sequence, PartsOfASplitAreTakenAndJoined) {
  Model model;
  model.reals("x", {2, 7, 3}, 1);
  model.add_initializer("three", {}, {})->set_data_type(TensorProto::INT64);
  model.graph()->mutable_initializer(1)->add_int64_data(3);
  model.indices("last", {-1});
  model.indices("rest", {6});
  model.indices("end", {7});
  model.indices("axis", {1});
  OnnxModel::set(model.add_node("SplitToSequence", {"x", "three"}, {"parts"}), "axis", 1);
  model.add_node("SequenceAt", {"parts", "last"}, {"y"});
  model.add_node("Slice", {"x", "rest", "end", "axis"}, {"y_standard"});
  OnnxModel::set(model.add_node("ConcatFromSequence", {"parts"}, {"z"}), "axis", 1);
  model.add_node("Identity", {"x"}, {"z_standard"});
  for (const char* name : {"y", "y_standard", "z", "z_standard"}) model.add_output(name);
  expect_equal_outputs(model);
}

TEST(Sequence, GrowsAndShrinksAndIsStacked) {
  Model model;
  for (const char* name : {"a", "b", "c"}) model.reals(name, {2, 3}, name[0]);
  model.indices("first", {0});
  model.add_node("SequenceEmpty", {}, {"none"});
  model.add_node("SequenceInsert", {"none", "b"}, {"one"});
  model.add_node("SequenceInsert", {"one", "a", "first"}, {"two"});
  model.add_node("SequenceInsert", {"two", "c"}, {"three"});
  model.add_node("SequenceErase", {"three"}, {"pair"});
  NodeProto* stack = model.add_node("ConcatFromSequence", {"pair"}, {"y"});
  OnnxModel::set(stack, "axis", int64_t{0});
  OnnxModel::set(stack, "new_axis", 1);
  model.add_node("SequenceLength", {"three"}, {"z"});
  for (const char* name : {"a", "b"})
    model.add_node("Unsqueeze", {name, "first"}, {std::string(name) + "_row"});
  OnnxModel::set(model.add_node("Concat", {"a_row", "b_row"}, {"y_standard"}), "axis", int64_t{0});
  model.add_node("SequenceConstruct", {"a", "b", "c"}, {"again"});
  model.add_node("SequenceLength", {"again"}, {"z_standard"});
  for (const char* name : {"y", "y_standard", "z", "z_standard"}) model.add_output(name);
  expect_equal_outputs(model);
}

TEST(Sequence, IsNoTensor) {
  Model model;
  model.reals("a", {2, 3}, 1);
  model.add_node("SequenceConstruct", {"a"}, {"sequence"}, "gather_up");
  model.add_node("Relu", {"sequence"}, {"y"}, "activate");
  model.add_output("y");
  EXPECT_THAT(error_of(model), testing::HasSubstr("'sequence' is a sequence; a tensor is needed"));
  EXPECT_THAT(error_of(model), testing::HasSubstr("activate"));
}

TEST(Sequence, AnOutputThatIsOneIsRefused) {
  Model model;
  model.reals("a", {2, 3}, 1);
  model.add_node("SequenceConstruct", {"a"}, {"sequence"});
  model.add_output("sequence");
  EXPECT_THAT(error_of(model), testing::HasSubstr("a tensor is needed"));
}

TEST(Sequence, MorePartsThanAnybodyNeedsAreRefused) {
  Model model;
  model.add_input("x", {"9223372036854775807"});
  model.add_initializer("two", {}, {})->set_data_type(TensorProto::INT64);
  model.graph()->mutable_initializer(0)->add_int64_data(2);
  model.add_node("SplitToSequence", {"x", "two"}, {"parts"}, "cut");
  model.add_node("SequenceLength", {"parts"}, {"y"});
  model.add_output("y");
  EXPECT_THAT(error_of(model), testing::HasSubstr("in parts of 2 is not supported"));
}

TEST(Sequence, APositionOutsideIsNamed) {
  Model model;
  model.reals("a", {2, 3}, 1);
  model.indices("third", {2});
  model.add_node("SequenceConstruct", {"a", "a"}, {"sequence"});
  model.add_node("SequenceAt", {"sequence", "third"}, {"y"}, "take");
  model.add_output("y");
  EXPECT_THAT(error_of(model), testing::HasSubstr("position 2 is outside a sequence of 2"));
}

}  // namespace
}  // namespace dlaexec::onnx
