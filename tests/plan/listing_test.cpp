#include "plan/listing.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "plan/small_plan.h"

namespace dlaexec::plan {
namespace {

Header header_of(const std::string& bytes) {
  return read_header(std::as_bytes(std::span(bytes.data(), bytes.size())));
}

TEST(Listing, NamesModelStepsAndLayers) {
  Plan plan = small_plan();
  plan.metadata.layers[0].findings = {{"conv.kernel", "33x33", "kernel in [1, 32]",
                                       "DLA convolves with kernels of at most 32.", "Convolution",
                                       ""}};
  const std::string text = list(plan, header_of(to_bytes(plan)));
  EXPECT_NE(text.find("model: net.onnx (0123456789abcdef0123456789abcdef)\n"), std::string::npos);
  EXPECT_NE(text.find("  image: f32 Nx3x4x4 chw\n"), std::string::npos);
  EXPECT_NE(text.find("  2 dla  DLA {ForeignNode[a...b]} (loadable 0) -> d1: f16 Nx2x4x4 chw16\n"),
            std::string::npos);
  EXPECT_NE(
      text.find(
          "  c1 (CONVOLUTION) on gpu in f32, in first\n"
          "      needs kernel in [1, 32], has 33x33. DLA convolves with kernels of at most 32. "
          "[conv.kernel]\n"),
      std::string::npos)
      << text;
}

TEST(Listing, GivesTheSameAsJson) {
  const Plan plan = small_plan();
  const auto json = nlohmann::json::parse(list_json(plan, header_of(to_bytes(plan))));
  EXPECT_EQ(json["format_version"], kFormatVersion);
  EXPECT_EQ(json["inputs"][0]["dimensions"], (nlohmann::json{"N", 3, 4, 4}));
  EXPECT_EQ(json["steps"].size(), plan.graph.nodes.size());
  EXPECT_EQ(json["steps"][2]["device"], "dla");
  EXPECT_EQ(json["settings"]["fp16"], "on");
  EXPECT_EQ(json["layers"][1]["step"], "{ForeignNode[a...b]}");
}

}  // namespace
}  // namespace dlaexec::plan
