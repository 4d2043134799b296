// Consecutive steps of a plan that a CUDA device runs as one program.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "gpu/code.h"
#include "gpu/cut.h"
#include "gpu/program.h"
#include "plan/plan.h"
#include "run/staging.h"
#include "run/timeline.h"

namespace dlaexec::run {

/// The device that an engine uses, with the plan's code for it.
class Gpu {
 public:
  Gpu(std::unique_ptr<gpu::Context> context, gpu::Code code)
      : context_(std::move(context)), code_(std::make_unique<gpu::Code>(std::move(code))) {}
  const gpu::Context& context() const { return *context_; }
  const gpu::Code& code() const { return *code_; }
  /// Which of @p nodes the device runs.
  std::vector<gpu::Run> cut(const ir::Graph& graph, const std::vector<int>& nodes) const {
    return gpu::cut(graph, nodes, context_->target());
  }

 private:
  std::unique_ptr<gpu::Context> context_;
  std::unique_ptr<gpu::Code> code_;
};

/// The device for @p plan. None when @p device has no value, without a CUDA driver, or when the
/// plan holds no device code; where that may surprise, the log says so. A device of an architecture
/// that the plan holds no code for ends in an Error (Fault::PlanMismatch).
std::optional<Gpu> open_gpu(const plan::Plan& plan, std::optional<int> device);

/// Time on the device between two events that have happened.
Nanoseconds between(const gpu::Event& from, const gpu::Event& to);

/// GPU steps of a plan: loaded once, shared by all contexts of an engine.
class GpuPart {
 public:
  GpuPart(const ir::Graph& graph, std::vector<int> nodes, const Gpu& gpu);

  const std::vector<ir::ValueId>& inputs() const { return inputs_; }
  const std::vector<ir::ValueId>& outputs() const { return outputs_; }
  /// The nodes of the whole graph, in order.
  const std::vector<int>& nodes() const { return nodes_; }
  const gpu::Program& program() const { return *program_; }
  const gpu::Context& context() const { return context_; }

 private:
  const gpu::Context& context_;
  std::vector<int> nodes_;
  std::vector<ir::ValueId> inputs_, outputs_;
  std::unique_ptr<gpu::Program> program_;
};

/// One context's executions of a part.
class GpuRun {
 public:
  GpuRun(const GpuPart& part, gpu::Execution::Edges edges);

  /// What an execution took on the device.
  struct Times {
    Nanoseconds h2d{0}, compute{0}, d2h{0};
  };

  /// Runs the part as one CUDA graph between copies from and to pinned memory; all is waited for.
  std::vector<ir::Tensor> run(std::span<const ir::Tensor> inputs, Times& times);

  /// Each node's share of the computing, measured with every launch alone between events; the
  /// shares are 1 together. Measured once, and where data decides how much there is to do again on
  /// the first inputs.
  const std::vector<double>& shares() const { return shares_; }
  const gpu::Execution& execution() const { return execution_; }

 private:
  void measure_shares();
  void download();

  const GpuPart& part_;
  gpu::Execution execution_;
  Staging inputs_;
  std::vector<gpu::PinnedBuffer> outputs_;
  gpu::Event start_, copied_, computed_, end_;
  std::vector<double> shares_;
  bool sized_by_data_ = false, measured_on_data_ = false;
};

}  // namespace dlaexec::run
