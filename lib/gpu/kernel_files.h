// The device code of lib/gpu/kernels, carried inside the binary as text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace dlaexec::gpu {

struct EmbeddedFile {
  std::string_view name;  ///< "conv_mma.cu"
  std::string text;
};

/// Every .cu and .cuh file of lib/gpu/kernels, by name.
extern const std::vector<EmbeddedFile> kKernelFiles;

}  // namespace dlaexec::gpu
