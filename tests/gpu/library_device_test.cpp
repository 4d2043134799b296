// Products by a library against ref/: each tactic that it proposes.
#include "on_device.h"

namespace dlaexec::gpu {
namespace {

/// The library's tactics for the products of @p graph.
std::vector<std::string> library_tactics(const ir::Graph& graph, const CublasLt& library) {
  std::vector<std::string> found;
  LowerOptions options;
  options.library = &library;
  options.choose = [&](const std::string&, const std::vector<std::string>& tactics) {
    for (const std::string& tactic : tactics)
      if (parse_library_tactic(tactic)) found.push_back(tactic);
    return std::string();
  };
  lower(graph, device().target(), options);
  return found;
}

void expect_every_tactic_like_ref(const std::string& text) {
  device();  // the library starts on the device that is current
  const auto library = CublasLt::open();
  const std::vector<std::string> tactics = library_tactics(ir::parse(text), *library);
  EXPECT_FALSE(tactics.empty()) << text;
  for (const std::string& tactic : tactics) expect_like_ref(text, 2e-3, tactic);
}

class LibraryOnDevice : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    SKIP_WITHOUT_DEVICE();
    if (!find_cublaslt().table) GTEST_SKIP() << find_cublaslt().reason;
  }
};

TEST_P(LibraryOnDevice, GemmWithBiasAndActivation) {
  for (const char* activation : {"none", "relu", "gelu_tanh"})
    expect_every_tactic_like_ref(format(
        "graph @g(%a: {0}[50,200]) {{\n  const %b = {0}[72,200] seed(1)\n  const %c = f32[72] "
        "seed(2)\n  %y = gemm(%a, %b, %c) {{transpose_b=true, activation={1}}} : {0}[50,72]\n  "
        "return %y\n}}",
        GetParam(), activation));
}

TEST_P(LibraryOnDevice, MatMulWithResidual) {
  expect_every_tactic_like_ref(format(
      "graph @g(%a: {0}[2,7,40], %r: {0}[2,7,24]) {{\n  const %b = {0}[40,24] seed(1)\n  const %c "
      "= f32[24] seed(2)\n  %y = matmul(%a, %b, %c, %r) {{residual=true, activation=relu}} : "
      "{0}[2,7,24]\n  return %y\n}}",
      GetParam()));
}

TEST_P(LibraryOnDevice, BatchesOfMovingMatrices) {
  expect_every_tactic_like_ref(format(
      "graph @g(%a: {0}[3,50,64], %b: {0}[3,64,96]) {{\n  %y = matmul(%a, %b) : {0}[3,50,96]\n"
      "  return %y\n}}",
      GetParam()));
}

TEST_P(LibraryOnDevice, ConvolutionsOfOnePixel) {
  expect_every_tactic_like_ref(format(
      "graph @g(%x: {0}[2,40,9,7], %r: {0}[2,36,9,7]) {{\n  const %w = {0}[36,40,1,1] seed(1)\n  "
      "const %b = f32[36] seed(2)\n  %y = conv(%x, %w, %b, %r) {{stride=[1,1], pads=[0,0,0,0], "
      "dilation=[1,1], residual=true, activation=relu}} : {0}[2,36,9,7]\n  return %y\n}}",
      GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Type, LibraryOnDevice, testing::Values("f16", "f32"));

TEST(LibraryTactic, IsReadAsItIsWritten) {
  LibraryTactic tactic{130100, {{1, 2, 0xffffffffffffffff}}, 4 << 20};
  const std::string text = to_text(tactic);
  EXPECT_EQ(parse_library_tactic(text), tactic);
  EXPECT_EQ(parse_library_tactic(text.substr(1)), std::nullopt);
  EXPECT_EQ(parse_library_tactic(text + "0"), std::nullopt);
  EXPECT_EQ(parse_library_tactic("mma 128x64 w2x2 r128 s4 k1"), std::nullopt);
}

}  // namespace
}  // namespace dlaexec::gpu
