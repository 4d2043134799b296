// The samples that the command line names, for whatever judges a plan by them.
#pragma once

#include <string>

#include "accuracy/compare.h"
#include "accuracy/dataset.h"
#include "accuracy/validate.h"
#include "settings.h"

namespace dlaexec::cli {

/// Batches for a network.
struct Samples {
  std::string from;  ///< for people
  size_t count = 0;  ///< of batches
  accuracy::SampleSource sample;
};

/// At most --compareSamples of --compareData, --validate or --calibData, in this order of
/// preference; else random ones, with a warning. @p network must outlive the result.
Samples samples_for(const ir::Graph& network, const Settings& settings);

/// What the first output of @p network says of every sample in @p data.
accuracy::Validation classify(const accuracy::Dataset& data, accuracy::Peer& peer,
                              const ir::Graph& network);

}  // namespace dlaexec::cli
