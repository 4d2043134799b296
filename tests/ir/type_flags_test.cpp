#include "ir/type_flags.h"

#include <gtest/gtest.h>

namespace dlaexec::ir {
namespace {

TEST(TypeFlags, AreReadBackAsWritten) {
  EXPECT_EQ(kFlagTypes.size(), kEnumText<DataType>.size());
  for (size_t i = 0; i < kFlagTypes.size(); ++i) {
    const auto type = static_cast<DataType>(i);
    EXPECT_EQ(type_of_flag(flag_text(type)), type);
  }
  EXPECT_EQ(flag_text(DataType::Float16), "fp16");
  EXPECT_EQ(flag_text(DataType::Bool), "bool");
  EXPECT_FALSE(type_of_flag("f16"));  // as listings write it
}

}  // namespace
}  // namespace dlaexec::ir
