#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "run/compose.h"
#include "run/engine_state.h"
#include "run/gpu_queries.h"

namespace dlaexec::run {
namespace {

using Clock = std::chrono::steady_clock;

/// Throws an Error unless @p tensor can be @p binding; learns the values of its symbols.
void require_fit(const Binding& binding, const ir::Tensor& tensor,
                 std::map<std::string, int64_t>& symbols) {
  const ir::Dims& dims = tensor.dims();
  bool fits = dims.size() == binding.shape.size();
  for (size_t i = 0; fits && i < dims.size(); ++i) {
    const ir::Dim& dim = binding.shape[i];
    const int64_t wanted =
        dim.is_known() ? dim.value : symbols.try_emplace(dim.symbol, dims[i]).first->second;
    fits = wanted == dims[i];
  }
  if (fits && tensor.type() == binding.type) return;
  fail("input '{}' is {} {}, not {} {}", binding.name, ir::text(binding.type),
       ir::to_text(binding.shape), ir::text(tensor.type()), ir::to_text(dims));
}

/// Throws an Error for sizes outside those of the plan's profile.
void require_range(const std::vector<plan::ShapeRange>& ranges, int profile, const Binding& binding,
                   const ir::Dims& dims) {
  for (const plan::ShapeRange& range : ranges) {
    if (range.input != binding.name || range.profile != profile) continue;
    for (size_t i = 0; i < std::min(dims.size(), range.min.size()); ++i)
      if (dims[i] < range.min[i] || dims[i] > range.max[i])
        fail("input '{}' is {}; the plan was built for {} to {}", binding.name, ir::to_text(dims),
             ir::to_text(range.min), ir::to_text(range.max));
  }
}

}  // namespace

struct Context::State {
  /// This context's copy of a part's program, and the node that each of its steps belongs to.
  struct HostRun {
    cpu::Program program;
    std::vector<size_t> owners;
  };

  explicit State(std::shared_ptr<Engine::State> of) : engine(std::move(of)) {
    for (const Part& part : engine->parts) {
      const auto* dla = std::get_if<std::unique_ptr<DlaPart>>(&part);
      dla_runs.push_back(dla ? std::make_unique<DlaRun>(**dla, engine->threads, engine->options)
                             : nullptr);
    }
    for (const Part& part : engine->parts) {
      const auto* gpu = std::get_if<std::unique_ptr<GpuPart>>(&part);
      gpu_runs.push_back(gpu ? std::make_unique<GpuRun>(**gpu, engine->edges()) : nullptr);
    }
    programs.resize(engine->parts.size());
  }

  /// A value of the plan's graph during an execution.
  const ir::Tensor& tensor(ir::ValueId id) const {
    const ir::Value& value = engine->plan.graph.value(id);
    if (value.constant) return *value.constant;
    DLAEXEC_CHECK(values[static_cast<size_t>(id)].has_value());
    return *values[static_cast<size_t>(id)];
  }

  /// Runs everything and keeps the outputs.
  void run_parts(Timeline& timeline);
  /// The outputs of a prediction.
  void make_zeros();
  void run_host(HostPart& part, size_t index, Timeline& timeline);
  void run_dla(const DlaPart& part, size_t index, Timeline& timeline);
  void run_gpu(const GpuPart& part, size_t index, Timeline& timeline);
  /// Throws an Error that names the input which does not fit.
  void require_inputs(std::span<const ir::Tensor> inputs) const;

