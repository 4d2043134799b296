#include "onnx/operators.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "onnx/import.h"
#include "support/paths.h"

namespace dlaexec::onnx {
namespace {

TEST(Operators, ThePageIsUpToDate) {
  const std::string path = test::source_dir() + "/lib/onnx/OPERATORS.md";
  EXPECT_EQ(read_file(path), operators_markdown())
      << "write the text above, as the function gives it, to " << path;
}

TEST(Operators, RowsOfOneOperatorDoNotOverlapAndRangesAreOnes) {
  const auto rows = operators();
  for (size_t i = 0; i < rows.size(); ++i) {
    EXPECT_LE(rows[i].first_opset, rows[i].last_opset) << rows[i].name;
    EXPECT_GE(rows[i].first_opset, 1) << rows[i].name;
    for (size_t k = i + 1; k < rows.size(); ++k) {
      const bool same = rows[i].name == rows[k].name && rows[i].domain == rows[k].domain;
      EXPECT_FALSE(same && rows[i].last_opset >= rows[k].first_opset) << rows[i].name;
    }
  }
}

TEST(Operators, NewerOpsetsCountAsTheNewestKnown) {
  EXPECT_NE(find_operator("", "Conv", kNewestOpset + 5), nullptr);
  EXPECT_EQ(find_operator("", "Upsample", 10), nullptr);
  EXPECT_EQ(find_operator("strange", "Conv", 1), nullptr);
}

}  // namespace
}  // namespace dlaexec::onnx
