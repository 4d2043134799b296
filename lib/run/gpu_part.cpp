#include "run/gpu_part.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/error.h"
#include "base/log.h"

namespace dlaexec::run {
namespace {

std::vector<ir::ValueId> in_whole(const ir::Graph& whole, const ir::Graph& part,
                                  const std::vector<ir::ValueId>& ids) {
  std::vector<ir::ValueId> found;
  for (const ir::ValueId id : ids) found.push_back(whole.find_value(part.value(id).name).value());
  return found;
}

}  // namespace

Nanoseconds between(const gpu::Event& from, const gpu::Event& to) {
  return std::chrono::duration_cast<Nanoseconds>(gpu::elapsed(from, to));
}

std::optional<Gpu> open_gpu(const plan::Plan& plan, std::optional<int> device) {
  if (!device || plan.device_code.empty()) return std::nullopt;
  if (!gpu::find_driver().table) {
    log::info("The plan's GPU steps run on the host: {}", gpu::find_driver().reason);
    return std::nullopt;
  }
  auto context = std::make_unique<gpu::Context>(*device);
  const std::string wanted = context->target().architecture_name();
  for (const plan::DeviceCode& code : plan.device_code)
    if (code.architecture == wanted)
      return Gpu(std::move(context), gpu::code_from_bytes(code.bytes));
  fail(Fault::PlanMismatch,
       "the plan holds GPU code for {}, device {} ({}) needs {}; build the plan again on this "
       "machine, or run it on the host with --device=cpu",
       join(plan.device_code, ", ", [](const plan::DeviceCode& code) { return code.architecture; }),
       *device, context->target().name, wanted);
}

GpuPart::GpuPart(const ir::Graph& graph, std::vector<int> nodes, const Gpu& gpu)
    : context_(gpu.context()), nodes_(std::move(nodes)) {
  const ir::Graph part = ir::extract(graph, nodes_, graph.name);
  inputs_ = in_whole(graph, part, part.inputs);
  outputs_ = in_whole(graph, part, part.outputs);
  program_ = std::make_unique<gpu::Program>(
      gpu::lower(part, context_.target(), gpu::options_from(gpu.code())), gpu.code().cubins,
      context_);
}

GpuRun::GpuRun(const GpuPart& part, gpu::Execution::Edges edges)
    : part_(part), execution_(part.program(), edges), inputs_(part.program().lowered().inputs) {
  for (const gpu::Edge& edge : part.program().lowered().outputs) {
    outputs_.emplace_back(static_cast<size_t>(edge.bytes));
    sized_by_data_ |= edge.open_axis.has_value();
  }
  measure_shares();
}

/// On whatever the buffers hold: a kernel's time does not depend on the values it computes with,
/// unless they decide the size of its result.
void GpuRun::measure_shares() {
  execution_.profile();  // the first launches load code
  const auto times = execution_.profile();
  shares_.assign(part_.nodes().size(), 0);
  for (size_t i = 0; i < times.size(); ++i)
    shares_[static_cast<size_t>(part_.program().lowered().steps[i].node)] +=
        static_cast<double>(times[i].count());
  const double sum = std::accumulate(shares_.begin(), shares_.end(), 0.0);
  for (double& share : shares_) share = sum > 0 ? share / sum : 0;
}

std::vector<ir::Tensor> GpuRun::run(std::span<const ir::Tensor> inputs, Times& times) {
  part_.context().make_current();
  const gpu::Stream& stream = execution_.stream();
  inputs_.copy(inputs);
  stream.record(start_);
  for (size_t i = 0; i < inputs.size(); ++i) execution_.upload(i, inputs_.bytes(i));
  stream.record(copied_);
  execution_.launch(gpu::Execution::Launching::Graph);
  stream.record(computed_);
  download();
  times = {between(start_, copied_), between(copied_, computed_), between(computed_, end_)};
  if (sized_by_data_ && !std::exchange(measured_on_data_, true)) measure_shares();
  std::vector<ir::Tensor> outputs;
  for (const gpu::Edge& edge : part_.program().lowered().outputs)
    outputs.push_back(gpu::tensor_of(edge, outputs_[outputs.size()].bytes()));
  return outputs;
}

/// Outputs whose size data decides are copied in two parts, of which the second is seldom needed.
void GpuRun::download() {
  const gpu::Stream& stream = execution_.stream();
  const std::vector<gpu::Edge>& edges = part_.program().lowered().outputs;
  const auto synchronize = [&] {
    stream.record(end_);
    stream.synchronize();
  };
  for (size_t i = 0; i < outputs_.size(); ++i)
    execution_.download(i, outputs_[i].bytes().first(static_cast<size_t>(first_bytes(edges[i]))));
  synchronize();
  bool is_whole = true;
  for (size_t i = 0; i < outputs_.size(); ++i) {
    const std::span<std::byte> memory = outputs_[i].bytes();
    const std::span<const std::byte> elements = gpu::held(edges[i], memory).elements;
    const auto here = static_cast<size_t>(first_bytes(edges[i]));
    const auto end = static_cast<size_t>(elements.data() + elements.size() - memory.data());
    if (end <= here) continue;
    execution_.download(i, memory.subspan(here, end - here), here);
    is_whole = false;
  }
  if (!is_whole) synchronize();
}

}  // namespace dlaexec::run
