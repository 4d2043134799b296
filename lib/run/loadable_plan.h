// A loadable file as something that runs.
#pragma once

#include <memory>
#include <span>

#include "plan/plan.h"

namespace dlaexec::run {

/// A plan whose only step is the loadable in @p bytes, which @p owner keeps alive: inputs and
/// outputs are the loadable's own, in the DLA's formats, for the newest board of its generation.
/// Throws an Error for bytes that are no loadable.
plan::Plan plan_of_loadable(std::span<const std::byte> bytes, std::shared_ptr<const void> owner);

}  // namespace dlaexec::run
