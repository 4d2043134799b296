// The rule table for people and programs: the page RULES.md and --listDlaRules.
#include <nlohmann/json.hpp>

#include "dla/rules.h"

namespace dlaexec::dla {
namespace {

/// The editions of a bit set: "all", "8.5, 8.6, 10.x", or "-".
std::string editions_text(uint8_t editions) {
  if (editions == kAll) return "all";
  std::vector<std::string_view> names;
  for (size_t i = 0; i < ir::kEnumText<Edition>.size(); ++i)
    if (editions & (1u << i)) names.push_back(ir::kEnumText<Edition>[i]);
  return names.empty() ? "-" : join(names, ", ");
}

std::string limit_of(const RuleRow& row) {
  return ir::limit_text(row.rule) + (row.on.int8_only ? " (INT8)" : "");
}

std::string padded(std::string text, size_t width) {
  text.resize(std::max(text.size() + 1, width), ' ');
  return text;
}

}  // namespace

std::string rules_text() {
  std::string page;
  for (const RuleRow& row : rule_table()) {
    page += padded(std::string(row.rule.id), 30) + limit_of(row) + "\n";
    page += padded("", 30) + std::string(row.rule.reason) + "\n";
    page += padded("", 30) + format("Xavier: {}; Orin: {}; {}. Source: {}\n",
                                    editions_text(row.on.xavier), editions_text(row.on.orin),
                                    ir::text(row.rule.effect), row.rule.source);
  }
  return page;
}

std::string rules_json() {
  nlohmann::ordered_json rules = nlohmann::ordered_json::array();
  for (const RuleRow& row : rule_table()) {
    nlohmann::ordered_json ops = nlohmann::ordered_json::array();
    for (const ir::OpInfo& op : ir::all_ops())
      if (row.rule.ops.contains(op.op)) ops.push_back(op.text);
    rules.push_back({{"id", row.rule.id},
                     {"ops", std::move(ops)},
                     {"limit", ir::limit_text(row.rule)},
                     {"reason", row.rule.reason},
                     {"effect", ir::text(row.rule.effect)},
                     {"xavier", editions_text(row.on.xavier)},
                     {"orin", editions_text(row.on.orin)},
                     {"int8_only", row.on.int8_only},
                     {"source", row.rule.source}});
  }
  return nlohmann::ordered_json{{"schema", "dlaexec.dla-rules/1"}, {"rules", std::move(rules)}}
             .dump(2) +
         "\n";
}

std::string rules_markdown() {
  std::string page =
      "# What the DLA asks of a layer\n\n"
      "Made from the table in `rules.cpp`; `dlaexec --listDlaRules` prints the same. A layer that "
      "breaks a rule goes to the\nGPU (with `--allowGPUFallback`) or ends the build. The columns "
      "Xavier and Orin name the TensorRT editions in which the\nrule holds; `--dlaRules` chooses "
      "the edition (8.5 on Xavier and 10.x on Orin unless told).\n\n"
      "| rule | asks for | reason | Xavier | Orin | source |\n"
      "|---|---|---|---|---|---|\n";
  for (const RuleRow& row : rule_table()) {
    const std::string warns = row.rule.effect == ir::Effect::Warns ? " (a warning)" : "";
    page +=
        format("| `{}` | {} | {}{} | {} | {} | {} |\n", row.rule.id, limit_of(row), row.rule.reason,
               warns, editions_text(row.on.xavier), editions_text(row.on.orin), row.rule.source);
  }
  return page;
}

}  // namespace dlaexec::dla
