// Libraries that need not be there, opened on first use: what each computes of a graph part in
// place of a kernel of this project, and how a tactic of theirs is written down.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gpu/device.h"
#include "gpu/library_kind.h"
#include "ir/attributes.h"
#include "ir/type.h"

namespace dlaexec::gpu {

/// What is said of a library.
struct LibraryInfo {
  LibraryKind kind;
  std::string_view name;   ///< "cuBLASLt"
  std::string_view tag;    ///< the first word of its tactics: "cublaslt"
  std::string_view flag;   ///< its name in --tacticSources: "CUBLAS_LT"
  std::string_view gives;  ///< what it computes: "products"
};
const LibraryInfo& info(LibraryKind kind);

/// "cuBLASLt 13.1.0" of 130100.
std::string library_name(LibraryKind kind, size_t version);

/// One way in which a library runs a problem.
struct LibraryTactic {
  LibraryKind library = LibraryKind::CublasLt;
  size_t version = 0;  ///< of the library that named it
  int64_t workspace_bytes = 0;
  std::string algorithm;  ///< in the library's own words, valid for that version
  friend bool operator==(const LibraryTactic&, const LibraryTactic&) = default;
};

/// "cublaslt 130100 w4194304 <algorithm>" and back; nothing for other texts.
std::string to_text(const LibraryTactic& tactic);
std::optional<LibraryTactic> parse_library_tactic(const std::string& text);

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

/// y = activation(x convolved with w + bias + residual), all of them dense: images [n][h][w][c],
/// weights [k][taps][c of a group].
struct LibraryConvolution {
  ir::DataType type = ir::DataType::Float16;  ///< of all operands
  ir::ActivationKind activation = ir::ActivationKind::None;
  bool full = false;  ///< floats are multiplied as such, not as tf32
  int64_t images = 1, c = 1, h = 1, w = 1, k = 1, out_h = 1, out_w = 1, groups = 1;
  int64_t taps_h = 1, taps_w = 1, stride_h = 1, stride_w = 1, pad_h = 0, pad_w = 0;
  int64_t dilation_h = 1, dilation_w = 1;
  bool has_residual = false;
};

using LibraryProblem = std::variant<LibraryProduct, LibraryConvolution>;

/// Bytes on which every operand starts.
inline constexpr int64_t kLibraryAlignment = 16;

/// Where operands lie in device memory; zero where there is none.
struct LibraryAddresses {
  Address x = 0, w = 0, bias = 0, residual = 0, y = 0, workspace = 0;
};

/// A problem that is ready to be enqueued. Lives no longer than its library.
class LibraryLaunch {
 public:
  virtual ~LibraryLaunch() = default;
  virtual void enqueue(const Stream& stream) const = 0;
};

/// A library in use on the current device; threads may share it.
class Library {
 public:
  virtual ~Library() = default;
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  LibraryKind kind() const { return kind_; }
  size_t version() const { return version_; }
  const std::string& path() const { return path_; }  ///< the file that was opened
  std::string name() const { return library_name(kind_, version_); }
  /// What the library proposes for @p problem, best first, at most @p most, none of which takes
  /// more than @p workspace_bytes. Nothing for problems that it does not compute.
  virtual std::vector<LibraryTactic> tactics(const LibraryProblem& problem, size_t most,
                                             int64_t workspace_bytes) const = 0;
  /// @p tactic, which this library proposed for @p problem, on operands at @p addresses.
  virtual std::unique_ptr<LibraryLaunch> launch(const LibraryProblem& problem,
                                                const LibraryTactic& tactic,
                                                const LibraryAddresses& addresses) const = 0;

 protected:
  Library(LibraryKind kind, size_t version, const std::string& path)
      : kind_(kind), version_(version), path_(path) {}

 private:
  LibraryKind kind_;
  size_t version_;
  std::string path_;
};

using Libraries = std::vector<std::shared_ptr<const Library>>;

/// Why there is no such library on this machine, a sentence without a full stop; empty if there is.
const std::string& why_no_library(LibraryKind kind);

/// The library that others hold, or a new one. Throws an Error when it is not there.
std::shared_ptr<const Library> open_library(LibraryKind kind);

/// The library that a plan's @p tactic needs; throws an Error when it is missing or of another
/// version than the one that named the tactic.
std::shared_ptr<const Library> library_for(const LibraryTactic& tactic);

}  // namespace dlaexec::gpu
