#include "run/gpu_queries.h"

#include <chrono>

#include "base/error.h"

namespace dlaexec::run {
namespace {

Nanoseconds now() {
  return std::chrono::duration_cast<Nanoseconds>(
      std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace

GpuQueries::GpuQueries(const GpuPart& part, const GpuRun& run, gpu::Execution::Edges edges,
                       bool transfers)
    : part_(part),
      run_(run),
      computing_(run.execution().stream()),
      transfers_(transfers),
      known_(&origin_) {
  const gpu::Lowered& lowered = part.program().lowered();
  for (int i = 0; i < 2; ++i) {
    slots_.push_back({gpu::Execution(part.program(), {.arena = &run.execution()}, edges),
                      Staging(lowered.inputs),
                      {}});
    for (const gpu::Edge& edge : lowered.outputs)
      slots_.back().outputs.emplace_back(static_cast<size_t>(edge.bytes));
  }
  for (Slot& slot : slots_) slot.execution.launch(gpu::Execution::Launching::Graph);  // captures it
  computing_.record(origin_);
  computing_.synchronize();
  known_time_ = now();
}

/// Nothing may go on with memory that is given back.
GpuQueries::~GpuQueries() {
  try {
    part_.context().make_current();
    in_.synchronize();
    computing_.synchronize();
    out_.synchronize();
  } catch (const Error&) {  // the device is lost, and all that ran on it
  }
}

void GpuQueries::start(std::span<const ir::Tensor> inputs) {
  DLAEXEC_CHECK(started_ - finished_ < slots_.size());
  part_.context().make_current();
  Slot& here = slot(started_);
  Marks& times = marks(started_);
  upload(here, here.inputs.copy_new(inputs), times);
  compute(here, times);
  if (transfers_) {
    out_.wait(times.end_compute);
    out_.record(times.start_d2h);
    download(here);
    out_.record(times.end_d2h);
  }
  ++started_;
}

void GpuQueries::upload(Slot& slot, const std::vector<bool>& changed, Marks& times) {
  if (transfers_) in_.record(times.start_h2d);
  for (size_t i = 0; i < changed.size(); ++i)
    if (transfers_ || changed[i]) in_.upload(slot.execution.input(i), slot.inputs.bytes(i));
  in_.record(times.end_h2d);
  computing_.wait(times.end_h2d);
}

void GpuQueries::compute(Slot& slot, Marks& times) {
  computing_.record(times.start_compute);
  times.start_enqueue = now();
  slot.execution.launch(gpu::Execution::Launching::Graph);
  times.end_enqueue = now();
  computing_.record(times.end_compute);
}

void GpuQueries::download(Slot& slot) {
  for (size_t i = 0; i < slot.outputs.size(); ++i)
    out_.download(slot.outputs[i].bytes(), slot.execution.output(i));
}

QueryTimes GpuQueries::finish() {
  DLAEXEC_CHECK(finished_ < started_);
  part_.context().make_current();
  const Marks& times = marks(finished_++);
  (transfers_ ? times.end_d2h : times.end_compute).synchronize();
  QueryTimes query;
  query.start_enqueue = times.start_enqueue;
  query.end_enqueue = times.end_enqueue;
  query.start_compute = known_time_ + between(*known_, times.start_compute);
  known_ = &times.start_compute;
  known_time_ = query.start_compute;
  const Nanoseconds computing = between(times.start_compute, times.end_compute);
  query.end_compute = query.start_compute + computing;
  query.start_h2d = query.end_h2d = query.start_compute;
  query.start_d2h = query.end_d2h = query.end_compute;
  if (transfers_) {
    query.end_h2d -= between(times.end_h2d, times.start_compute);
    query.start_h2d -= between(times.start_h2d, times.start_compute);
    query.start_d2h += between(times.end_compute, times.start_d2h);
    query.end_d2h += between(times.end_compute, times.end_d2h);
  }
  for (const double share : run_.shares())
    query.steps.push_back(std::chrono::duration_cast<Nanoseconds>(computing * share));
  return query;
}

std::vector<ir::Tensor> GpuQueries::outputs() {
  DLAEXEC_CHECK(finished_ > 0);
  part_.context().make_current();
  Slot& last = slot(finished_ - 1);
  if (!transfers_) {
    download(last);
    out_.synchronize();
  }
  std::vector<ir::Tensor> outputs;
  for (const gpu::Edge& edge : part_.program().lowered().outputs)
    outputs.push_back(gpu::tensor_of(edge, last.outputs[outputs.size()].bytes()));
  return outputs;
}

}  // namespace dlaexec::run
