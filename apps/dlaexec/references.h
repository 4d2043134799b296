// The accuracy gate: outputs against raw reference files.
#pragma once

#include <string>
#include <vector>

#include "accuracy/loss.h"
#include "gates.h"
#include "grammar.h"

namespace dlaexec::cli {

class Inference;

/// Inputs, and what the outputs must be for them.
struct ReferencePair {
  std::vector<NamedFile> inputs, outputs;
};

/// What --loadRefOutputs and its companions ask for; no pairs: nothing.
struct References {
  std::vector<ReferencePair> pairs;
  accuracy::Loss loss = accuracy::Loss::L0;
  accuracy::Tolerances tolerances;
  double threshold = 0;  ///< a loss that reaches it fails
};

/// Throws a usage Error for what contradicts itself; warns where builds differ from run to run.
References references_of(const Settings& settings);

/// Runs each pair's inputs once and compares; a gate for each output, its line on the log.
Gates reference_gates(const References& references, Inference& inference);

}  // namespace dlaexec::cli
