// Convolutions: what they ask for, and the tactics that run them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gpu/lowering.h"

namespace dlaexec::gpu {

/// True if the only user of @p reformat's result is a convolution of few channels that copies its
/// input into an image of its own: that copy changes type and layout on the way.
bool feeds_image(const ir::Graph& graph, const ir::Node& reformat, const Target& target);

}  // namespace dlaexec::gpu
