// Matrix products of cuBLASLt.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "gpu/library.h"

namespace dlaexec::gpu {

/// cublasLtMatmulAlgo_t: for the library's own eyes.
struct Algorithm {
  std::array<uint64_t, 8> words{};
};

/// cublasLtMatmulHeuristicResult_t.
struct HeuristicResult {
  Algorithm algorithm;
  size_t workspace_bytes;
  int status;
  float waves;
  int reserved[4];
};
static_assert(sizeof(HeuristicResult) == 96);

/// The functions of libcublasLt.
struct CublasLtFunctions {
#define DLAEXEC_CUBLASLT(symbol, name, arguments) Result(*name) arguments = nullptr;
#include "gpu/cublaslt.def"
  size_t (*version_number)() = nullptr;
  size_t version = 0;  ///< 130100 for 13.1.0
  std::string path;    ///< the file that was opened
};

/// libcublasLt, opened by the first call: looked for as find_nvrtc() does.
const Loaded<CublasLtFunctions>& find_cublaslt();

/// cuBLASLt, which must be there, in use on the current device.
std::shared_ptr<const Library> open_cublaslt();

/// Why the library does not compute @p product, as a clause; nothing if it may.
std::optional<std::string> why_not_library(const LibraryProduct& product);

}  // namespace dlaexec::gpu
