#include "onnx/import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/log.h"
#include "ir/text.h"
#include "support/onnx_model.h"
#include "support/paths.h"

namespace dlaexec::onnx {
namespace {

using test::OnnxModel;
using testing::ElementsAre;
using testing::HasSubstr;

std::string failure_of(std::string_view bytes, const std::string& folder = ".") {
  try {
    import_bytes(bytes, folder);
  } catch (const Error& error) {
    return error.what();
  }
  return "no failure";
}

OnnxModel small_network() {
  OnnxModel model;
  model.add_input("x", {"N", "1", "4", "4"});
  model.add_initializer("w", {2, 1, 3, 3}, std::vector<float>(18, 0.5f));
  auto* conv = model.add_node("Conv", {"x", "w"}, {"c"}, "conv1");
  OnnxModel::set(conv, "pads", {1, 1, 1, 1});
  model.add_node("Relu", {"c"}, {"r"});
  model.add_node("GlobalAveragePool", {"r"}, {"p"}, "pool");
  auto* flatten = model.add_node("Flatten", {"p"}, {"y"}, "flat");
  OnnxModel::set(flatten, "axis", 1);
  model.add_output("y");
  return model;
}

TEST(Import, LayersAndValuesKeepTheirNamesAndShapesAreInferred) {
  const Imported imported = import_bytes(small_network().bytes(), ".");
  EXPECT_EQ(ir::print(imported.graph, ir::Constants::Hash), R"(graph @test(%x: f32[N,1,4,4]) {
  const %w = f32[2,1,3,3] splat(0.5)
  %c = conv(%x, %w) {stride=[1,1], pads=[1,1,1,1], dilation=[1,1], groups=1, residual=false, activation=none, alpha=0, beta=0} : f32[N,2,4,4] "conv1"
  %r = activation(%c) {kind=relu, alpha=0, beta=0} : f32[N,2,4,4] "node_of_r"
  %p = reduce(%r) {kind=avg, axes=[2,3], keep_dims=true} : f32[N,2,1,1] "pool"
  %y = flatten(%p) {axis=1} : f32[N,2] "flat"
  return %y
}
)");
  EXPECT_EQ(imported.facts.opsets.at("ai.onnx"), 17);
}

TEST(Import, AllUnsupportedOperatorsComeInOneMessage) {
  OnnxModel model = small_network();
  model.add_node("Zap", {"x"}, {"z1"}, "a");
  model.add_node("Zap", {"x"}, {"z2"}, "b");
  model.add_node("Boom", {"x"}, {"z3"});
  EXPECT_EQ(failure_of(model.bytes()),
            "2 of the model's operators are not supported: Boom of opset 17 (node 'node_of_z3'); "
            "Zap of opset 17 (nodes 'a', 'b')");
}

TEST(Import, FilesThatAreNoModelsSaySo) {
  EXPECT_EQ(failure_of(""), "the file is empty; an ONNX model is needed");
  EXPECT_THAT(failure_of("this is no model at all"), HasSubstr("no ONNX model"));
  const std::string whole = small_network().bytes();
  EXPECT_THAT(failure_of(whole.substr(0, whole.size() / 2)), HasSubstr("truncated"));
}

TEST(Import, GraphFlawsNameTheNode) {
  OnnxModel dangling = small_network();
  dangling.add_node("Relu", {"ghost"}, {"g"}, "lost");
  EXPECT_EQ(failure_of(dangling.bytes()),
            "node 'lost' (Relu) uses 'ghost', which is no input, no initializer and no node's "
            "output");
  OnnxModel cyclic = small_network();
  cyclic.add_node("Add", {"x", "b"}, {"a"}, "first");
  cyclic.add_node("Relu", {"a"}, {"b"}, "second");
  EXPECT_THAT(failure_of(cyclic.bytes()), HasSubstr("cycle through node 'first' (Add)"));
  OnnxModel doubled = small_network();
  doubled.add_node("Relu", {"x"}, {"c"}, "again");
  EXPECT_EQ(failure_of(doubled.bytes()),
            "nodes 'conv1' and 'again' both make 'c'; each name must be made once");
  OnnxModel unmade;
  unmade.add_input("x", {"1"});
  unmade.add_output("y");
  EXPECT_EQ(failure_of(unmade.bytes()), "nothing makes the output 'y'");
}

TEST(Import, NodesMayComeInAnyOrder) {
  OnnxModel model;
  model.add_input("x", {"2"});
  model.add_node("Relu", {"a"}, {"y"}, "last");
  model.add_node("Neg", {"x"}, {"a"}, "first");
  model.add_output("y");
  const Imported imported = import_bytes(model.bytes(), ".");
  EXPECT_EQ(imported.graph.nodes[0].name, "first");
}

TEST(Import, ShapesThatContradictNameTheNode) {
  OnnxModel model;
  model.add_input("x", {"1", "3", "8", "8"});
  model.add_initializer("w", {2, 1, 3, 3}, std::vector<float>(18, 0.5f));
  model.add_node("Conv", {"x", "w"}, {"y"}, "stem");
  model.add_output("y");
  const std::string failure = failure_of(model.bytes());
  EXPECT_THAT(failure, HasSubstr("the input has 3 channels, the weights take 1"));
  EXPECT_THAT(failure, HasSubstr("while importing node 'stem' (Conv)"));
}

TEST(Import, InitializersThatAreShortNameTheTensor) {
  OnnxModel model = small_network();
  model.add_initializer("short", {4}, {1, 2, 3});
  EXPECT_THAT(failure_of(model.bytes()),
              HasSubstr("tensor 'short' of shape 4 holds 3 elements; 4 are needed"));
}

void set_external(onnx_file::TensorProto* tensor, const std::string& location,
                  const std::string& offset) {
  tensor->clear_float_data();
  tensor->set_data_location(onnx_file::TensorProto::EXTERNAL);
  auto* place = tensor->add_external_data();
  place->set_key("location");
  place->set_value(location);
  auto* start = tensor->add_external_data();
  start->set_key("offset");
  start->set_value(offset);
}

TEST(Import, ExternalDataIsReadBesideTheModelAndNowhereElse) {
  const std::string folder = test::temporary_dir();
  std::string bytes(4 + 72, '\0');
  const float half = 0.5f;
  for (size_t i = 4; i < bytes.size(); i += 4) std::memcpy(bytes.data() + i, &half, 4);
  write_file(folder + "/weights.bin", bytes);
  const auto with = [&](const std::string& location, const std::string& offset) {
    OnnxModel model = small_network();
    set_external(model.graph()->mutable_initializer(0), location, offset);
    return model.bytes();
  };
  const Imported imported = import_bytes(with("weights.bin", "4"), folder);
  EXPECT_THAT(imported.graph.value(*imported.graph.find_value("w")).constant->to_floats(),
              testing::Each(0.5f));
  EXPECT_THAT(failure_of(with("weights.bin", "8"), folder),
              HasSubstr("has 76 bytes; tensor 'w' needs 72 from byte 8 on"));
  EXPECT_THAT(failure_of(with("../weights.bin", "0"), folder),
              HasSubstr("must lie in the model's folder"));
  EXPECT_THAT(failure_of(with("/etc/passwd", "0"), folder),
              HasSubstr("must lie in the model's folder"));
  EXPECT_THAT(failure_of(with("gone.bin", "0"), folder), HasSubstr("gone.bin"));
}

TEST(Import, TheHashCoversExternalData) {
  const std::string folder = test::temporary_dir();
  OnnxModel model = small_network();
  set_external(model.graph()->mutable_initializer(0), "weights.bin", "0");
  std::string bytes(72, '\0');
  write_file(folder + "/weights.bin", bytes);
  const std::string before = import_bytes(model.bytes(), folder).facts.hash;
  EXPECT_EQ(import_bytes(model.bytes(), folder).facts.hash, before);
  bytes[5] = 1;
  write_file(folder + "/weights.bin", bytes);
  EXPECT_NE(import_bytes(model.bytes(), folder).facts.hash, before);
}

TEST(Import, FunctionsOfTheModelArePutInPlace) {
  OnnxModel model;
  model.add_opset("mine", 1);
  auto* function = model.model().add_functions();
  function->set_name("Twice");
  function->set_domain("mine");
  function->add_input("a");
  function->add_output("b");
  function->add_attribute("slope");
  auto* opset = function->add_opset_import();
  opset->set_version(17);
  auto* leaky = OnnxModel::fill(function->add_node(), "LeakyRelu", {"a"}, {"t"}, "leaky");
  auto* alpha = OnnxModel::add_attribute(leaky, "alpha", onnx_file::AttributeProto::FLOAT);
  alpha->set_ref_attr_name("slope");
  OnnxModel::fill(function->add_node(), "Add", {"t", "t"}, {"b"}, "sum");
  model.add_input("x", {"2"});
  auto* call = model.add_node("Twice", {"x"}, {"y"}, "call");
  call->set_domain("mine");
  OnnxModel::add_attribute(call, "slope", onnx_file::AttributeProto::FLOAT)->set_f(0.25f);
  model.add_output("y");
  const Imported imported = import_bytes(model.bytes(), ".");
  ASSERT_EQ(imported.graph.nodes.size(), 2u);
  EXPECT_EQ(imported.graph.nodes[0].name, "call/leaky");
  EXPECT_EQ(imported.graph.nodes[0].get<ir::ActivationAttributes>().alpha, 0.25f);
  EXPECT_EQ(imported.graph.value(imported.graph.outputs[0]).name, "y");
}

TEST(Import, AFunctionThatCallsItselfIsRefused) {
  OnnxModel model;
  auto* function = model.model().add_functions();
  function->set_name("Again");
  function->set_domain("mine");
  function->add_input("a");
  function->add_output("b");
  OnnxModel::fill(function->add_node(), "Again", {"a"}, {"b"}, "")->set_domain("mine");
  model.add_input("x", {"2"});
  model.add_node("Again", {"x"}, {"y"})->set_domain("mine");
  model.add_output("y");
  EXPECT_THAT(failure_of(model.bytes()), HasSubstr("the function 'Again' calls itself"));
}

TEST(Import, UnknownAttributesAreReported) {
  OnnxModel model = small_network();
  OnnxModel::set(model.graph()->mutable_node(0), "wizardry", 1);
  log::Capture capture;
  import_bytes(model.bytes(), ".");
  EXPECT_THAT(capture.text(),
              HasSubstr("node 'conv1' (Conv): the attribute 'wizardry' is not known"));
}

TEST(Import, DoublesBecomeFloats) {
  OnnxModel model;
  model.add_input("x", {"2"}, onnx_file::TensorProto::DOUBLE);
  auto* tensor = model.graph()->add_initializer();
  tensor->set_name("w");
  tensor->set_data_type(onnx_file::TensorProto::DOUBLE);
  tensor->add_dims(2);
  tensor->add_double_data(0.5);
  tensor->add_double_data(-1);
  model.add_node("Add", {"x", "w"}, {"y"});
  model.add_output("y");
  const Imported imported = import_bytes(model.bytes(), ".");
  EXPECT_EQ(imported.graph.value(imported.graph.outputs[0]).type, ir::DataType::Float32);
}

}  // namespace
}  // namespace dlaexec::onnx
