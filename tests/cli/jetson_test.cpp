#include "jetson.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/log.h"
#include "job.h"

namespace dlaexec::cli {
namespace {

using testing::HasSubstr;

const dla::Jetson kJetson{"NVIDIA Jetson AGX Xavier", "p2888", "agx-xavier"};

std::string platform_of(const std::vector<std::string>& arguments,
                        const std::optional<dla::Jetson>& jetson, std::string* said = nullptr) {
  log::Capture capture;
  const Job job = make_job(with_jetson(parse_arguments(arguments), jetson));
  if (said != nullptr) *said = capture.text();
  return job.build.platform;
}

TEST(Jetson, IsThePlatformUnlessOneIsNamed) {
  std::string said;
  EXPECT_EQ(platform_of({"--onnx=net.onnx"}, kJetson, &said), "agx-xavier");
  EXPECT_THAT(said, HasSubstr("Running on NVIDIA Jetson AGX Xavier (p2888): "
                              "--platform=agx-xavier is modelled, unless you name another"));
  EXPECT_EQ(platform_of({"--onnx=net.onnx", "--platform=orin-nx-8"}, kJetson, &said), "orin-nx-8");
  EXPECT_EQ(said, "");
  EXPECT_EQ(platform_of({"--onnx=net.onnx"}, std::nullopt), "agx-orin-64");
}

TEST(Jetson, WithoutADlaIsNotModelled) {
  std::string said;
  const dla::Jetson nano{"NVIDIA Jetson Orin Nano Developer Kit", "p3767-0005", "orin-nano"};
  EXPECT_EQ(platform_of({"--onnx=net.onnx", "--useDLACore=0"}, nano, &said), "agx-orin-64");
  EXPECT_THAT(said,
              HasSubstr("(p3767-0005), which has no DLA: --platform=agx-orin-64 is modelled"));
  EXPECT_EQ(platform_of({"--onnx=net.onnx", "--platform=orin-nano"}, nano), "orin-nano");
}

TEST(Jetson, NeedsNoModelName) {
  std::string said;
  EXPECT_EQ(platform_of({"--onnx=net.onnx"}, dla::Jetson{"", "p3668", "xavier-nx"}, &said),
            "xavier-nx");
  EXPECT_THAT(said, HasSubstr("Running on a Jetson (p3668): --platform=xavier-nx"));
}

TEST(Jetson, IsNotThePlatformOfAPlanThatIsLoaded) {
  const Settings settings = with_jetson(parse_arguments({"--loadEngine=net.plan"}), kJetson);
  EXPECT_FALSE(settings.given(Flag::platform));
}

}  // namespace
}  // namespace dlaexec::cli
