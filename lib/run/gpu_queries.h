// Queries of a plan that is one program of the device, under way while the host goes on.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "run/gpu_part.h"
#include "run/staging.h"
#include "run/timeline.h"

namespace dlaexec::run {

/// Two queries may be under way: the copies of one run beside the computing of the other. They
/// compute one after the other and share the memory between the steps.
class GpuQueries {
 public:
  /// @p run: whose memory between the steps and stream of computing are used. @p transfers false:
  /// inputs are copied only when they are not those of the query before in the same place, outputs
  /// when they are asked for.
  GpuQueries(const GpuPart& part, const GpuRun& run, gpu::Execution::Edges edges, bool transfers);
  ~GpuQueries();
  GpuQueries(const GpuQueries&) = delete;
  GpuQueries& operator=(const GpuQueries&) = delete;

  /// Hands a query over; two more than were waited for are a bug. Tensors that are given again hold
  /// what they held.
  void start(std::span<const ir::Tensor> inputs);
  /// Waits for the oldest query.
  QueryTimes finish();
  /// Of the query that was waited for last.
  std::vector<ir::Tensor> outputs();

 private:
  /// Where a query has its inputs and outputs.
  struct Slot {
    gpu::Execution execution;
    Staging inputs;
    std::vector<gpu::PinnedBuffer> outputs;
  };
  struct Marks {
    gpu::Event start_h2d, end_h2d, start_compute, end_compute, start_d2h, end_d2h;
    Nanoseconds start_enqueue{0}, end_enqueue{0};
  };

  Marks& marks(size_t query) { return marks_[query % marks_.size()]; }
  Slot& slot(size_t query) { return slots_[query % slots_.size()]; }
  void upload(Slot& slot, const std::vector<bool>& changed, Marks& marks);
  void compute(Slot& slot, Marks& marks);
  void download(Slot& slot);

  const GpuPart& part_;
  const GpuRun& run_;
  const gpu::Stream& computing_;
  gpu::Stream in_, out_;
  bool transfers_;
  std::vector<Slot> slots_;
  std::array<Marks, 3> marks_;  ///< those of two queries under way and of the one before
  size_t started_ = 0, finished_ = 0;
  /// The last event whose time is known, and its time.
  const gpu::Event* known_;
  Nanoseconds known_time_{0};
  gpu::Event origin_;
};

}  // namespace dlaexec::run
