// Page-locked copies of a program's inputs.
#pragma once

#include <span>
#include <vector>

#include "gpu/device.h"
#include "gpu/lowered.h"
#include "ir/tensor.h"

namespace dlaexec::run {

/// Holds on to the tensors that it copied, so that their memory is nobody else's meanwhile.
class Staging {
 public:
  explicit Staging(const std::vector<gpu::Edge>& edges);

  /// Copies all of @p inputs.
  void copy(std::span<const ir::Tensor> inputs);
  /// The same without those in the memory that was copied last, whose elements the caller has not
  /// changed. True for each input that was copied.
  std::vector<bool> copy_new(std::span<const ir::Tensor> inputs);
  std::span<std::byte> bytes(size_t input) const { return buffers_[input].bytes(); }

 private:
  void copy(size_t input, const ir::Tensor& tensor);

  std::vector<gpu::PinnedBuffer> buffers_;
  std::vector<ir::Tensor> held_;
};

}  // namespace dlaexec::run
