// How good a plan's outputs are, on the console and in the summary.
#pragma once

#include <optional>
#include <string>

#include "accuracy/compare.h"
#include "accuracy/tune.h"
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

/// What --tunePrecision tried.
struct PrecisionResult {
  double most_loss = 0;
  std::string unit;  ///< of losses: "points of top-1"
  accuracy::PrecisionSearch search;
};

/// What --compareTo, --validate and --tunePrecision found.
struct Accuracy {
  std::optional<PrecisionResult> precision;
  std::optional<accuracy::Comparison> comparison;
  std::optional<ValidationResult> validation;
};

/// One line per output and, where they were compared, per layer; then the validation. To the log.
void print_accuracy(const Accuracy& accuracy);

/// One choice of layers: its time, its loss, what it lifts.
std::string trial_text(const accuracy::PrecisionTrial& trial);

/// The Pareto points and the choice, to the log.
void print_precision(const PrecisionResult& result);

/// The summary's "accuracy".
std::string accuracy_json(const Accuracy& accuracy);

}  // namespace dlaexec::report
