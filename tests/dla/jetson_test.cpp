#include "dla/jetson.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "dla/platform.h"
#include "support/paths.h"

namespace dlaexec::dla {
namespace {

/// A root whose device tree holds these strings.
std::string root_with(const std::string& model, const std::string& compatible) {
  const std::string root = test::temporary_dir();
  const std::string tree = root + "/proc/device-tree/";
  std::filesystem::create_directories(tree);
  write_file(tree + "model", model + '\0');
  write_file(tree + "compatible", compatible);
  return root;
}

using namespace std::string_literals;

TEST(Jetson, IsKnownByItsModule) {
  struct Case {
    std::string model, compatible, module, platform;
  };
  const Case cases[] = {
      {"NVIDIA Jetson AGX Orin Developer Kit",
       "nvidia,p3737-0000+p3701-0005\0nvidia,p3701-0005\0nvidia,tegra234\0"s, "p3701-0005",
       "agx-orin-64"},
      {"NVIDIA Orin NX Developer Kit", "nvidia,p3509-0000+p3767-0001\0nvidia,tegra234\0"s,
       "p3767-0001", "orin-nx-8"},
      {"NVIDIA Jetson Xavier NX Developer Kit", "nvidia,p3449-0000+p3668-0000\0nvidia,tegra194\0"s,
       "p3668", "xavier-nx"},
      {"Jetson-AGX", "nvidia,p2972-0000\0nvidia,tegra194\0"s, "p2972", "agx-xavier"},
  };
  for (const Case& known : cases) {
    const auto jetson = this_jetson(root_with(known.model, known.compatible));
    ASSERT_TRUE(jetson) << known.model;
    EXPECT_EQ(jetson->model, known.model);
    EXPECT_EQ(jetson->module, known.module);
    EXPECT_EQ(jetson->platform, known.platform);
  }
}

TEST(Jetson, IsAPlatformThatTheTableHas) {
  for (const char* module :
       {"p2888-0004", "p2972", "p3668-0001", "p3701-0000", "p3701-0004", "p3701-0005", "p3701-0008",
        "p3767-0000", "p3767-0001", "p3767-0003"}) {
    const auto jetson = this_jetson(root_with("a board", module));
    ASSERT_TRUE(jetson) << module;
    EXPECT_EQ(platform(jetson->platform).name, jetson->platform);
  }
}

TEST(Jetson, IsKnownWithoutItsName) {
  const std::string root = root_with("", "nvidia,p3449-0000+p3668-0000");
  std::filesystem::remove(root + "/proc/device-tree/model");
  const auto jetson = this_jetson(root);
  ASSERT_TRUE(jetson);
  EXPECT_EQ(jetson->model, "");
  EXPECT_EQ(jetson->platform, "xavier-nx");
}

TEST(Jetson, IsNothingOnOtherMachines) {
  EXPECT_FALSE(this_jetson(test::temporary_dir()));
  EXPECT_FALSE(this_jetson(root_with("Raspberry Pi 5 Model B", "raspberrypi,5-model-b\0"s)));
}

}  // namespace
}  // namespace dlaexec::dla
