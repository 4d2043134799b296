// INT8 ranges as the command line asks for them: a cache, data, Q/DQ layers; and what is kept of
// them.
#pragma once

#include "accuracy/image.h"
#include "build/options.h"
#include "settings.h"

namespace dlaexec::cli {

/// Makes the build find its INT8 ranges as the flags say, and write what --saveCalib and
/// --saveLayerPrecisions ask for. Throws an Error for a cache that cannot be read, and for flags
/// that contradict each other.
void set_ranges(build::Options& options, const Settings& settings);

/// --calibPreprocess.
accuracy::Preprocess preprocess_of(const Settings& settings);

/// Warns of calibration flags that do nothing in this command.
void warn_of_vain_calibration(const Settings& settings);

}  // namespace dlaexec::cli
