// What is in a plan, for people (text) and for programs (JSON). Reads no weights.
#pragma once

#include <string>

#include "plan/file.h"

namespace dlaexec::plan {

/// Several lines: the file, the model, inputs and outputs, steps, layers with reasons, notes.
std::string list(const Plan& plan, const Header& header);

/// The same as one JSON object; keys carry their units.
std::string list_json(const Plan& plan, const Header& header);

}  // namespace dlaexec::plan
