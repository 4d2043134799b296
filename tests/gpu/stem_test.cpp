// First layers with what stands around them: when they are one launch, and that the device agrees.
#include <gmock/gmock.h>

#include "on_device.h"

namespace dlaexec::gpu {
namespace {

using testing::ElementsAre;

struct Case {
  int images, channels, height, width, k, taps, pad;
  const char* activation = "relu";
  bool pooled = true;
  const char* pool_scale = " q(0.05)";
};

/// The network's input, its first layer in @p type, and pooling where @p t has it.
std::string graph_of(const Case& t, const std::string& type) {
  const bool int8 = type == "i8";
  const int h = (t.height + 2 * t.pad - t.taps) / 2 + 1, w = (t.width + 2 * t.pad - t.taps) / 2 + 1;
  const std::string in = format("[{},{},{},{}]", t.images, t.channels, t.height, t.width);
  const std::string out =
      format("{}[{},{},{},{}]{}", type, t.images, t.k, h, w, int8 ? " q(0.05)" : "");
  const std::string maxima = format("{}[{},{},{},{}]{}", type, t.images, t.k, (h - 1) / 2 + 1,
                                    (w - 1) / 2 + 1, int8 ? t.pool_scale : "");
  return format(
      "graph @g(%x: f32{0}) {{\n  const %w = {1}[{2},{3},{4},{4}]{5} seed(3)\n  const %b = "
      "f32[{2}] "
      "seed(4)\n  %h = reformat(%x) : {1}{0}{6}\n  %c = conv(%h, %w, %b) {{stride=[2,2], "
      "pads=[{7},{7},{7},{7}], dilation=[1,1], activation={8}, alpha=0.1, beta=6}} : {9}\n{10}  "
      "return %{11}\n}}",
      in, type, t.k, t.channels, t.taps, int8 ? " q(0.003)" : "", int8 ? " q(0.01)" : "", t.pad,
      t.activation, out,
      t.pooled ? "  %y = pool(%c) {kind=max, kernel=[3,3], stride=[2,2], pads=[1,1,1,1], "
                 "dilation=[1,1]} : " +
                     maxima + "\n"
               : "",
      t.pooled ? "y" : "c");
}

std::vector<std::string> launches(const Case& t, const char* architecture) {
  const ir::Graph graph = ir::parse(graph_of(t, "f16"));
  std::vector<std::string> names;
  for (const Step& step : lower(graph, target_of(architecture)).steps)
    names.push_back(step.kernel.file);
  return names;
}

TEST(Stem, AFirstLayerIsOneLaunchWithItsReformatAndItsPooling) {
  const Case resnet{1, 3, 224, 224, 64, 7, 3};
  EXPECT_THAT(launches(resnet, "sm_90a"), ElementsAre("stem.cu", "image.cu"));
  EXPECT_THAT(launches(resnet, "sm_87"), ElementsAre("stem.cu", "image.cu"));
  // Before sm_80 nothing is copied while products run.
  EXPECT_THAT(launches(resnet, "sm_75"),
              ElementsAre("image.cu", "conv_mma.cu", "pool.cu", "image.cu"));
  // Wide rows are more pieces.
  EXPECT_THAT(launches({1, 3, 300, 900, 64, 7, 3}, "sm_90a"), ElementsAre("stem.cu", "image.cu"));
}

TEST(StemOnDevice, AgreesWithRef) {
  SKIP_WITHOUT_DEVICE();
  for (const char* type : {"f16", "i8"})
    for (const bool pooled : {true, false})
      for (const Case& t : {Case{1, 3, 224, 224, 64, 7, 3},
                            {3, 3, 40, 33, 32, 3, 1, "clip"},
                            {2, 1, 29, 30, 6, 5, 2, "none"},
                            {2, 4, 19, 77, 40, 7, 0},
                            {9, 3, 65, 64, 24, 3, 0, "leaky_relu"},
                            {2, 2, 7, 9, 64, 7, 3, "none"},
                            {1, 3, 22, 500, 64, 7, 3},
                            {2, 3, 23, 262, 48, 3, 1, "silu"},
                            {1, 4, 17, 248, 32, 5, 2}}) {
        Case c = t;
        c.pooled = pooled;
        expect_like_ref(graph_of(c, type));
      }
}

TEST(StemOnDevice, MaximaMayHaveAScaleOfTheirOwn) {
  SKIP_WITHOUT_DEVICE();
  expect_like_ref(graph_of({2, 3, 40, 33, 64, 7, 3, "relu", true, " q(0.07)"}, "i8"));
}

TEST(StemOnDevice, ManyImagesInBandsAgreeWithRef) {
  SKIP_WITHOUT_DEVICE();
  expect_like_ref(graph_of({64, 3, 60, 60, 64, 7, 3}, "f16"));
  expect_like_ref(graph_of({64, 3, 60, 60, 32, 3, 1, "silu", false}, "f16"));
}

}  // namespace
}  // namespace dlaexec::gpu
