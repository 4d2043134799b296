// --tacticSources: libraries whose tactics the builder measures beside its own.
#pragma once

#include <vector>

#include "gpu/library_kind.h"
#include "grammar.h"
#include "settings.h"

namespace dlaexec::cli {

/// The entries of --tacticSources; an unknown name is an Error.
std::vector<SignedName> tactic_sources(const Settings& settings);

/// The libraries that are asked for; none without the flag.
std::vector<gpu::LibraryKind> libraries_of(const Settings& settings);

/// Warns of libraries that are asked for and that this program takes nothing from.
void warn_of_tactic_sources(const Settings& settings);

}  // namespace dlaexec::cli
