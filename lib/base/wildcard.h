// Names with wildcards, as --layerPrecisions and --layerDeviceTypes take them.
#pragma once

#include <string_view>

namespace dlaexec {

/// True if @p name is @p pattern, where each '*' stands for any number of characters.
bool matches_wildcard(std::string_view pattern, std::string_view name);

}  // namespace dlaexec
