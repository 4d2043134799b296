#include "gpu/code.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "plan/file.h"

namespace dlaexec::gpu {
namespace {

Code sample() {
  Code code;
  code.architecture = "sm_87";
  code.device = "the cost model";
  code.tactics["conv f16 a"] = "mma 64x64 w2x2 r128 s3 k1";
  code.cubins.push_back({{"pool.cu", "pool<half, half, Max, 8, 3>"},
                         "_Z4pool",
                         40,
                         0,
                         std::string("\x7f"
                                     "ELF\n\n\0 code",
                                     12)});
  code.cubins.push_back({{"map.cu", "map<Apply<None>>"}, "_Z3map", 32, 8, "more"});
  return code;
}

Code read(const std::string& bytes) { return code_from_bytes(std::as_bytes(std::span(bytes))); }

TEST(Code, SurvivesItsBytes) {
  const Code before = sample();
  const Code after = read(to_bytes(before));
  EXPECT_EQ(to_bytes(after), to_bytes(before));
  EXPECT_EQ(after.tactics, before.tactics);
  ASSERT_EQ(after.cubins.size(), 2u);
  EXPECT_EQ(after.cubins[0].code, before.cubins[0].code);
  EXPECT_EQ(after.cubins[1].kernel, before.cubins[1].kernel);
  EXPECT_EQ(after.cubins[1].spill_bytes, 8);
}

TEST(Code, CutShortOrProlongedItIsRefused) {
  const std::string bytes = to_bytes(sample());
  for (size_t length = 0; length < bytes.size(); ++length)
    EXPECT_THROW(read(bytes.substr(0, length)), Error) << length;
  EXPECT_THROW(read(bytes + "x"), Error);
}

TEST(Code, TravelsInAPlan) {
  const auto bytes = std::make_shared<const std::string>(to_bytes(sample()));
  plan::Plan plan;
  plan.graph.name = "g";
  plan.device_code = {{"sm_87", std::as_bytes(std::span(*bytes)), bytes}};
  const auto file = std::make_shared<const std::string>(plan::to_bytes(plan));
  const plan::Plan again = plan::from_bytes(std::as_bytes(std::span(*file)), file);
  ASSERT_EQ(again.device_code.size(), 1u);
  EXPECT_EQ(again.device_code[0].architecture, "sm_87");
  EXPECT_EQ(to_bytes(code_from_bytes(again.device_code[0].bytes)), *bytes);
  EXPECT_EQ(plan::to_bytes(again), *file);
}

}  // namespace
}  // namespace dlaexec::gpu
