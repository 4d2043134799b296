// A step of a plan that a DLA core runs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "dla/core/core.h"
#include "dla/loadable.h"
#include "ir/graph.h"
#include "plan/plan.h"
#include "run/engine.h"

namespace dlaexec::run {

/// A loadable and the values of the plan's graph that it reads and makes. Shared by all contexts.
class DlaPart {
 public:
  /// Throws an Error when the loadable does not fit the step @p node of @p graph.
  DlaPart(const ir::Graph& graph, int node, const plan::Loadable& loadable);

  int node() const { return node_; }
  const std::vector<ir::ValueId>& inputs() const { return inputs_; }
  const std::vector<ir::ValueId>& outputs() const { return outputs_; }
  const ir::Dims& output_dims(size_t output) const { return output_dims_[output]; }
  const dla::Loadable& loadable() const { return loadable_; }

 private:
  int node_;
  std::vector<ir::ValueId> inputs_, outputs_;
  std::vector<ir::Dims> output_dims_;
  dla::Loadable loadable_;
};

/// One context's use of a DlaPart: an emulated core, and what it last gave for what.
class DlaRun {
 public:
  /// @p options must outlive this.
  DlaRun(const DlaPart& part, ThreadPool& threads, const EngineOptions& options);

  /// The outputs for dense @p inputs; kept ones when the mode allows it and the inputs are the same
  /// as before.
  const std::vector<ir::Tensor>& run(const std::vector<ir::Tensor>& inputs);

 private:
  void emulate(const std::vector<ir::Tensor>& inputs);

  const DlaPart& part_;
  ThreadPool& threads_;
  const EngineOptions& options_;
  std::unique_ptr<dla::core::Core> core_;  ///< made when first needed
  std::vector<ir::Tensor> seen_, outputs_;
};

}  // namespace dlaexec::run
