// Damaged files: whatever is in them, the importer ends with a graph or with an Error.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>

#include "base/file.h"
#include "base/log.h"
#include "onnx/import.h"
#include "onnx/mutation.h"
#include "passes/pipeline.h"
#include "support/onnx_model.h"
#include "support/paths.h"

namespace dlaexec::onnx {
namespace {

using test::OnnxModel;

/// What is wrong with an Error's words; empty: nothing.
std::string flaw_of(const Error& error) {
  if (error.sentence().find('\n') != std::string::npos) return "more than one line";
  return error.sentence().empty() ? "no sentence" : "";
}

/// What came of a file that is neither a graph nor an Error for people; empty: all is well. A graph
/// goes through the passes that every build begins with, too.
std::string mishap_of(const std::string& bytes) {
  try {
    ir::Graph graph = import_bytes(bytes, "/nonexistent").graph;
    passes::clean_up(graph);
  } catch (const Error& error) {
    const std::string flaw = flaw_of(error);
    return flaw.empty() ? flaw : format("{}: {}", flaw, error.what());
  } catch (const std::exception& other) {
    return other.what();
  }
  return {};
}

using Mutate = std::string (*)(const std::string& bytes, std::mt19937& random);

std::string damaged_bytes(const std::string& bytes, std::mt19937& random) {
  return test::with_damaged_bytes(bytes, random);
}

void expect_no_mishap(const std::string& bytes, int count, unsigned seed, const std::string& name,
                      Mutate mutate = damaged_bytes) {
  std::mt19937 random(seed);
  for (int i = 0; i < count; ++i) {
    const std::string file = mutate(bytes, random);
    const std::string mishap = mishap_of(file);
    EXPECT_EQ(mishap, "") << name << ", mutation " << i << " of seed " << seed;
    if (!mishap.empty()) return;
  }
}

/// Drops the warnings that damaged files earn: kept, they would fill the memory.
class Malformed : public testing::Test {
 protected:
  void SetUp() override { before_ = log::set_sink({}); }
  void TearDown() override { log::set_sink(before_); }

