// Tensors as NumPy's .npy files.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "ir/tensor.h"

namespace dlaexec::ir {

/// The tensor in the bytes of a .npy file of version 1 to 3, row-major, little-endian. Element
/// types are those of DataType (no bfloat16) and float64, which becomes Float32. Throws an Error
/// that says what is wrong with @p name.
Tensor read_npy(std::span<const std::byte> bytes, std::string_view name);

/// The bytes of a .npy file; BFloat16, which NumPy does not know, is written as Float32.
std::string write_npy(const Tensor& tensor);

}  // namespace dlaexec::ir
