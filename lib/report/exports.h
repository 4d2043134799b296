// The export files of trtexec, byte for byte in its shape, but always valid JSON.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "bench/figures.h"
#include "bench/result.h"
#include "ir/tensor.h"
#include "report/dla_operations.h"

namespace dlaexec::report {

/// --exportTimes: one record a line per timed query.
std::string times_json(const bench::Result& result);

/// --exportProfile: the count of iterations, then one record a line per step. The operations
/// @p inside DLA steps follow their step; they are parts of it.
std::string profile_json(const bench::Profile& profile, std::span<const DlaStep> inside = {});

/// The table of --dumpProfile, to the log.
void print_profile(const bench::Profile& profile, std::span<const DlaStep> inside = {});

/// A network output, or input, with its elements.
struct NamedTensor {
  std::string name;
  ir::Tensor tensor;
};

/// --exportOutput: name, dimensions and values of each output.
std::string outputs_json(const std::vector<NamedTensor>& outputs);

/// --dumpOutput, to the log.
void print_outputs(const std::vector<NamedTensor>& outputs);

/// The file of --dumpRawBindingsToFile: "scores.output.1.1000.Float.raw".
std::string raw_binding_name(const NamedTensor& binding, bool is_input);

}  // namespace dlaexec::report