 private:
  log::Sink before_;
};

OnnxModel convolutional() {
  OnnxModel model;
  model.add_input("x", {"N", "3", "8", "8"});
  model.add_initializer("w", {4, 3, 3, 3}, std::vector<float>(108, 0.5f));
  model.add_initializer("b", {4}, {1, 2, 3, 4});
  auto* conv = model.add_node("Conv", {"x", "w", "b"}, {"c"}, "conv");
  OnnxModel::set(conv, "pads", {1, 1, 1, 1});
  OnnxModel::set(conv, "strides", {2, 2});
  model.add_node("Relu", {"c"}, {"r"}, "relu");
  auto* pool = model.add_node("MaxPool", {"r"}, {"p"}, "pool");
  OnnxModel::set(pool, "kernel_shape", {2, 2});
  model.add_node("Resize", {"p", "", "b"}, {"z"}, "resize");
  model.add_node("Flatten", {"z"}, {"f"}, "flatten");
  model.add_node("Softmax", {"f"}, {"y"}, "softmax");
  model.add_output("y");
  return model;
}

OnnxModel with_shapes_and_bodies() {
  OnnxModel model;
  model.add_input("x", {"N", "4"});
  model.add_node("Shape", {"x"}, {"s"}, "shape");
  auto* one = model.add_node("Constant", {}, {"one"}, "one");
  OnnxModel::set(one, "value_ints", {1, -1});
  auto* gather = model.add_node("Gather", {"s", "one"}, {"g"}, "gather");
  OnnxModel::set(gather, "axis", 0);
  model.add_node("Expand", {"x", "g"}, {"e"}, "expand");
  auto* sliced = model.add_node("Slice", {"e", "one", "one"}, {"l"}, "slice");
  sliced->set_doc_string("axes are left out");
  auto* less = model.add_node("ReduceSum", {"l"}, {"sum"}, "sum");
  OnnxModel::set(less, "keepdims", int64_t{0});
  model.add_node("Cast", {"sum"}, {"cond"}, "cast");
  OnnxModel::set(model.graph()->mutable_node(model.graph()->node_size() - 1), "to", 9);
  auto* branch = model.add_node("If", {"cond"}, {"y"}, "if");
  for (const char* name : {"then_branch", "else_branch"}) {
    auto* body =
        OnnxModel::add_attribute(branch, name, onnx_file::AttributeProto::GRAPH)->mutable_g();
    OnnxModel::fill(body->add_node(), "Neg", {"x"}, {std::string("out_") + name}, "inner");
    body->add_output()->set_name(std::string("out_") + name);
  }
  model.add_output("y");
  return model;
}

OnnxModel attentive() {
  OnnxModel model(23);
  model.add_input("q", {"B", "S", "16"});
  for (const char* name : {"k", "v"}) model.add_input(name, {"B", "S", "8"});
  auto* attention = model.add_node("Attention", {"q", "k", "v"}, {"a"}, "attention");
  OnnxModel::set(attention, "q_num_heads", 4);
  OnnxModel::set(attention, "kv_num_heads", 2);
  OnnxModel::set(attention, "is_causal", 1);
  model.add_initializer("g", {16}, std::vector<float>(16, 1));
  model.add_node("LayerNormalization", {"a", "g"}, {"n"}, "norm");
  model.add_node("Gelu", {"n"}, {"y"}, "gelu");
  model.add_output("y");
  return model;
}

/// A decoder's step: shared keys behind past ones, weights of 4 bits, a split into a sequence.
OnnxModel decoding() {
  OnnxModel model(17);
  model.add_opset("com.microsoft", 1);
  model.add_input("q", {"2", "1", "32"});
  for (const char* name : {"k", "v"}) model.add_input(name, {"2", "1", "16"});
  for (const char* name : {"past_k", "past_v"}) model.add_input(name, {"2", "2", "P", "8"});
  model.add_input("last", {"2"}, onnx_file::TensorProto::INT32);
  model.add_input("total", {"1"}, onnx_file::TensorProto::INT32);
  for (const char* name : {"cosines", "sines"})
    model.add_initializer(name, {16, 4}, std::vector<float>(64, 0.5f));
  auto* grouped = model.add_node(
      "GroupQueryAttention",
      {"q", "k", "v", "past_k", "past_v", "last", "total", "cosines", "sines"}, {"a"}, "attention");
  OnnxModel::set(grouped, "num_heads", 4);
  OnnxModel::set(grouped, "kv_num_heads", 2);
  OnnxModel::set(grouped, "do_rotary", 1);
  auto* packed = model.add_initializer("packed", {6, 2, 8}, {});
  packed->set_data_type(onnx_file::TensorProto::UINT8);
  for (int i = 0; i < 96; ++i) packed->add_int32_data(i);
  model.add_initializer("scales", {6, 2}, std::vector<float>(12, 0.1f));
  auto* product = model.add_node("MatMulNBits", {"a", "packed", "scales"}, {"m"}, "product");
  for (const auto& [name, value] :
       {std::pair("N", 6), std::pair("K", 32), std::pair("bits", 4), std::pair("block_size", 16)})
    OnnxModel::set(product, name, value);
  for (auto* node : {grouped, product}) node->set_domain("com.microsoft");
  OnnxModel::set(model.add_node("SplitToSequence", {"m"}, {"parts"}, "split"), "axis", 2);
  OnnxModel::set(model.add_node("ConcatFromSequence", {"parts"}, {"y"}, "join"), "axis", 2);
  model.add_output("y");
  return model;
}

TEST_F(Malformed, TheNetworksImportWhileTheyAreWhole) {
  for (const OnnxModel& model :
       {convolutional(), with_shapes_and_bodies(), attentive(), decoding()})
    EXPECT_NO_THROW(import_bytes(model.bytes(), "/nonexistent"));
}

TEST_F(Malformed, MutationsOfSmallNetworksEndInAGraphOrAnError) {
  expect_no_mishap(convolutional().bytes(), 2000, 1, "convolutional");
  expect_no_mishap(with_shapes_and_bodies().bytes(), 2000, 2, "with_shapes_and_bodies");
  expect_no_mishap(attentive().bytes(), 1500, 3, "attentive");
}

TEST_F(Malformed, EveryTruncationEndsInAnErrorOrAGraph) {
  const std::string bytes = convolutional().bytes();
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_EQ(mishap_of(bytes.substr(0, size)), "") << "cut at " << size;
}

/// An Error about a node must say which. What is wrong with the model as a whole names a value, a
/// tensor, an operator or nothing (a file that is no model).
TEST_F(Malformed, WhatIsWrongWithANodeNamesTheNode) {
  int errors = 0, named = 0;
  std::mt19937 random(7);
  for (const OnnxModel& model :
       {convolutional(), with_shapes_and_bodies(), attentive(), decoding()})
    for (int i = 0; i < 700; ++i) {
      try {
        import_bytes(test::with_damaged_parts(model.bytes(), random), "/nonexistent");
      } catch (const Error& error) {
        ++errors;
        const std::string text = error.what();
        const bool names = text.find('\'') != std::string::npos;
        named += text.find("node '") != std::string::npos;
        EXPECT_TRUE(names) << text;
      }
    }
  EXPECT_GT(errors, 500);
  EXPECT_GT(named, errors / 2);
}

TEST_F(Malformed, DamagedPartsOfSmallNetworksEndInAGraphOrAnError) {
  expect_no_mishap(convolutional().bytes(), 1500, 4, "convolutional", test::with_damaged_parts);
  expect_no_mishap(with_shapes_and_bodies().bytes(), 1500, 5, "with_shapes_and_bodies",
                   test::with_damaged_parts);
  expect_no_mishap(attentive().bytes(), 1500, 6, "attentive", test::with_damaged_parts);
  expect_no_mishap(decoding().bytes(), 1500, 7, "decoding", test::with_damaged_parts);
}

/// A size in bytes that overflows must not look small.
TEST_F(Malformed, TensorsWhoseBytesOverflowAreRefused) {
  for (const int64_t dim :
       {int64_t{1} << 61, int64_t{1} << 62, INT64_MAX, INT64_MIN, int64_t{-1}}) {
    OnnxModel model;
    model.add_input("x", {"4"});
    onnx_file::TensorProto* w = model.add_initializer("w", {dim}, {});
    w->set_raw_data("");
    model.add_node("Add", {"x", "w"}, {"y"}, "add");
    model.add_output("y");
    try {
      import_bytes(model.bytes(), "/nonexistent");
      ADD_FAILURE() << dim << " elements were read";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("'w'"), std::string::npos) << error.what();
    }
  }
}

/// A list as long as a damaged size says would not fit any memory.
TEST_F(Malformed, AnImageOfATrillionDimensionsIsRefused) {
  OnnxModel model(18);
  model.add_input("x", {"1", "4", "9"});
  model.add_input("image", {std::to_string(int64_t{1} << 40)}, 7);
  model.add_input("block", {"2"}, 7);
  model.add_node("Col2Im", {"x", "image", "block"}, {"y"}, "patches");
  model.add_output("y");
  EXPECT_EQ(mishap_of(model.bytes()), "");
}

/// Weights of two gibibytes, of which the file holds all but one byte (a sparse file).
TEST_F(Malformed, AShortExternalFileOfTwoGibibytesIsNamedWithBothSizes) {
  constexpr int64_t kElements = int64_t{1} << 29;
  const std::string folder = test::temporary_dir();
  std::ofstream(folder + "/w.bin").close();
  std::filesystem::resize_file(folder + "/w.bin", kElements * 4 - 1);
  OnnxModel model;
  model.add_input("x", {"N", std::to_string(kElements / 1024)});
  onnx_file::TensorProto* w = model.add_initializer("w", {kElements / 1024, 1024}, {});
  w->set_data_location(onnx_file::TensorProto::EXTERNAL);
  auto* place = w->add_external_data();
  place->set_key("location");
  place->set_value("w.bin");
  model.add_node("MatMul", {"x", "w"}, {"y"}, "product");
  model.add_output("y");
  write_file(folder + "/model.onnx", model.bytes());
  try {
    import_file(folder + "/model.onnx");
    ADD_FAILURE() << "the file is short";
  } catch (const Error& error) {
    for (const char* word : {"w.bin", "'w'", "2147483647", "2147483648"})
      EXPECT_NE(error.sentence().find(word), std::string::npos) << error.what();
    EXPECT_EQ(error.sentence().find('\n'), std::string::npos);
  }
}

TEST_F(Malformed, AWindowWithoutDimensionsIsNamed) {
  OnnxModel model;
  model.add_input("x", {"1", "8", "1"});
  auto* step = model.add_initializer("step", {}, {});
  step->set_data_type(onnx_file::TensorProto::INT64);
  step->add_int64_data(2);
  model.add_initializer("window", {}, {1});
  model.add_node("STFT", {"x", "step", "window"}, {"y"}, "spectrum");
  model.add_output("y");
  try {
    import_bytes(model.bytes(), "/nonexistent");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_NE(error.sentence().find("'window' has 0 dimensions"), std::string::npos)
        << error.what();
  }
}

/// The models of the ONNX backend suite, over 100,000 mutations in all: half of bytes, half of
/// parts. DLAEXEC_MUTATIONS changes how many.
TEST_F(Malformed, SlowMutationsOfTheBackendSuiteEndInAGraphOrAnError) {
  if (!test::shared_dir()) GTEST_SKIP() << test::kNoShared;
  const std::string folder = test::temporary_dir();
  const std::string command = "tar -xJf '" + *test::shared_dir() +
                              "/data/onnx_backend/onnx_backend_shared.tar.xz' -C '" + folder + "'";
  ASSERT_EQ(std::system(command.c_str()), 0);
  std::vector<std::string> models;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.path().filename() == "model.onnx" && entry.file_size() < 20000)
      models.push_back(entry.path().string());
  std::sort(models.begin(), models.end());
  const char* wanted = std::getenv("DLAEXEC_MUTATIONS");
  const int each = (wanted ? std::atoi(wanted) : 110'000) / static_cast<int>(models.size()) / 2 + 1;
  for (size_t i = 0; i < models.size(); ++i) {
    const std::string bytes = read_file(models[i]);
    const auto seed = static_cast<unsigned>(i);
    expect_no_mishap(bytes, each, seed, models[i]);
    expect_no_mishap(bytes, each, seed, models[i], test::with_damaged_parts);
  }
  std::cout << format("{} models, {} mutations\n", models.size(), 2 * each * std::ssize(models));
}

}  // namespace
}  // namespace dlaexec::onnx