  std::shared_ptr<Engine::State> engine;
  std::vector<std::unique_ptr<DlaRun>> dla_runs;  ///< by part
  std::vector<std::unique_ptr<GpuRun>> gpu_runs;  ///< by part
  std::vector<ProgramCache<HostRun>> programs;    ///< by part
  std::unique_ptr<GpuQueries> queries;            ///< made when first needed
  std::vector<std::optional<ir::Tensor>> values;
  std::vector<ir::Tensor> outputs;
  bool outputs_are_old = false;  ///< those of the last query are still to be had
};

void Context::State::run_parts(Timeline& timeline) {
  const Clock::time_point start = Clock::now();
  for (size_t i = 0; i < engine->parts.size(); ++i) {
    if (const auto* host = std::get_if<std::unique_ptr<HostPart>>(&engine->parts[i]))
      run_host(**host, i, timeline);
    else if (const auto* gpu = std::get_if<std::unique_ptr<GpuPart>>(&engine->parts[i]))
      run_gpu(**gpu, i, timeline);
    else
      run_dla(*std::get<std::unique_ptr<DlaPart>>(engine->parts[i]), i, timeline);
  }
  timeline.wall = Clock::now() - start;
  outputs.clear();
  for (const ir::ValueId id : engine->plan.graph.outputs) outputs.push_back(tensor(id));
}

void Context::State::make_zeros() {
  if (!outputs.empty()) return;
  for (const Binding& output : engine->outputs)
    outputs.push_back(ir::Tensor::zeros(output.type, ir::dims_of(output.shape)));
}

void Context::State::run_host(HostPart& part, size_t index, Timeline& timeline) {
  std::vector<ir::Tensor> inputs;
  std::vector<ir::Dims> dims;
  for (const ir::ValueId id : part.inputs()) {
    inputs.push_back(tensor(id));
    dims.push_back(inputs.back().dims());
  }
  auto& [program, owners] = programs[index].get(dims, [&] {
    cpu::Program own = part.program(dims);
    std::vector<size_t> nodes = part.owners(own);
    return HostRun{std::move(own), std::move(nodes)};
  });
  std::vector<std::chrono::nanoseconds> took(owners.size());
  std::vector<ir::Tensor> made = program.run(inputs, took);
  for (size_t i = 0; i < made.size(); ++i)
    values[static_cast<size_t>(part.outputs()[i])] = std::move(made[i]);
  for (size_t i = 0; i < took.size(); ++i)
    timeline.steps[static_cast<size_t>(part.nodes()[owners[i]])].wall += took[i];
}

void Context::State::run_dla(const DlaPart& part, size_t index, Timeline& timeline) {
  const Clock::time_point start = Clock::now();
  std::vector<ir::Tensor> inputs;
  for (const ir::ValueId id : part.inputs()) inputs.push_back(tensor(id));
  const std::vector<ir::Tensor>& made = dla_runs[index]->run(inputs);
  for (size_t i = 0; i < made.size(); ++i) values[static_cast<size_t>(part.outputs()[i])] = made[i];
  timeline.steps[static_cast<size_t>(part.node())].wall = Clock::now() - start;
}

void Context::State::run_gpu(const GpuPart& part, size_t index, Timeline& timeline) {
  std::vector<ir::Tensor> inputs;
  for (const ir::ValueId id : part.inputs()) inputs.push_back(tensor(id));
  GpuRun& run = *gpu_runs[index];
  GpuRun::Times times;
  std::vector<ir::Tensor> made = run.run(inputs, times);
  for (size_t i = 0; i < made.size(); ++i)
    values[static_cast<size_t>(part.outputs()[i])] = std::move(made[i]);
  for (size_t i = 0; i < part.nodes().size(); ++i)
    timeline.steps[static_cast<size_t>(part.nodes()[i])].wall =
        std::chrono::duration_cast<Nanoseconds>(times.compute * run.shares()[i]);
  if (!engine->options.data_transfers) return;
  // Copies in the middle of a plan exist for the emulation's or the host's sake: not charged.
  if (index == 0) timeline.h2d = times.h2d;
  if (index + 1 == engine->parts.size()) timeline.d2h = times.d2h;
}

Context::Context(const Engine& engine) : state_(std::make_unique<State>(engine.state_)) {}
Context::~Context() = default;
Context::Context(Context&&) noexcept = default;

void Context::State::require_inputs(std::span<const ir::Tensor> inputs) const {
  if (inputs.size() != engine->inputs.size())
    fail("the plan has {} inputs, {} were given", engine->inputs.size(), inputs.size());
  std::map<std::string, int64_t> symbols;
  for (size_t i = 0; i < inputs.size(); ++i) {
    require_fit(engine->inputs[i], inputs[i], symbols);
    require_range(engine->plan.metadata.shapes, engine->options.profile, engine->inputs[i],
                  inputs[i].dims());
  }
}

Timeline Context::execute(std::span<const ir::Tensor> inputs) {
  const Engine::State& engine = *state_->engine;
  const ir::Graph& graph = engine.plan.graph;
  state_->require_inputs(inputs);
  state_->values.assign(graph.values.size(), std::nullopt);
  for (size_t i = 0; i < inputs.size(); ++i)
    state_->values[static_cast<size_t>(graph.inputs[i])] = inputs[i];
  state_->outputs_are_old = false;

  Timeline timeline;
  timeline.kind = engine.kind;
  timeline.steps.resize(engine.steps.size());
  if (engine.options.predict)
    state_->make_zeros();
  else
    state_->run_parts(timeline);
  state_->values.clear();
  for (size_t i = 0; i < timeline.steps.size(); ++i)
    timeline.steps[i].duration =
        engine.modelled[i] ? engine.modelled[i]->duration : timeline.steps[i].wall;
  timeline.total = lay_out(engine.kind, engine.steps, engine.needed, timeline.steps);
  // On the host alone, what lies between the steps counts as well; a GPU's events leave it out.
  if (engine.kind == TimelineKind::Wall && !engine.gpu) timeline.total = timeline.wall;
  return timeline;
}

bool Context::can_start() const {
  const Engine::State& engine = *state_->engine;
  if (engine.kind != TimelineKind::Wall || engine.parts.size() != 1) return false;
  const auto* part = std::get_if<std::unique_ptr<GpuPart>>(&engine.parts.front());
  if (!part) return false;
  const ir::Graph& graph = engine.plan.graph;
  const std::vector<gpu::Edge>& outputs = (*part)->program().lowered().outputs;
  return (*part)->inputs() == graph.inputs && (*part)->outputs() == graph.outputs &&
         (*part)->nodes().size() == graph.nodes.size() &&
         std::none_of(outputs.begin(), outputs.end(),
                      [](const gpu::Edge& edge) { return edge.open_axis.has_value(); });
}

void Context::start(std::span<const ir::Tensor> inputs) {
  DLAEXEC_CHECK(can_start());
  const Engine::State& engine = *state_->engine;
  state_->require_inputs(inputs);
  if (!state_->queries)
    state_->queries = std::make_unique<GpuQueries>(
        *std::get<std::unique_ptr<GpuPart>>(engine.parts.front()), *state_->gpu_runs.front(),
        engine.edges(), engine.options.data_transfers);
  state_->queries->start(inputs);
}

QueryTimes Context::finish() {
  DLAEXEC_CHECK(state_->queries != nullptr);
  state_->outputs_are_old = true;
  return state_->queries->finish();
}

const std::vector<ir::Tensor>& Context::outputs() const {
  if (std::exchange(state_->outputs_are_old, false)) state_->outputs = state_->queries->outputs();
  return state_->outputs;
}

}  // namespace dlaexec::run
