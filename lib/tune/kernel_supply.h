// Kernels compiled while others are measured.
#pragma once

#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/thread_pool.h"
#include "gpu/jit.h"
#include "gpu/lowered.h"

namespace dlaexec::tune {

/// Compiles kernels on all threads of a pool, in the order given, and hands out those that are
/// asked for as soon as they are made. Must not outlive the compiler and the pool.
class KernelSupply {
 public:
  KernelSupply(const gpu::Compiler& compiler, ThreadPool& pool,
               const std::vector<gpu::Kernel>& kernels);
  /// Leaves out what nobody has waited for.
  ~KernelSupply();
  KernelSupply(const KernelSupply&) = delete;
  KernelSupply& operator=(const KernelSupply&) = delete;

  /// The code of all that @p lowered launches, waited for, or made now where it was not given.
  /// Throws what compiling threw.
  std::vector<gpu::Cubin> code_of(const gpu::Lowered& lowered);

 private:
  void make(const gpu::Kernel& kernel);
  const gpu::Cubin& wait_for(const gpu::Kernel& kernel);

  const gpu::Compiler& compiler_;
  std::map<gpu::Kernel, std::optional<gpu::Cubin>> cubins_;  // no value: not made yet
  std::exception_ptr failure_;
  bool stopped_ = false;
  std::mutex mutex_;  // of all the above
  std::condition_variable made_;
  std::thread thread_;
};

}  // namespace dlaexec::tune
