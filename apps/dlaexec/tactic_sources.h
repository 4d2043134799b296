// --tacticSources: libraries whose tactics the builder measures beside its own.
#pragma once

#include <vector>

#include "grammar.h"
#include "settings.h"

namespace dlaexec::cli {

/// The entries of --tacticSources; an unknown name is an Error.
std::vector<SignedName> tactic_sources(const Settings& settings);

/// True if cuBLASLt's tactics are asked for; without the flag they are not.
bool takes_cublaslt(const Settings& settings);

/// Warns of libraries that are asked for and that this program takes nothing from.
void warn_of_tactic_sources(const Settings& settings);

}  // namespace dlaexec::cli
