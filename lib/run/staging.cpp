#include "run/staging.h"

#include <cstring>

namespace dlaexec::run {

Staging::Staging(const std::vector<gpu::Edge>& edges) : held_(edges.size()) {
  for (const gpu::Edge& edge : edges) buffers_.emplace_back(static_cast<size_t>(edge.bytes));
}

std::vector<bool> Staging::take(std::span<const ir::Tensor> inputs) {
  std::vector<bool> copied(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    const std::span<const std::byte> wanted = inputs[i].bytes(), here = held_[i].bytes();
    copied[i] = wanted.data() != here.data() || wanted.size() != here.size();
    if (!copied[i]) continue;
    std::memcpy(buffers_[i].bytes().data(), wanted.data(), wanted.size());
    held_[i] = inputs[i];
  }
  return copied;
}

}  // namespace dlaexec::run
