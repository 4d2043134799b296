// On a Jetson, its own DLA is what is modelled.
#pragma once

#include <optional>

#include "dla/jetson.h"
#include "settings.h"

namespace dlaexec::cli {

/// @p settings with the platform of @p jetson, where a plan is built and no --platform is given;
/// says so in the log. A plan that is loaded brings its platform.
Settings with_jetson(Settings settings, const std::optional<dla::Jetson>& jetson);

}  // namespace dlaexec::cli
