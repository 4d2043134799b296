#include "tune/kernel_supply.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "gpu/driver.h"

namespace dlaexec::tune {
namespace {

/// A kernel that is compiled from text, by a name of its own.
gpu::Kernel kernel(const std::string& name, const std::string& body = "") {
  return {name + ".cu", name + "<1>",
          "template <int> __global__ void " + name + "(){" + body + "}"};
}

/// What launches @p kernels.
gpu::Lowered launching(const std::vector<gpu::Kernel>& kernels) {
  gpu::Lowered lowered;
  for (const gpu::Kernel& one : kernels) lowered.steps.emplace_back().kernel = one;
  return lowered;
}

class KernelSupplyTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!gpu::find_nvrtc().table) GTEST_SKIP() << gpu::find_nvrtc().reason;
    compiler.emplace("sm_90a", "");
  }
  ThreadPool pool{2};
  std::optional<gpu::Compiler> compiler;
};

TEST_F(KernelSupplyTest, HandsOutWhatIsAskedForInThatOrder) {
  KernelSupply supply(*compiler, pool, {kernel("a"), kernel("b"), kernel("a"), kernel("c")});
  const std::vector<gpu::Cubin> code = supply.code_of(launching({kernel("c"), kernel("a")}));
  ASSERT_EQ(code.size(), 2u);
  EXPECT_EQ(code[0].kernel, kernel("c"));
  EXPECT_EQ(code[1].kernel, kernel("a"));
  EXPECT_FALSE(code[0].code.empty());
}

TEST_F(KernelSupplyTest, MakesWhatNobodyAnnounced) {
  KernelSupply supply(*compiler, pool, {});
  EXPECT_FALSE(supply.code_of(launching({kernel("a")}))[0].code.empty());
}

TEST_F(KernelSupplyTest, TellsWhoeverAsksThatAKernelDoesNotCompile) {
  KernelSupply supply(*compiler, pool, {kernel("broken", "nonsense")});
  EXPECT_THROW(supply.code_of(launching({kernel("broken", "nonsense")})), Error);
}

TEST_F(KernelSupplyTest, MayEndBeforeAllIsMade) {
  std::vector<gpu::Kernel> many;
  for (int i = 0; i < 200; ++i) many.push_back(kernel("many" + std::to_string(i)));
  KernelSupply supply(*compiler, pool, many);
  EXPECT_EQ(supply.code_of(launching({many[0]})).size(), 1u);
}

}  // namespace
}  // namespace dlaexec::tune
