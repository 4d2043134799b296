// Matrix products of cuBLASLt: a library that need not be there, opened on first use.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gpu/device.h"
#include "ir/attributes.h"
#include "ir/type.h"

namespace dlaexec::gpu {

/// How the library describes one of its algorithms: for its own eyes, valid for one version.
struct Algorithm {
  std::array<uint64_t, 8> words{};
  friend bool operator==(const Algorithm&, const Algorithm&) = default;
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

/// y[batch][m][n] = activation(x[batch][m][k] * w[batch][n][k] + bias[n] + residual[batch][m][n]):
/// rows lie along the last axis, from row to row and from matrix to matrix it is so many elements.
struct LibraryProduct {
  struct Steps {
    int64_t row = 0, matrix = 0;
  };
  ir::DataType in = ir::DataType::Float16, out = ir::DataType::Float16;
  ir::ActivationKind activation = ir::ActivationKind::None;
  bool full = false;  ///< floats are multiplied as such, not as tf32
  int64_t batch = 1, m = 1, n = 1, k = 1;
  Steps x, w, y, residual;
  bool has_residual = false;
};

/// Bytes on which every matrix starts.
inline constexpr int64_t kLibraryAlignment = 16;

/// Why the library does not compute @p product, as a clause; nothing if it may.
std::optional<std::string> why_not_library(const LibraryProduct& product);

/// One way in which the library runs a product.
struct LibraryTactic {
  size_t version = 0;  ///< of the library that named it
  Algorithm algorithm;
  int64_t workspace_bytes = 0;
  friend bool operator==(const LibraryTactic&, const LibraryTactic&) = default;
};

/// "cuBLASLt 13.1.0" of 130100.
std::string library_name(size_t version);

/// "cublaslt 130100 w4194304 <the algorithm in hexadecimal>" and back; nothing for other texts.
std::string to_text(const LibraryTactic& tactic);
std::optional<LibraryTactic> parse_library_tactic(const std::string& text);

/// The library in use on the current device.
class CublasLt {
 public:
  /// The one that others hold, or a new one. Throws an Error when the library is not there.
  static std::shared_ptr<const CublasLt> open();
  ~CublasLt();
  CublasLt(const CublasLt&) = delete;
  CublasLt& operator=(const CublasLt&) = delete;

  const CublasLtFunctions& functions() const { return functions_; }
  Handle handle() const { return handle_; }
  std::string name() const { return library_name(functions_.version); }
  /// What the library's heuristics propose for @p product, best first, at most @p most, none of
  /// which takes more than @p workspace_bytes.
  std::vector<LibraryTactic> tactics(const LibraryProduct& product, size_t most,
                                     int64_t workspace_bytes) const;

 private:
  CublasLt();
  const CublasLtFunctions& functions_;
  Handle handle_ = nullptr;
};

/// What a product's operands are in device memory; zero where there is none.
struct ProductAddresses {
  Address x = 0, w = 0, bias = 0, residual = 0, y = 0, workspace = 0;
};

/// A product that is ready to be enqueued.
class LibraryLaunch {
 public:
  LibraryLaunch(std::shared_ptr<const CublasLt> library, const LibraryProduct& product,
                const LibraryTactic& tactic, const ProductAddresses& addresses);
  ~LibraryLaunch();
  LibraryLaunch(const LibraryLaunch&) = delete;
  LibraryLaunch& operator=(const LibraryLaunch&) = delete;

  void enqueue(const Stream& stream) const;

 private:
  friend class CublasLt;
  struct Description;
  std::shared_ptr<const CublasLt> library_;
  std::unique_ptr<Description> description_;
  LibraryTactic tactic_;
  ProductAddresses addresses_;
};

}  // namespace dlaexec::gpu
