// Every tensor of a network for given inputs: what calibration and layer-wise comparison look at.
#pragma once

#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "cpu/program.h"
#include "ir/graph.h"

namespace dlaexec::accuracy {

/// Runs a network on the host engine with all its float tensors as outputs. The network is the one
/// before fusion and before types are fixed, so that every tensor has the model's name; it is not
/// changed, and neither is what a plan of it would do.
class Taps {
 public:
  /// @p graph must have static shapes; @p pool must outlive this.
  Taps(const ir::Graph& graph, ThreadPool& pool);

  /// Names of the tensors, inputs first, in the order of run()'s result.
  const std::vector<std::string>& names() const { return names_; }

  /// Every tensor for @p inputs, which come in the order of the graph's inputs.
  std::vector<ir::Tensor> run(const std::vector<ir::Tensor>& inputs);

 private:
  std::vector<std::string> names_;
  std::vector<size_t> tapped_inputs_;  ///< which of the graph's inputs are floats
  cpu::Program program_;
};

}  // namespace dlaexec::accuracy
