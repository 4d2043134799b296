#include "run/engine.h"

#include <algorithm>
#include <cmath>

#include "dla/clock.h"
#include "run/compose.h"
#include "run/engine_state.h"
#include "run/gpu_roofline.h"

namespace dlaexec::run {
namespace {

std::vector<Binding> bindings(const ir::Graph& graph, const std::vector<ir::ValueId>& ids) {
  std::vector<Binding> found;
  for (const ir::ValueId id : ids) {
    const ir::Value& value = graph.value(id);
    found.push_back({value.name, value.type, value.shape, value.format});
  }
  return found;
}

void require_profile(const std::vector<plan::ShapeRange>& ranges, int profile) {
  int most = 0;
  for (const plan::ShapeRange& range : ranges) most = std::max(most, range.profile);
  if (profile > most || profile < 0)
    fail("optimization profile {} is asked for; the plan has profiles 0 to {}", profile, most);
}

Nanoseconds nanoseconds(double seconds) { return Nanoseconds{std::llround(seconds * 1e9)}; }

int64_t bytes_of(const ir::Value& value) {
  return ir::volume(ir::dims_of(value.shape)) * static_cast<int64_t>(ir::size_bytes(value.type));
}

/// Durations of loadables, and of the reformats between them and the rest, which on a board are the
/// transition from one processor to the other.
std::vector<std::optional<Modelled>> model_times(const ir::Graph& graph,
                                                 const std::vector<Part>& parts,
                                                 const dla::ClockSettings& clock) {
  std::vector<std::optional<Modelled>> times(graph.nodes.size());
  const std::vector<int> made_by = ir::producers(graph);
  const std::vector<std::vector<int>> used_by = ir::uses(graph);
  const auto note = [&](int node, double seconds) {
    if (node >= 0 && graph.nodes[static_cast<size_t>(node)].op == ir::Op::Reformat)
      times[static_cast<size_t>(node)] = {nanoseconds(seconds), std::nullopt};
  };
  for (const Part& part : parts) {
    const auto* dla = std::get_if<std::unique_ptr<DlaPart>>(&part);
    if (!dla) continue;
    const dla::LoadableTime time = dla::estimate((*dla)->loadable(), clock);
    times[static_cast<size_t>((*dla)->node())] = {nanoseconds(time.seconds), time.error};
    for (const ir::ValueId id : (*dla)->inputs())
      note(made_by[static_cast<size_t>(id)], dla::to_dla_seconds(bytes_of(graph.value(id))));
    for (const ir::ValueId id : (*dla)->outputs())
      for (const int user : used_by[static_cast<size_t>(id)])
        note(user, dla::to_gpu_seconds(bytes_of(graph.value(id))));
  }
  return times;
}

/// What is left of @p times is the GPU's.
void predict_gpu(const ir::Graph& graph, const Board& board,
                 std::vector<std::optional<Modelled>>& times) {
  for (const ir::Value& value : graph.values)
    if (!ir::is_static(value.shape))
      fail("--predict needs every shape: '{}' is {}; build with --shapes", value.name,
           ir::to_text(value.shape));
  for (size_t i = 0; i < times.size(); ++i)
    if (!times[i])
      times[i] = {nanoseconds(gpu_seconds(graph, graph.nodes[i], board)), dla::kRooflineError};
}

/// Consecutive host steps are one part each, and so are consecutive GPU steps; loadables one each.
std::vector<Part> cut(const plan::Plan& plan, ThreadPool& threads, const Gpu* gpu) {
  std::vector<Part> parts;
  std::vector<int> host;
  const auto flush = [&] {
    std::vector<int> nodes = std::exchange(host, {});
    if (!gpu) {
      if (!nodes.empty())
        parts.emplace_back(std::make_unique<HostPart>(plan.graph, std::move(nodes), threads));
      return;
    }
    for (gpu::Run& run : gpu->cut(plan.graph, nodes)) {
      if (run.on_device)
        parts.emplace_back(std::make_unique<GpuPart>(plan.graph, std::move(run.nodes), *gpu));
      else
        parts.emplace_back(std::make_unique<HostPart>(plan.graph, std::move(run.nodes), threads));
    }
  };
  for (size_t i = 0; i < plan.graph.nodes.size(); ++i) {
    const ir::Node& node = plan.graph.nodes[i];
    if (node.op != ir::Op::ForeignNode) {
      host.push_back(static_cast<int>(i));
      continue;
    }
    flush();
    const auto loadable = static_cast<size_t>(node.get<ir::ForeignNodeAttributes>().loadable);
    parts.emplace_back(
        std::make_unique<DlaPart>(plan.graph, static_cast<int>(i), plan.loadables[loadable]));
  }
  flush();
  return parts;
}

/// A DLA of the other generation has other formats: its loadables do not run here.
void require_generation(const std::vector<Part>& parts, const dla::Platform& platform) {
  for (const Part& part : parts) {
    const auto* dla = std::get_if<std::unique_ptr<DlaPart>>(&part);
    if (dla && (*dla)->loadable().generation != platform.generation)
      fail(Fault::PlanMismatch,
           "the plan's loadables are for the DLA of {}, {} has that of {}; build the plan again "
           "with --platform={}",
           ir::text((*dla)->loadable().generation), platform.title, ir::text(platform.generation),
           platform.name);
  }
}

/// The core holds the plan's loadables as long as the engine lives.
std::unique_ptr<CoreUse> take_core(const std::vector<Part>& parts, const Board& board, int core) {
  int loadables = 0;
  int64_t sram = 0;
  for (const Part& part : parts) {
    const auto* dla = std::get_if<std::unique_ptr<DlaPart>>(&part);
    if (!dla) continue;
    ++loadables;
    sram = std::max(sram, (*dla)->loadable().pools.sram);
  }
  return std::make_unique<CoreUse>(*board.platform, std::max(core, 0), loadables, sram);
}

Step describe(const ir::Node& node, const std::optional<Modelled>& modelled) {
  Step step;
  step.name = node.name;
  step.type = ir::info(node.op).layer_type;
  step.origins = node.origins;
  step.processor = node.op == ir::Op::ForeignNode ? Processor::Dla : Processor::Host;
  step.kind = modelled ? Kind::Modelled : Kind::Measured;
  if (modelled) step.error = modelled->error;
  return step;
}

}  // namespace

void Engine::State::model() {
  modelled.resize(plan.graph.nodes.size());
  loadables.resize(plan.graph.nodes.size());
  for (const Part& part : parts)
    if (const auto* dla = std::get_if<std::unique_ptr<DlaPart>>(&part))
      loadables[static_cast<size_t>((*dla)->node())] = &(*dla)->loadable();
  if (!plan::uses_dla(plan) && !options.predict) return;
  board = board_of(plan.metadata, options.board);
  require_generation(parts, *board->platform);
  if (!options.predict)
    core_use = take_core(parts, *board, options.board.dla_core.value_or(plan.metadata.dla_core));
  kind = options.predict ? TimelineKind::Predicted : TimelineKind::Composed;
  modelled = times_on(*board);
}

std::vector<std::optional<Modelled>> Engine::State::times_on(const Board& chosen) const {
  std::vector<std::optional<Modelled>> times = model_times(plan.graph, parts, chosen.clock);
  if (options.predict) predict_gpu(plan.graph, chosen, times);
  return times;
}

Engine::Engine(plan::Plan plan, EngineOptions options)
    : state_(std::make_shared<State>(std::move(plan), options)) {
  require_profile(state_->plan.metadata.shapes, options.profile);
  const ir::Graph& graph = state_->plan.graph;
  state_->inputs = bindings(graph, graph.inputs);
  state_->outputs = bindings(graph, graph.outputs);
  state_->needed = dependencies(graph);
  if (!options.predict) state_->gpu = open_gpu(state_->plan, options.gpu_device);
  state_->parts = cut(state_->plan, state_->threads, state_->gpu ? &*state_->gpu : nullptr);
  state_->model();
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    state_->steps.push_back(describe(graph.nodes[i], state_->modelled[i]));
    if (options.predict && state_->steps.back().processor == Processor::Host)
      state_->steps.back().processor = Processor::Gpu;
  }
  for (const Part& part : state_->parts)
    if (const auto* gpu = std::get_if<std::unique_ptr<GpuPart>>(&part))
      for (const int node : (*gpu)->nodes())
        state_->steps[static_cast<size_t>(node)].processor = Processor::Gpu;
  if (options.predict) return;
  for (const Part& part :
       state_->parts)  // compiled now, so that the first execution is like others
    if (const auto* host = std::get_if<std::unique_ptr<HostPart>>(&part);
        host && (*host)->is_static())
      (*host)->program((*host)->static_dims());
}
Engine::~Engine() = default;
Engine::Engine(Engine&&) noexcept = default;

const plan::Plan& Engine::plan() const { return state_->plan; }
const std::vector<Binding>& Engine::inputs() const { return state_->inputs; }
const std::vector<Binding>& Engine::outputs() const { return state_->outputs; }
const std::vector<Step>& Engine::steps() const { return state_->steps; }
TimelineKind Engine::timeline_kind() const { return state_->kind; }
const std::vector<const dla::Loadable*>& Engine::loadables() const { return state_->loadables; }

Timeline Engine::predict(const Board& board) const {
  DLAEXEC_CHECK(state_->options.predict);
  const std::vector<std::optional<Modelled>> times = state_->times_on(board);
  Timeline timeline;
  timeline.kind = state_->kind;
  timeline.steps.resize(times.size());
  for (size_t i = 0; i < times.size(); ++i) timeline.steps[i].duration = times[i]->duration;
  timeline.total = lay_out(timeline.kind, state_->steps, state_->needed, timeline.steps);
  return timeline;
}

const std::optional<Board>& Engine::board() const { return state_->board; }

}  // namespace dlaexec::run
