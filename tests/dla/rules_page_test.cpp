#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

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

TEST(RulesPage, SaysTheSameInTextAndJson) {
  const std::string text = rules_text(), page = rules_markdown();
  const auto json = nlohmann::json::parse(rules_json())["rules"];
  ASSERT_EQ(json.size(), rule_table().size());
  size_t at = 0;
  for (const RuleRow& row : rule_table()) {
    const auto& entry = json[at++];
    EXPECT_EQ(entry["id"], row.rule.id);
    EXPECT_EQ(entry["limit"], ir::limit_text(row.rule));
    EXPECT_EQ(entry["reason"], row.rule.reason);
    for (const std::string& form : {text, page}) {
      EXPECT_NE(form.find(row.rule.id), std::string::npos) << row.rule.id;
      EXPECT_NE(form.find(ir::limit_text(row.rule)), std::string::npos) << row.rule.id;
      EXPECT_NE(form.find(row.rule.reason), std::string::npos) << row.rule.id;
    }
  }
}

}  // namespace
}  // namespace dlaexec::dla
