#include <gtest/gtest.h>

#include <cstdlib>

#include "base/file.h"
#include "dla/rules.h"
#include "support/paths.h"

namespace dlaexec::dla {
namespace {

TEST(RulesPage, IsWhatTheTableSays) {
  const std::string path = test::source_dir() + "/lib/dla/RULES.md";
  if (std::getenv("DLAEXEC_ACCEPT_GOLDEN")) write_file(path, rules_markdown());
  EXPECT_EQ(read_file(path), rules_markdown())
      << "the table changed: run this test with DLAEXEC_ACCEPT_GOLDEN=1 and review the page";
}

TEST(RulesPage, NamesEveryRuleInTextAndJson) {
  const std::string text = rules_text(), json = rules_json();
  for (const RuleRow& row : rule_table()) {
    EXPECT_NE(text.find(std::string(row.rule.id) + " "), std::string::npos) << row.rule.id;
    EXPECT_NE(json.find(format("\"id\": \"{}\"", row.rule.id)), std::string::npos) << row.rule.id;
  }
}

}  // namespace
}  // namespace dlaexec::dla
