// What a classifier ends with: a reduction with the changes of type around it, and the layer after
// it.
#include <gmock/gmock.h>

#include "on_device.h"

namespace dlaexec::gpu {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

struct Case {
  int images, channels, height, width, k;
  std::string x = "i8", read = "f16", in = "i8", out = "i8", y = "f32";
  std::string layer = "gemm";
  std::string activation = "none";
  bool is_flat = true;  ///< the mean is [N, C] from the start
};

std::string scaled(const std::string& type, const char* scale) {
  return type == "i8" ? format(" q({})", scale) : std::string();
}

std::string dims_of(int images, int channels, bool is_image) {
  return format("[{},{}{}]", images, channels, is_image ? ",1,1" : "");
}

/// The mean of @p t's image, as the layer's input.
std::string mean_of(const Case& t, const std::string& kind = "avg") {
  const std::string image = format("[{},{},{},{}]", t.images, t.channels, t.height, t.width);
  const bool flattens = t.layer != "conv" && !t.is_flat, keeps = t.layer == "conv" || flattens;
  const std::string mean = dims_of(t.images, t.channels, keeps);
  const std::string input = dims_of(t.images, t.channels, t.layer == "conv");
  std::string text = format("graph @g(%x: {}{}{}) {{\n", t.x, image, scaled(t.x, "0.02"));
  const char* last = "x";
  if (t.read != t.x) {
    text += format("  %r = reformat(%x) : {}{}\n", t.read, image);
    last = "r";
  }
  text += format("  %m = reduce(%{}) {{kind={}, axes=[2,3], keep_dims={}}} : {}{}\n", last, kind,
                 keeps, t.read, mean);
  last = "m";
  if (flattens) {
    text += format("  %f = flatten(%m) {{axis=1}} : {}{}\n", t.read, input);
    last = "f";
  }
  if (t.in != t.read) {
    text += format("  %i = reformat(%{}) : {}{}{}\n", last, t.in, input, scaled(t.in, "0.004"));
    last = "i";
  }
  return text + format("  %mean = identity(%{}) : {}{}{}\n", last, t.in, input,
                       scaled(t.in, last == std::string("i") ? "0.004" : "0.02"));
}

/// The same and the layer.
std::string layer_of(const Case& t) {
  std::string text = mean_of(t);
  const size_t copy = text.rfind("  %mean = identity(%");
  const std::string last = text.substr(copy + 20, 1);
  text.resize(copy);
  const bool conv = t.layer == "conv", turned = t.layer == "matmul";
  const std::string result = dims_of(t.images, t.k, conv);
  const std::string weights = dims_of(turned ? t.channels : t.k, turned ? t.k : t.channels, conv);
  text += format("  const %w = {}{}{} seed(3)\n  const %b = f32[{}] seed(4)\n", t.in, weights,
                 scaled(t.in, "0.003"), t.k);
  const std::string attributes =
      conv ? "stride=[1,1], pads=[0,0,0,0], dilation=[1,1], "
           : (turned ? "" : "transpose_a=false, transpose_b=true, scale_ab=1, scale_c=1, ");
  text += format("  %l = {}(%{}, %w, %b) {{{}activation={}, alpha=1, beta=0}} : {}{}{}\n", t.layer,
                 last, attributes, t.activation, t.out, result, scaled(t.out, "0.05"));
  if (t.out != t.y)
    text += format("  %y = reformat(%l) : {}{}{}\n", t.y, result, scaled(t.y, "0.06"));
  return text + format("  return %{}\n}}", t.out != t.y ? "y" : "l");
}

std::string mean_alone(const Case& t, const std::string& kind = "avg") {
  return mean_of(t, kind) + "  return %mean\n}";
}

std::vector<std::string> launches(const std::string& text, const char* architecture) {
  std::vector<std::string> names;
  for (const Step& step : lower(ir::parse(text), target_of(architecture)).steps)
    names.push_back(step.kernel.file);
  return names;
}

const Case kInt8{1, 2048, 7, 7, 1000};
const Case kHalf{1, 2048, 7, 7, 1000, "f16", "f16", "f16", "f16"};

TEST(MeanLayer, AClassifiersEndIsOneLaunchWhereBlocksCanWaitForEachOther) {
  for (const Case& t : {kInt8, kHalf}) {
    EXPECT_THAT(launches(layer_of(t), "sm_90a"), ElementsAre("image.cu", "mean_layer.cu"));
    EXPECT_THAT(launches(layer_of(t), "sm_87"), Not(Contains("mean_layer.cu")));
  }
  // Many images are read once by a launch of their own.
  EXPECT_THAT(launches(layer_of({128, 2048, 7, 7, 1000}), "sm_90a"),
              ElementsAre("image.cu", "rows.cu", testing::StartsWith("conv_"), "map.cu"));
}

TEST(MeanLayer, AResultThatIsSeenOutsideStays) {
  std::string text = layer_of(kInt8);
  text.replace(text.find("return %y"), 9, "return %y, %l");
  EXPECT_THAT(launches(text, "sm_90a"), ElementsAre("image.cu", "mean_layer.cu", "map.cu"));
  text.replace(text.find("return %y, %l"), 13, "return %y, %m");
  EXPECT_THAT(launches(text, "sm_90a"), Not(Contains("mean_layer.cu")));
}

TEST(Reductions, ChangesOfTypeAroundAReductionTakeNoLaunch) {
  EXPECT_THAT(launches(mean_alone(kInt8), "sm_87"), ElementsAre("image.cu", "rows.cu", "map.cu"));
}

TEST(ReductionsOnDevice, RoundOnTheirWayWhatTheGraphRounds) {
  SKIP_WITHOUT_DEVICE();
  for (const char* kind : {"avg", "max"}) {
    expect_like_ref(mean_alone({2, 32, 5, 4, 0, "i8", "f16", "i8"}, kind));
    expect_like_ref(mean_alone({3, 48, 7, 7, 0, "i8", "f16", "f16"}, kind));
    expect_like_ref(mean_alone({2, 16, 3, 9, 0, "i8", "f32", "f16"}, kind));
    Case keeps{1, 64, 6, 6, 0, "f16", "f16", "i8"};
    keeps.is_flat = false;
    expect_like_ref(mean_alone(keeps, kind), 1e-3);
  }
}

TEST(MeanLayerOnDevice, AgreesWithRef) {
  SKIP_WITHOUT_DEVICE();
  const auto check = [](const Case& t) {
    expect_every_tactic_like_ref(layer_of(t), 4e-3, "mean layer");
  };
  check(kInt8);
  check(kHalf);
  check({8, 2048, 7, 7, 1000});
  check({4, 2048, 7, 7, 1000, "f16", "f16", "f16", "f16"});
  check({16, 1280, 3, 7, 1000, "f16", "f16", "f16", "f16", "f32", "matmul"});
  check({3, 48, 5, 6, 21, "i8", "f16", "i8", "f16", "f16", "conv", "silu"});
  check({2, 16, 9, 9, 5, "i8", "f32", "f16", "f32", "f32", "matmul", "relu"});
  check({5, 80, 1, 3, 130, "f16", "f16", "i8", "i8", "i8", "conv", "relu"});
  check({15, 144, 4, 4, 72, "f16", "f16", "f16", "f16", "i8", "gemm", "clip", false});
}

}  // namespace
}  // namespace dlaexec::gpu
