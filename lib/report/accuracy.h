// How good a plan's outputs are, on the console and in the summary.
#pragma once

#include <optional>
#include <string>

#include "accuracy/compare.h"
#include "accuracy/validate.h"

namespace dlaexec::report {

/// A classifier on labelled samples, alone or beside another engine.
struct ValidationResult {
  std::string manifest;
  accuracy::Validation plan;
  accuracy::PeerKind peer_kind = accuracy::PeerKind::Fp32;  ///< meaningful with a peer
  std::optional<accuracy::Validation> peer;
  std::optional<accuracy::Paired> loss;  ///< of the plan against the peer
};

/// What --compareTo and --validate found.
struct Accuracy {
  std::optional<accuracy::Comparison> comparison;
  std::optional<ValidationResult> validation;
};

/// One line per output and, where they were compared, per layer; then the validation. To the log.
void print_accuracy(const Accuracy& accuracy);

/// The summary's "accuracy".
std::string accuracy_json(const Accuracy& accuracy);

}  // namespace dlaexec::report
