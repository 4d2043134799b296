#include "base/printable.h"

#include <gtest/gtest.h>

namespace dlaexec {
namespace {

TEST(Printable, KeepsTextInAnyLanguage) {
  const std::string text = "naïve 'tensor:0' 日本 💥";
  EXPECT_EQ(printable(text), text);
}

TEST(Printable, LeavesNothingThatMovesACursor) {
  EXPECT_EQ(printable("a\033[31mb\r\n\x7f"), "a?[31mb???");
}

TEST(Printable, BytesThatAreNoTextAreMarked) {
  EXPECT_EQ(printable("a\xff\xfe"), "a??");
  EXPECT_EQ(printable("\xc3"), "?");         // cut short
  EXPECT_EQ(printable("\xe2\x82z"), "??z");  // interrupted
  EXPECT_EQ(printable("\xc0\xaf"), "??");    // longer than it need be
}

}  // namespace
}  // namespace dlaexec
