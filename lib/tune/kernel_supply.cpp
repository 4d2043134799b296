#include "tune/kernel_supply.h"

#include "gpu/program.h"

namespace dlaexec::tune {

KernelSupply::KernelSupply(const gpu::Compiler& compiler, ThreadPool& pool,
                           const std::vector<gpu::Kernel>& kernels)
    : compiler_(compiler) {
  std::vector<gpu::Kernel> different;
  for (const gpu::Kernel& kernel : kernels)
    if (cubins_.try_emplace(kernel).second) different.push_back(kernel);
  thread_ = std::thread([this, &pool, different = std::move(different)] {
    pool.parallel_for(std::ssize(different),
                      [&](int64_t i) { make(different[static_cast<size_t>(i)]); });
  });
}

KernelSupply::~KernelSupply() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  thread_.join();
}

/// Throws nothing: what fails is told to whoever waits.
void KernelSupply::make(const gpu::Kernel& kernel) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_ || failure_) return;
  }
  std::optional<gpu::Cubin> cubin;
  std::exception_ptr failure;
  try {
    cubin = compiler_.compile(kernel);
  } catch (...) {
    failure = std::current_exception();
  }
  const std::lock_guard lock(mutex_);
  if (failure)
    failure_ = failure;
  else
    cubins_[kernel] = std::move(cubin);
  made_.notify_all();
}

const gpu::Cubin& KernelSupply::wait_for(const gpu::Kernel& kernel) {
  std::unique_lock lock(mutex_);
  const auto at = cubins_.find(kernel);
  if (at == cubins_.end()) {
    lock.unlock();
    make(kernel);
    lock.lock();
  }
  std::optional<gpu::Cubin>& cubin = cubins_[kernel];
  made_.wait(lock, [&] { return cubin.has_value() || failure_; });
  if (failure_) std::rethrow_exception(failure_);
  return *cubin;  // stays where it is, and as it is
}

std::vector<gpu::Cubin> KernelSupply::code_of(const gpu::Lowered& lowered) {
  std::vector<gpu::Cubin> code;
  for (const gpu::Kernel& kernel : gpu::kernels_of(lowered)) code.push_back(wait_for(kernel));
  return code;
}

}  // namespace dlaexec::tune
