// A gate: one condition that a run must meet, and how it went.
//
// Console lines, the summary's "gates", JUnit XML, Markdown, annotations and the exit status are
// made from one list of gates. To add a gate: a row in flags.def (group Gates), a function in
// apps/dlaexec that returns a Gate, and its line in gates_of_job() of finish.cpp. Nothing else
// knows of single gates.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ir/enum_text.h"

namespace dlaexec::report {

enum class Outcome : uint8_t { Passed, Failed, Inconclusive };

struct Gate {
  std::string id;  ///< stable, lower case, dots between parts: "latency.max", "placement.dla"
  Outcome outcome = Outcome::Passed;
  /// For people: what was found, what is allowed.
  std::string sentence;
  /// The layers or figures at fault, one each, the guiltiest first; empty when the gate passed.
  std::vector<std::string> culprits;
};

/// What a gate that could not be decided counts as.
enum class Undecided : uint8_t { Itself, Pass, Fail };

/// The fault that the command ends with; nothing when every gate lets it pass.
std::optional<Fault> fault_of(std::span<const Gate> gates, Undecided undecided);

/// One sentence over all gates: "1 of 3 gates failed: latency.max".
std::string conclusion(std::span<const Gate> gates);

/// One line per gate and culprit, to the log: what failed as errors, what is undecided as warnings.
void print_gates(std::span<const Gate> gates);

/// The gates as an array of the summary's schema.
std::string gates_json(std::span<const Gate> gates);

}  // namespace dlaexec::report

DLAEXEC_ENUM_TEXT(dlaexec::report::Outcome, "passed", "failed", "inconclusive");
DLAEXEC_ENUM_TEXT(dlaexec::report::Undecided, "4", "pass", "fail");
