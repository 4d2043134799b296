#include "report/gate.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "report/text.h"

namespace dlaexec::report {
namespace {

size_t count(std::span<const Gate> gates, Outcome outcome) {
  return static_cast<size_t>(std::count_if(
      gates.begin(), gates.end(), [&](const Gate& gate) { return gate.outcome == outcome; }));
}

log::Severity severity_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::Passed:
      return log::Severity::Info;
    case Outcome::Failed:
      return log::Severity::Error;
    case Outcome::Inconclusive:
      return log::Severity::Warning;
  }
  return log::Severity::Info;
}

std::string ids_of(std::span<const Gate> gates, Outcome outcome) {
  std::vector<std::string> ids;
  for (const Gate& gate : gates)
    if (gate.outcome == outcome) ids.push_back(gate.id);
  return join(ids, ", ");
}

}  // namespace

std::optional<Fault> fault_of(std::span<const Gate> gates, Undecided undecided) {
  const bool is_open = count(gates, Outcome::Inconclusive) > 0;
  if (count(gates, Outcome::Failed) > 0 || (is_open && undecided == Undecided::Fail))
    return Fault::Gate;
  if (is_open && undecided == Undecided::Itself) return Fault::Inconclusive;
  return std::nullopt;
}

std::string conclusion(std::span<const Gate> gates) {
  for (const Outcome outcome : {Outcome::Failed, Outcome::Inconclusive})
    if (const size_t missed = count(gates, outcome); missed > 0)
      return format("{} of {} gate{} {}: {}", missed, gates.size(), gates.size() == 1 ? "" : "s",
                    ir::text(outcome), ids_of(gates, outcome));
  return format("{} gate{} passed", gates.size(), gates.size() == 1 ? "" : "s");
}

void print_gates(std::span<const Gate> gates) {
  if (gates.empty()) return;
  log::info("");
  log::info("=== Gates ===");
  for (const Gate& gate : gates) {
    log::write(severity_of(gate.outcome),
               format("{} {}: {}", ir::text(gate.outcome), gate.id, gate.sentence));
    for (const std::string& culprit : gate.culprits)
      log::write(severity_of(gate.outcome), format("    {}", culprit));
  }
}

std::string gates_json(std::span<const Gate> gates) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Gate& gate : gates)
    list.push_back({{"id", gate.id},
                    {"outcome", ir::text(gate.outcome)},
                    {"sentence", gate.sentence},
                    {"culprits", gate.culprits}});
  return list.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace dlaexec::report
