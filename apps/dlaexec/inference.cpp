#include "inference.h"

#include <algorithm>
#include <thread>

#include "base/error.h"
#include "base/log.h"
#include "base/log_voice.h"
#include "dla/platform.h"
#include "interrupt.h"
#include "ir/type_flags.h"
#include "plan/file.h"
#include "report/text.h"
#include "run/inputs.h"
#include "stopwatch.h"

namespace dlaexec::cli {
namespace {

std::string names_of(const std::vector<run::Binding>& bindings) {
  return join(bindings, ", ", [](const run::Binding& b) { return "'" + b.name + "'"; });
}

/// A name on the command line that the network does not know is a mistake, not a wish.
template <class Entries>
void require_known(const Entries& entries, const std::vector<run::Binding>& bindings, Flag flag) {
  for (const auto& entry : entries) {
    const bool known = std::any_of(bindings.begin(), bindings.end(),
                                   [&](const run::Binding& b) { return b.name == entry.name; });
    if (!known)
      fail(
          "Cannot find input tensor with name \"{}\" in the engine bindings! Invalid tensor names "
          "found in {} flag; the inputs are {}",
          entry.name, spelling(flag), names_of(bindings));
  }
}

const NamedFile* find_file(const std::vector<NamedFile>& files, const std::string& name) {
  const auto found = std::find_if(files.begin(), files.end(),
                                  [&](const NamedFile& file) { return file.name == name; });
  return found == files.end() ? nullptr : &*found;
}

/// Sleeps in short naps, so that a signal does not wait for the whole of a long one.
void sleep_unless(const std::atomic<bool>& interrupted, double milliseconds) {
  constexpr double kNap = 20;
  for (Stopwatch watch; !interrupted && watch.seconds() * 1000 < milliseconds;) {
    const double left = milliseconds - watch.seconds() * 1000;
    std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(std::min(left, kNap)));
  }
}

run::Engine deserialize(plan::Plan plan, const run::EngineOptions& options) {
  const log::Speaking library(log::Voice::Library);
  const Stopwatch watch;
  run::Engine engine(std::move(plan), options);
  const log::Speaking program(log::Voice::Program);
  log::info("Engine deserialized in {} sec.", report::number(watch.shown()));
  return engine;
}

dla::Generation generation_of(const plan::Plan& plan) {
  return dla::platform(plan.metadata.platform).generation;
}

}  // namespace

Inference::Inference(plan::Plan plan, const InferenceOptions& options)
    : options_(options), engine_(deserialize(std::move(plan), options.engine)) {
  require_known(options.shapes, engine_.inputs(), Flag::shapes);
  require_known(options.inputs, engine_.inputs(), Flag::loadInputs);
  for (int i = 0; i < options.streams; ++i) {
    contexts_.emplace_back(engine_);
    if (options.persona == Persona::Trtexec) log::info("Setting persistentCacheLimit to 0 bytes.");
  }
  inputs_ = read_inputs(options.inputs);
  for (int i = 0; i < options.streams; ++i) log_bindings(options.inputs);
  add_neighbours();
}

/// Engines beside this one run on random inputs, with what this one has of a board and threads.
void Inference::add_neighbours() {
  if (options_.beside.empty()) return;
  if (!engine_.board())
    fail(
        Fault::Usage,
        "--besideEngine is about engines that wait for the DLA, and this engine has none; build it "
        "with --useDLACore=N or leave out --besideEngine");
  neighbour_options_.engine = options_.engine;
  neighbour_options_.engine.profile = 0;
  neighbour_options_.seed = options_.seed;
  neighbour_options_.release = options_.release;
  for (const std::string& path : options_.beside) {
    log::info("Beside it runs {}:", path);
    neighbours_.push_back(in_context(
        [&] { return format("loading '{}' of --besideEngine", path); },
        [&] { return std::make_unique<Inference>(plan::load(path), neighbour_options_); }));
  }
}

bench::Neighbour Inference::as_neighbour() {
  return {[this] { return contexts_.front().execute(inputs_); }, engine_.steps()};
}

void Inference::log_neighbours(const bench::Result& result) const {
  for (size_t i = 0; i < neighbours_.size(); ++i)
    log::info("Beside it {} ran {} queries: {:.4g} qps", options_.beside[i],
              result.neighbours[i].queries, result.neighbours[i].throughput_qps());
}

