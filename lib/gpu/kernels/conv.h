// Convolutions: what they ask for, and the tactics that run them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gpu/kernels/conv_problem.h"
#include "gpu/lowering.h"
#include "gpu/product.h"

namespace dlaexec::gpu {

/// True if the only user of @p reformat's result is a convolution of few channels that copies its
/// input into an image of its own: that copy changes type and layout on the way.
bool feeds_image(const ir::Graph& graph, const ir::Node& reformat, const Target& target);

/// @p c as a product that reads the pixels of @p x as they lie and writes @p y.
Product product_of(Lowering& lowering, const Conv& c, const View& x, const View& y);

}  // namespace dlaexec::gpu
