// Kernel source to machine code through NVRTC, which needs no device; results kept in a folder.
#pragma once

#include <compare>
#include <cstddef>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "base/thread_pool.h"

namespace dlaexec::gpu {

/// One instance of a kernel template: the embedded file and the C++ name expression in it. Or a
/// generated source under a name of its own, which tells it from every other.
struct Kernel {
  std::string file;         ///< "pool.cu"
  std::string expression;   ///< "pool<half, Max>"
  std::string source = {};  ///< generated; empty: the embedded file's
  friend bool operator==(const Kernel& a, const Kernel& b) {
    return a.file == b.file && a.expression == b.expression;
  }
  friend auto operator<=>(const Kernel& a, const Kernel& b) {
    return std::tie(a.file, a.expression) <=> std::tie(b.file, b.expression);
  }
};

/// Machine code of one kernel for one architecture.
struct Cubin {
  Kernel kernel;
  std::string function;  ///< the mangled name to look up in the code
  int registers = 0;     ///< per thread
  int spill_bytes = 0;   ///< per thread, stores and loads to local memory together
  std::string code;
};

/// Compiles kernels for one architecture, keeping what it makes in a folder between runs.
class Compiler {
 public:
  /// @p cache_folder may be empty: nothing is kept. Throws an Error when there is no NVRTC or it
  /// does not know @p architecture ("sm_87", "sm_90a").
  Compiler(std::string architecture, std::string cache_folder);

  /// Throws an Error with the compiler's log when the source does not compile.
  Cubin compile(const Kernel& kernel) const;

  /// compile() for each, on all threads of @p pool, in the order given.
  std::vector<Cubin> compile(std::span<const Kernel> kernels, ThreadPool& pool) const;

  const std::string& architecture() const { return architecture_; }

 private:
  std::string key(const Kernel& kernel) const;

  std::string architecture_;
  std::string cache_folder_;
  std::vector<std::string> options_;
};

/// Where kernels are kept: $DLAEXEC_KERNEL_CACHE, else dlaexec/kernels below $XDG_CACHE_HOME or
/// ~/.cache; empty when the environment names no home.
std::string default_kernel_cache();

}  // namespace dlaexec::gpu
