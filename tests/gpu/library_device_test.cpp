// Products and convolutions by libraries against ref/: each tactic that they propose.
#include "on_device.h"

namespace dlaexec::gpu {
namespace {

/// What @p library proposes for the steps of @p graph.
std::vector<std::string> library_tactics(const ir::Graph& graph,
                                         std::shared_ptr<const Library> library) {
  std::vector<std::string> found;
  LowerOptions options;
  options.libraries = {std::move(library)};
  options.choose = [&](const std::string&, const std::vector<std::string>& tactics) {
    for (const std::string& tactic : tactics)
      if (parse_library_tactic(tactic)) found.push_back(tactic);
    return std::string();
  };
  lower(graph, device().target(), options);
  return found;
}

class OfALibraryOnDevice : public testing::TestWithParam<const char*> {
 protected:
  explicit OfALibraryOnDevice(LibraryKind kind) : kind_(kind) {}
  void SetUp() override {
    SKIP_WITHOUT_DEVICE();
    if (const std::string& reason = why_no_library(kind_); !reason.empty()) GTEST_SKIP() << reason;
  }
  void expect_every_tactic_like_ref(const std::string& text) {
    device();  // the library starts on the device that is current
    const std::vector<std::string> tactics = library_tactics(ir::parse(text), open_library(kind_));
    EXPECT_FALSE(tactics.empty()) << text;
    for (const std::string& tactic : tactics) expect_like_ref(text, 2e-3, tactic);
  }

 private:
  LibraryKind kind_;
};

class LibraryOnDevice : public OfALibraryOnDevice {
 protected:
  LibraryOnDevice() : OfALibraryOnDevice(LibraryKind::CublasLt) {}
};

class CudnnOnDevice : public OfALibraryOnDevice {
 protected:
  CudnnOnDevice() : OfALibraryOnDevice(LibraryKind::Cudnn) {}

  /// A convolution of @p x to @p y with weights @p w in the type of this test.
  void expect_convolution_like_ref(const std::string& x, const std::string& w, const std::string& y,
                                   const std::string& attributes,
                                   const std::string& activation = "relu") {
    const std::string maps = w.substr(0, w.find(','));
    for (const bool residual : {false, true})
      expect_every_tactic_like_ref(format(
          "graph @g(%x: {0}[{1}]{2}) {{\n  const %w = {0}[{3}] seed(1)\n  const %b = f32[{4}] "
          "seed(2)\n  %y = conv(%x, %w, %b{5}) {{{6}, residual={7}, activation={8}}} : "
          "{0}[{9}]\n  return %y\n}}",
          GetParam(), x, residual ? format(", %r: {}[{}]", GetParam(), y) : "", w, maps,
          residual ? ", %r" : "", attributes, residual, activation, y));
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

TEST_P(CudnnOnDevice, ConvolutionsOfOnePixel) {
  expect_convolution_like_ref("2,40,9,7", "72,40,1,1", "2,72,9,7",
                              "stride=[1,1], pads=[0,0,0,0], dilation=[1,1]");
  expect_convolution_like_ref("2,64,14,14", "128,64,1,1", "2,128,7,7",
                              "stride=[2,2], pads=[0,0,0,0], dilation=[1,1]", "none");
}

TEST_P(CudnnOnDevice, ConvolutionsOfNeighbours) {
  expect_convolution_like_ref("2,64,14,14", "64,64,3,3", "2,64,14,14",
                              "stride=[1,1], pads=[1,1,1,1], dilation=[1,1]");
  expect_convolution_like_ref("1,32,14,14", "64,32,3,3", "1,64,7,7",
                              "stride=[2,2], pads=[1,1,1,1], dilation=[1,1]", "none");
  expect_convolution_like_ref("1,32,12,12", "32,32,3,3", "1,32,12,12",
                              "stride=[1,1], pads=[2,2,2,2], dilation=[2,2]");
}

TEST_P(CudnnOnDevice, ChannelsThatDoNotFillVectors) {
  expect_convolution_like_ref("2,19,11,9", "37,19,3,3", "2,37,11,9",
                              "stride=[1,1], pads=[1,1,1,1], dilation=[1,1]");
}

TEST_P(CudnnOnDevice, PaddingBehindAlone) {
  expect_convolution_like_ref("1,32,14,14", "32,32,3,3", "1,32,7,7",
                              "stride=[2,2], pads=[0,0,1,1], dilation=[1,1]");
}

TEST_P(CudnnOnDevice, Groups) {
  expect_convolution_like_ref("2,64,14,14", "64,16,3,3", "2,64,14,14",
                              "stride=[1,1], pads=[1,1,1,1], dilation=[1,1], groups=4");
  expect_convolution_like_ref("1,128,14,14", "128,4,3,3", "1,128,7,7",
                              "stride=[2,2], pads=[1,1,1,1], dilation=[1,1], groups=32");
}

INSTANTIATE_TEST_SUITE_P(Type, LibraryOnDevice, testing::Values("f16", "f32"));
INSTANTIATE_TEST_SUITE_P(Type, CudnnOnDevice, testing::Values("f16", "f32"));

TEST(LibraryTactic, IsReadAsItIsWritten) {
  for (const LibraryTactic& tactic :
       {LibraryTactic{LibraryKind::CublasLt, 130100, 4 << 20, std::string(128, 'a')},
        LibraryTactic{LibraryKind::Cudnn, 91900, 0, "e41 2:7 13:-1"}}) {
    const std::string text = to_text(tactic);
    EXPECT_EQ(parse_library_tactic(text), tactic);
    EXPECT_EQ(parse_library_tactic(text.substr(1)), std::nullopt);
  }
  EXPECT_EQ(parse_library_tactic("cudnn 91900 w0 "), std::nullopt);
  EXPECT_EQ(parse_library_tactic("mma 128x64 w2x2 r128 s4 k1"), std::nullopt);
}

}  // namespace
}  // namespace dlaexec::gpu
