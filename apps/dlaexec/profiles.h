// Optimization profiles: the shapes that the command line asks to build for.
#pragma once

#include <vector>

#include "build/options.h"
#include "settings.h"

namespace dlaexec::cli {

/// The shapes of every --profile=I, or of the only profile. Missing ones of min, opt and max are
/// made from the others, with a warning each; --shapes alone stands for all three.
std::vector<build::InputShape> build_shapes(const Settings& settings);

}  // namespace dlaexec::cli
