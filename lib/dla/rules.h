// Which layers a DLA takes and why not the others: one table for both generations and all rule
// editions.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dla/generation.h"
#include "ir/rule.h"

namespace dlaexec::dla {

/// The TensorRT release whose restrictions hold.
enum class Edition : uint8_t { V8_4, V8_5, V8_6, V10 };

/// What a layer is checked against.
struct Target {
  Generation generation = Generation::Orin;
  Edition edition = Edition::V10;
  ir::DataType precision = ir::DataType::Float16;  ///< that the layer would compute in
};

/// Rule editions as bits.
enum Editions : uint8_t {
  kNone = 0,
  k84 = 1,
  k85 = 2,
  k86 = 4,
  k10 = 8,
  kBefore85 = k84,
  kBefore86 = k84 | k85,
  kFrom85 = k85 | k86 | k10,
  kFrom86 = k86 | k10,
  kAll = 15,
};

/// Where a rule holds: editions for each generation, and precisions.
struct RuleScope {
  uint8_t xavier = kAll;
  uint8_t orin = kAll;
  bool int8_only = false;

  bool holds_on(Generation generation, Edition edition) const;
};

/// One row of the table.
struct RuleRow {
  ir::Rule rule;
  RuleScope on = {};
};

/// 8.5 on Xavier, where its support ended, 10.x on Orin.
Edition default_edition(Generation generation);

/// Whether that release of TensorRT knows @p generation.
bool is_known(Generation generation, Edition edition);

/// Every rule that @p node breaks on @p target, in the table's order. No refusal among them means
/// that the layer alone can run there.
std::vector<ir::Finding> check(const ir::Graph& graph, const ir::Node& node, const Target& target);

/// Loadables that one core holds at once: a rule of the table, network.loadables.
int loadable_cap(Generation generation, Edition edition);

/// Whether layers of different batch must not share a loadable: a rule of the table,
/// network.one-batch.
bool keeps_batches_apart(Generation generation, Edition edition);

/// The largest batch that a DLA layer may have: a rule of the table, general.batch.
int largest_batch();

/// The whole table, in the order of reports and pages.
std::span<const RuleRow> rule_table();

/// The table as aligned text, for --listDlaRules.
std::string rules_text();
/// The table as JSON, for --listDlaRules=json.
std::string rules_json();
/// The table as the page lib/dla/RULES.md.
std::string rules_markdown();

}  // namespace dlaexec::dla

DLAEXEC_ENUM_TEXT(dlaexec::dla::Edition, "8.4", "8.5", "8.6", "10.x");
