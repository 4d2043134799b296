// Names with wildcards, as --layerPrecisions and --layerDeviceTypes take them.
#pragma once

#include <string>
#include <string_view>

namespace dlaexec {

/// True if @p name is @p pattern, where each '*' stands for any number of characters.
bool matches_wildcard(std::string_view pattern, std::string_view name);

/// The entry of @p by_pattern, a map, that speaks for @p name: the one under the name itself, else
/// under the longest pattern that matches; null where none does.
template <class Map>
const typename Map::value_type* entry_for(const Map& by_pattern, const std::string& name) {
  if (const auto exact = by_pattern.find(name); exact != by_pattern.end()) return &*exact;
  const typename Map::value_type* best = nullptr;
  for (const auto& entry : by_pattern)
    if (matches_wildcard(entry.first, name) &&
        (best == nullptr || entry.first.size() > best->first.size()))
      best = &entry;
  return best;
}

}  // namespace dlaexec
