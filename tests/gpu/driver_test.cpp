#include "gpu/driver.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "gpu/device.h"

namespace dlaexec::gpu {
namespace {

using testing::HasSubstr;

TEST(Driver, ItsAbsenceIsAFindingWithAReason) {
  const Loaded<Driver>& loaded = find_driver();
  if (loaded.table) {
    EXPECT_EQ(loaded.reason, "");
    return;
  }
  EXPECT_THAT(loaded.reason, HasSubstr("CUDA"));
  try {
    driver();
    FAIL() << "driver() must throw without a driver";
  } catch (const Error& error) {
    EXPECT_EQ(error.sentence(), loaded.reason);
  }
}

TEST(Target, EveryArchitectureHasItsFacts) {
  for (const Target& target : known_targets()) {
    EXPECT_EQ(target_of(target.architecture_name()).name, target.name);
    EXPECT_GT(target.multiprocessors, 0);
    EXPECT_GE(target.shared_bytes, 64 << 10);
  }
  EXPECT_TRUE(target_of("sm_90a").is_hopper());
  EXPECT_FALSE(target_of("sm_75").is_ampere());
}

TEST(Target, AnotherArchitectureIsRefusedWithTheListOfKnownOnes) {
  try {
    target_of("sm_52");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::Usage);
    EXPECT_THAT(error.what(), HasSubstr("sm_87"));
  }
}

}  // namespace
}  // namespace dlaexec::gpu
