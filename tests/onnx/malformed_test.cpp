// Damaged files: whatever is in them, the importer ends with a graph or with an Error.
#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "base/file.h"
#include "base/log.h"
#include "onnx/import.h"
#include "support/onnx_model.h"
#include "support/paths.h"

namespace dlaexec::onnx {
namespace {

using test::OnnxModel;

/// What came of a file that is neither a graph nor an Error; empty: all is well.
std::string mishap_of(const std::string& bytes) {
  try {
    import_bytes(bytes, "/nonexistent");
  } catch (const Error&) {
    return {};
  } catch (const std::exception& other) {
    return other.what();
  }
  return {};
}

/// One damage: a byte changed, a run cut, doubled or overwritten, the end lost.
std::string damaged(std::string bytes, std::mt19937& random) {
  const auto below = [&](size_t limit) { return limit == 0 ? 0 : random() % limit; };
  const int changes = 1 + static_cast<int>(below(3));
  for (int i = 0; i < changes && !bytes.empty(); ++i) {
    const size_t at = below(bytes.size());
    const size_t run = 1 + below(std::min<size_t>(8, bytes.size() - at));
    switch (below(6)) {
      case 0:
        bytes[at] = static_cast<char>(random());
        break;
      case 1:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
        break;
      case 2:
        bytes.erase(at, run);
        break;
      case 3:
        bytes.insert(at, bytes.substr(at, run));
        break;
      case 4:  // the numbers that make sizes overflow
        for (size_t k = 0; k < run; ++k) bytes[at + k] = static_cast<char>(0xff);
        break;
      default:
        bytes.resize(at);
    }
  }
  return bytes;
}

void expect_no_mishap(const std::string& bytes, int count, unsigned seed, const std::string& name) {
  std::mt19937 random(seed);
  for (int i = 0; i < count; ++i) {
    const std::string file = damaged(bytes, random);
    const std::string mishap = mishap_of(file);
    EXPECT_EQ(mishap, "") << name << ", mutation " << i << " of seed " << seed;
    if (!mishap.empty()) return;
  }
}

/// Silences the warnings that damaged files earn.
class Malformed : public testing::Test {
 protected:
  log::Capture capture_;
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

TEST_F(Malformed, TheNetworksImportWhileTheyAreWhole) {
  for (const OnnxModel& model : {convolutional(), with_shapes_and_bodies(), attentive()})
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

/// The models of the ONNX backend suite, over 100,000 mutations in all.
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
  const int each = 100'000 / static_cast<int>(models.size()) + 1;
  for (size_t i = 0; i < models.size(); ++i)
    expect_no_mishap(read_file(models[i]), each, static_cast<unsigned>(i), models[i]);
}

}  // namespace
}  // namespace dlaexec::onnx
