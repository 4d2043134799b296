// What tests of the built program on a machine with a CUDA device share; tests/fake_cuda stands in
// for the device. Kernels are compiled, for which NVRTC needs no device.
#pragma once

#include <cstdlib>
#include <optional>
#include <string>

#include "gpu/driver.h"
#include "program_test.h"

namespace dlaexec::cli {

/// A variable of the environment that has @p value while this lives, and then what it had.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    ::setenv(name, value.c_str(), 1);
  }
  ~Variable() {
    if (before_)
      ::setenv(name_, before_->c_str(), 1);
    else
      ::unsetenv(name_);
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

class OnADevice : public ProgramTest {
 protected:
  void SetUp() override {
    if (!gpu::find_nvrtc().table) GTEST_SKIP() << gpu::find_nvrtc().reason;
    libraries_.emplace("LD_LIBRARY_PATH", DLAEXEC_FAKE_CUDA);
    kernels_.emplace("DLAEXEC_KERNEL_CACHE", kernels());
    put("product.onnx", heavy(1).bytes());
  }
  const std::string build_ = "--onnx=product.onnx --skipInference --builderOptimizationLevel=2";

 private:
  std::optional<Variable> libraries_, kernels_;

  /// Compiled once for all tests.
  static const std::string& kernels() {
    static const std::string folder = test::temporary_dir();
    return folder;
  }
};

}  // namespace dlaexec::cli
