// Page-locked copies of a program's inputs.
#pragma once

#include <span>
#include <vector>

#include "gpu/device.h"
#include "gpu/lowered.h"
#include "ir/tensor.h"

namespace dlaexec::run {

/// Holds on to the tensors that it copied: tensors do not change once they are handed on, so the
/// same memory again needs no copy.
class Staging {
 public:
  explicit Staging(const std::vector<gpu::Edge>& edges);

  /// Copies what is not there yet. True for each input that was copied.
  std::vector<bool> take(std::span<const ir::Tensor> inputs);
  std::span<std::byte> bytes(size_t input) const { return buffers_[input].bytes(); }

 private:
  std::vector<gpu::PinnedBuffer> buffers_;
  std::vector<ir::Tensor> held_;
};

}  // namespace dlaexec::run
