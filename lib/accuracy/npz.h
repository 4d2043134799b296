// NumPy's .npz archives.
#pragma once

#include <string>
#include <vector>

#include "ir/tensor.h"

namespace dlaexec::accuracy {

/// Names of the arrays in the archive at @p path, without ".npy". Throws an Error that names the
/// file.
std::vector<std::string> npz_names(const std::string& path);

/// The array called @p name. Throws an Error that lists those there are when there is none so
/// called.
ir::Tensor read_npz(const std::string& path, const std::string& name);

}  // namespace dlaexec::accuracy
