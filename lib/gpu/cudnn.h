// Convolutions of cuDNN 9, described by its graph API: unlike the older calls, which know one
// algorithm for pixels of many channels, it names every kernel with its settings.
//
// Not asked for:
// - depthwise convolutions: no kernel of the library's adds their bias but one far slower than ours
// - first layers of few channels: their kernels read the input as it lies, or pixels that overlap
// - activations other than ReLU: the library compiles kernels for them when a plan is loaded
// - integers, and results of another type than the inputs
// - groups whose channels do not fill 16 bytes: what pads them would fall between the groups
// - deconvolutions, and launches that run several layers
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "gpu/library.h"

namespace dlaexec::gpu {

/// The functions of libcudnn.
struct CudnnFunctions {
#define DLAEXEC_CUDNN(symbol, name, arguments) Result(*name) arguments = nullptr;
#include "gpu/cudnn.def"
  const char* (*error_string)(Result) = nullptr;
  size_t (*version_number)() = nullptr;
  size_t version = 0;  ///< 91900 for 9.19.0
  std::string path;    ///< the file that was opened
};

/// libcudnn, opened by the first call: looked for as find_nvrtc() does.
const Loaded<CudnnFunctions>& find_cudnn();

/// cuDNN, which must be there, in use on the current device.
std::shared_ptr<const Library> open_cudnn();

/// Why the library does not compute @p convolution, as a clause; nothing if it may.
std::optional<std::string> why_not_library(const LibraryConvolution& convolution);

}  // namespace dlaexec::gpu
