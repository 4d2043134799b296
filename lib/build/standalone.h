// DLA standalone mode: a network as one loadable and nothing else.
#pragma once

#include <cstddef>
#include <span>

#include "build/options.h"
#include "plan/plan.h"

namespace dlaexec::build {

/// Throws a Usage error unless @p options can give a loadable alone: a DLA core, no GPU fallback,
/// and for each input and output exactly one of the DLA's own formats.
void require_standalone(const Options& options);

/// The loadable that @p plan consists of. Throws an Error that lists the other steps when it is not
/// exactly one.
std::span<const std::byte> sole_loadable(const plan::Plan& plan);

}  // namespace dlaexec::build
