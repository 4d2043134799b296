#include "run/staging.h"

#include <cstring>

namespace dlaexec::run {

Staging::Staging(const std::vector<gpu::Edge>& edges) : held_(edges.size()) {
  for (const gpu::Edge& edge : edges) buffers_.emplace_back(static_cast<size_t>(edge.bytes));
}

void Staging::copy(std::span<const ir::Tensor> inputs) {
  for (size_t i = 0; i < inputs.size(); ++i) copy(i, inputs[i]);
}

std::vector<bool> Staging::copy_new(std::span<const ir::Tensor> inputs) {
  std::vector<bool> copied(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    const std::span<const std::byte> wanted = inputs[i].bytes(), here = held_[i].bytes();
    copied[i] = wanted.data() != here.data() || wanted.size() != here.size();
    if (copied[i]) copy(i, inputs[i]);
  }
  return copied;
}

void Staging::copy(size_t input, const ir::Tensor& tensor) {
  std::memcpy(buffers_[input].bytes().data(), tensor.bytes().data(), tensor.size_bytes());
  held_[input] = tensor;
}

}  // namespace dlaexec::run