std::vector<ir::Tensor> Inference::read_inputs(const std::vector<NamedFile>& files) const {
  std::vector<ir::Tensor> inputs;
  for (const run::Binding& binding : engine_.inputs()) {
    const ir::Dims dims = dims_of_input(binding);
    if (options_.release >= 1000 && !ir::is_static(binding.shape))
      log::info("Set shape of input tensor {} to: {}", binding.name, ir::to_text(dims));
    const NamedFile* file = find_file(files, binding.name);
    inputs.push_back(in_context([&] { return format("loading input '{}'", binding.name); },
                                [&] {
                                  return file == nullptr
                                             ? random_input(binding, dims)
                                             : run::load_input(file->path, binding, dims,
                                                               generation_of(engine_.plan()));
                                }));
  }
  return inputs;
}

/// What trtexec draws, but rows that exist where the input is looked up in a table.
ir::Tensor Inference::random_input(const run::Binding& binding, const ir::Dims& dims) const {
  const ir::Graph& graph = engine_.plan().graph;
  const auto id = graph.find_value(binding.name);
  const auto rows = id ? run::table_rows(graph, *id) : std::nullopt;
  if (!rows) return run::random_input(binding.type, dims, options_.seed);
  log::info("Input {} is looked up in a table of {} rows: its values are in [0, {}]", binding.name,
            *rows, *rows - 1);
  return run::random_rows(binding.type, dims, *rows, options_.seed);
}

/// From --shapes, else the shapes that the plan was tuned for, else 1 for what is still open.
ir::Dims Inference::dims_of_input(const run::Binding& binding) const {
  for (const NamedDims& shape : options_.shapes)
    if (shape.name == binding.name) return shape.dims;
  if (ir::is_static(binding.shape)) return ir::dims_of(binding.shape);
  for (const plan::ShapeRange& range : engine_.plan().metadata.shapes)
    if (range.input == binding.name && range.profile == options_.engine.profile) return range.opt;
  ir::Dims dims;
  for (const ir::Dim& dim : binding.shape) dims.push_back(dim.is_known() ? dim.value : 1);
  log::warning("Shape missing for input with dynamic shape: {}. Automatically setting shape to: {}",
               binding.name, ir::to_text(dims));
  return dims;
}

/// trtexec has buffers of its own for each stream and says so for each.
void Inference::log_bindings(const std::vector<NamedFile>& files) const {
  const auto type = [&](const run::Binding& binding) {
    return options_.release >= 1000 ? format(" and type {}", ir::flag_text(binding.type)) : "";
  };
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const run::Binding& binding = engine_.inputs()[i];
    if (const NamedFile* file = find_file(files, binding.name))
      log::info("Using values loaded from {} for input {}", file->path, binding.name);
    else
      log::info("Using random values for input {}", binding.name);
    log::info("Input binding for {} with dimensions {}{} is created.", binding.name,
              ir::to_text(inputs_[i].dims()), type(binding));
  }
  for (const run::Binding& binding : engine_.outputs()) {
    if (ir::is_static(binding.shape))
      log::info("Output binding for {} with dimensions {}{} is created.", binding.name,
                ir::to_text(binding.shape), type(binding));
    else
      log::info("Output binding for {} is dynamic and will be created during execution.",
                binding.name);
  }
}

bench::Result Inference::measure() {
  const InterruptEndsMeasuring guard;
  std::vector<bench::Stream> streams;
  for (run::Context& context : contexts_)
    if (context.can_start())
      streams.emplace_back(
          bench::Overlapped{[&] { context.start(inputs_); }, [&] { return context.finish(); }});
    else
      streams.emplace_back([&] { return context.execute(inputs_); });
  bench::Options options = options_.bench;
  options.interrupt = &guard.flag();
  for (const auto& neighbour : neighbours_) options.neighbours.push_back(neighbour->as_neighbour());
  sleep_unless(guard.flag(), options_.sleep_ms);
  const report::Activity before = report::activity_now();
  bench::Result result = bench::measure(streams, engine_.steps(), options);
  conditions_ = report::conditions_between(before, report::activity_now());
  log_neighbours(result);
  return result;
}

std::vector<report::NamedTensor> Inference::evaluate(const std::vector<NamedFile>& files) {
  require_known(files, engine_.inputs(), Flag::loadInputs);
  contexts_.front().execute(read_inputs(files));
  return outputs();
}

std::vector<report::NamedTensor> Inference::inputs() const {
  std::vector<report::NamedTensor> tensors;
  for (size_t i = 0; i < inputs_.size(); ++i)
    tensors.push_back({engine_.inputs()[i].name, inputs_[i]});
  return tensors;
}

std::vector<report::NamedTensor> Inference::outputs() const {
  std::vector<report::NamedTensor> tensors;
  const std::vector<ir::Tensor>& outputs = contexts_.front().outputs();
  for (size_t i = 0; i < outputs.size(); ++i)
    tensors.push_back({engine_.outputs()[i].name, outputs[i]});
  return tensors;
}

}  // namespace dlaexec::cli
