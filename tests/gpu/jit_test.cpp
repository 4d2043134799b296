#include "gpu/jit.h"

#include <gmock/gmock.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "gpu/driver.h"
#include "gpu/families.h"
#include "support/paths.h"

namespace dlaexec::gpu {
namespace {

#define SKIP_WITHOUT_NVRTC() \
  if (!find_nvrtc().table) GTEST_SKIP() << find_nvrtc().reason

TEST(Compiler, KeepsWhatItMadeAndDropsWhatIsDamaged) {
  SKIP_WITHOUT_NVRTC();
  const std::string folder = test::temporary_dir();
  const Compiler compiler("sm_87", folder);
  const Kernel kernel{"pool.cu", "pool<half, half, Max, 8, 3>"};
  const Cubin first = compiler.compile(kernel);
  EXPECT_GT(first.registers, 0);
  std::string path;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) path = entry.path();
  EXPECT_THAT(read_file(path), testing::HasSubstr("expression pool<half, half, Max, 8, 3>"));
  EXPECT_EQ(compiler.compile(kernel).code, first.code);
  write_file(path, read_file(path).substr(0, 400));
  EXPECT_EQ(compiler.compile(kernel).code, first.code);
}

TEST(Compiler, TakesSourcesFromAFolderInPlaceOfItsOwn) {
  SKIP_WITHOUT_NVRTC();
  const std::string folder = test::temporary_dir();
  write_file(folder + "/pool.cu", "#error from the folder\n");
  // The folder is looked at once in a process, so another one asks.
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const auto compile = [&] {
    setenv("DLAEXEC_KERNEL_SOURCES", folder.c_str(), 1);
    const log::Capture said;
    try {
      Compiler("sm_87", "").compile({"pool.cu", "pool<half, half, Max, 8, 3>"});
    } catch (const Error& error) {
      std::fputs((said.text() + error.what()).c_str(), stderr);
      std::exit(3);
    }
    std::exit(0);
  };
  // The other process makes a folder of its own: what it writes there is what it compiles.
  EXPECT_EXIT(compile(), testing::ExitedWithCode(3),
              "1 of [0-9]+ kernel sources are those of DLAEXEC_KERNEL_SOURCES.*from the folder");
}

TEST(Compiler, AnUnknownArchitectureIsRefused) {
  SKIP_WITHOUT_NVRTC();
  EXPECT_THROW(Compiler("sm_30", ""), Error);
}

/// Compiles @p kernels for @p architecture; spills are failures.
void compile_all(const std::string& architecture, const std::vector<Kernel>& kernels) {
  ThreadPool pool;
  const Compiler compiler(architecture, default_kernel_cache());
  for (const Cubin& cubin : compiler.compile(kernels, pool)) {
    EXPECT_GT(cubin.registers, 0) << cubin.kernel.expression;
    EXPECT_LE(cubin.spill_bytes, declared_spill_bytes(cubin.kernel))
        << cubin.kernel.expression << " on " << architecture;
  }
}

class EveryKernel : public testing::TestWithParam<const char*> {};

TEST_P(EveryKernel, OfOneElementAtATimeCompilesWithoutSpills) {
  SKIP_WITHOUT_NVRTC();
  compile_all(GetParam(), other_kernels(target_of(GetParam())));
}

TEST_P(EveryKernel, OfProductsCompilesWithoutSpills) {
  SKIP_WITHOUT_NVRTC();
  compile_all(GetParam(), conv_kernels(target_of(GetParam()), Coverage::EveryTile));
}

INSTANTIATE_TEST_SUITE_P(Architecture, EveryKernel, testing::Values("sm_87", "sm_90a"));

class SlowEveryKernel : public testing::TestWithParam<const char*> {};

TEST_P(SlowEveryKernel, WithEveryTacticAndTypeCompilesWithoutSpills) {
  SKIP_WITHOUT_NVRTC();
  compile_all(GetParam(), other_kernels(target_of(GetParam())));
  compile_all(GetParam(), conv_kernels(target_of(GetParam()), Coverage::Everything));
}

INSTANTIATE_TEST_SUITE_P(Architecture, SlowEveryKernel,
                         testing::Values("sm_75", "sm_80", "sm_86", "sm_87", "sm_89", "sm_90a"));

}  // namespace
}  // namespace dlaexec::gpu
