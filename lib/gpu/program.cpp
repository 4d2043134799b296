#include "gpu/program.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/error.h"

namespace dlaexec::gpu {

std::vector<Kernel> kernels_of(const Lowered& lowered) {
  std::vector<Kernel> kernels;
  for (const Step& step : lowered.steps)
    if (!step.library && std::find(kernels.begin(), kernels.end(), step.kernel) == kernels.end())
      kernels.push_back(step.kernel);
  return kernels;
}

namespace {

/// True if weights of @p a lie where @p b looks for its own.
bool have_same_constants(const Lowered& a, const Lowered& b) {
  return std::equal(a.constants.begin(), a.constants.end(), b.constants.begin(), b.constants.end(),
                    [](const Constant& x, const Constant& y) { return x.bytes == y.bytes; });
}

/// True if @p launch is over after a few blocks for each multiprocessor.
bool is_short(const Launch& launch, const Target& target) {
  constexpr int64_t kFew = 4;
  const int64_t blocks = launch.grid[0] * launch.grid[1] * launch.grid[2];
  return launch.runs_on || blocks <= kFew * target.multiprocessors;
}

}  // namespace

Program::Program(Lowered lowered, std::span<const Cubin> code, const Context& context,
                 const Program* sibling)
    : lowered_(std::move(lowered)) {
  load_modules(code, context.target(), sibling);
  open_libraries();
  multiprocessors_ = context.target().multiprocessors;
  overlaps_ = context.target().architecture >= 90 && driver().launch_with_attributes;
  if (sibling && have_same_constants(sibling->lowered_, lowered_))
    constants_ = sibling->constants_;
  else
    upload_constants();
}

void Program::load_modules(std::span<const Cubin> code, const Target& target,
                           const Program* sibling) {
  for (const Step& step : lowered_.steps) {
    if (step.library) continue;
    Module::Needs& needs = modules_[step.kernel].needs;
    needs.shared_bytes = std::max(needs.shared_bytes, step.launch.shared_bytes);
    needs.cluster = std::max(needs.cluster, step.launch.cluster);
    needs.is_short = needs.is_short && is_short(step.launch, target);
  }
  for (auto& [kernel, asked] : modules_) {
    const auto there = sibling ? sibling->modules_.find(kernel) : modules_.end();
    const bool shares =
        sibling && there != sibling->modules_.end() && there->second.needs == asked.needs;
    if (shares)
      asked = there->second;
    else
      asked.module = load(kernel, asked.needs, code, target);
  }
}

std::shared_ptr<Module> Program::load(const Kernel& kernel, const Module::Needs& needs,
                                      std::span<const Cubin> code, const Target& target) {
  const auto cubin = std::find_if(
      code.begin(), code.end(), [&](const Cubin& candidate) { return candidate.kernel == kernel; });
  if (cubin == code.end())
    fail(Fault::PlanMismatch,
         "the plan holds no code of kernel {} for {} ({}); build the plan again on this machine",
         kernel.expression, target.name, target.architecture_name());
  return std::make_shared<Module>(std::as_bytes(std::span(cubin->code)), cubin->function, needs);
}

void Program::open_libraries() {
  for (const Step& step : lowered_.steps)
    if (step.library) libraries_.push_back(library_for(step.library->tactic));
}

const Library& Program::library(const LibraryStep& step) const {
  const auto found = std::find_if(libraries_.begin(), libraries_.end(), [&](const auto& library) {
    return library->kind() == step.tactic.library;
  });
  DLAEXEC_CHECK(found != libraries_.end());
  return **found;
}

void Program::upload_constants() {
  constants_ = std::make_shared<Buffer>(static_cast<size_t>(lowered_.constant_bytes));
  const Stream stream;
  for (const Constant& constant : lowered_.constants) {
    const std::vector<std::byte> bytes = constant.make();
    DLAEXEC_CHECK(static_cast<int64_t>(bytes.size()) == constant.bytes);
    stream.upload(constants_->address() + static_cast<Address>(constant.offset), bytes);
    stream.synchronize();  // the bytes go with this turn of the loop
  }
}

Handle Program::function(const Step& step) const {
  return modules_.at(step.kernel).module->function();
}

int64_t Program::resident_blocks(const Step& step) const {
  int blocks = 0;
  const int threads = step.launch.block[0] * step.launch.block[1] * step.launch.block[2];
  check(driver().occupancy(&blocks, function(step), threads,
                           static_cast<size_t>(step.launch.shared_bytes)),
        "asking how many blocks fit");
  return std::max(1, blocks) * int64_t{multiprocessors_};
}

Execution::Execution(const Program& program, Shared shared, Edges edges)
    : program_(program),
      shared_(shared),
      stream_(shared.edges   ? shared.edges->stream_
              : shared.arena ? shared.arena->stream_
                             : std::make_shared<Stream>()) {
  const Lowered& lowered = program.lowered();
  if (lowered.arena_bytes > 0 && !shared_.arena)
    arena_ = Buffer(static_cast<size_t>(lowered.arena_bytes));
  if (!shared_.edges) {
    for (const Edge& edge : lowered.inputs)
      inputs_.emplace_back(static_cast<size_t>(edge.bytes), edges);
    for (const Edge& edge : lowered.outputs)
      outputs_.emplace_back(static_cast<size_t>(edge.bytes), edges);
  }
  for (const Slot& slot : lowered.slots)
    if (slot.zeroed && slot.first >= 0 && !shared_.arena)
      stream_->fill(arena_.address() + static_cast<Address>(slot.offset), 0,
                    static_cast<size_t>(slot.bytes));
  stream_->synchronize();
  for (const Step& step : lowered.steps) steps_.push_back(ready(step));
  warm_up_libraries();
}

Execution::Ready Execution::ready(const Step& step) const {
  Ready ready{nullptr, step.launch, step.parameters, nullptr};
  for (const Patch& patch : step.patches) {
    const Address where = address(patch.place);
    if (patch.map) {
      const EncodedMap encoded = encode(*patch.map, where);
      std::memcpy(ready.parameters.data() + patch.at, &encoded, sizeof encoded);
    } else {
      std::memcpy(ready.parameters.data() + patch.at, &where, sizeof where);
    }
  }
  if (step.library) {
    LibraryAddresses addresses;
    std::memcpy(&addresses, ready.parameters.data(), sizeof addresses);
    ready.library = program_.library(*step.library)
                        .launch(step.library->problem, step.library->tactic, addresses);
    return ready;
  }
  ready.function = program_.function(step);
  if (step.launch.runs_on)
    ready.launch.grid[0] = std::min(step.launch.grid[0], program_.resident_blocks(step));
  return ready;
}

/// A library loads its kernels when they are first needed, which no capture of a graph allows.
void Execution::warm_up_libraries() const {
  bool any = false;
  for (const Ready& ready : steps_)
    if (ready.library) {
      ready.library->enqueue(*stream_);
      any = true;
    }
  if (any) stream_->synchronize();
}

Address Execution::address(const Place& place) const {
  const Lowered& lowered = program_.lowered();
  const size_t index = static_cast<size_t>(place.index);
  const Address offset = static_cast<Address>(place.offset);
  const Execution& edges = shared_.edges ? *shared_.edges : *this;
  switch (place.memory) {
    case Memory::None:
      return 0;
    case Memory::Slot:
      return (shared_.arena ? *shared_.arena : *this).arena_.address() +
             static_cast<Address>(lowered.slots[index].offset) + offset;
    case Memory::Constant:
      return (shared_.constants ? shared_.constants : program_.constants()) +
             static_cast<Address>(lowered.constants[index].offset) + offset;
    case Memory::Input:
      return edges.inputs_[index].address() + offset;
    case Memory::Output:
      return edges.outputs_[index].address() + offset;
  }
  __builtin_unreachable();
}

void Execution::enqueue(const Ready& ready, const Stream& stream, bool overlap) const {
  if (ready.library) return ready.library->enqueue(stream);
  const Driver& cuda = driver();
  const Launch& l = ready.launch;
  void* parameters[] = {const_cast<std::byte*>(ready.parameters.data())};
  if (!overlap && l.cluster == 1) {
    check(cuda.launch(ready.function, static_cast<unsigned>(l.grid[0]),
                      static_cast<unsigned>(l.grid[1]), static_cast<unsigned>(l.grid[2]),
                      static_cast<unsigned>(l.block[0]), static_cast<unsigned>(l.block[1]),
                      static_cast<unsigned>(l.block[2]), static_cast<unsigned>(l.shared_bytes),
                      stream.handle(), parameters, nullptr),
          "launching a kernel");
    return;
  }
  LaunchAttribute attributes[2] = {};
  unsigned count = 0;
  if (l.cluster > 1) {
    attributes[count].id = kAttributeCluster;
    attributes[count++].value.cluster = {1, 1, static_cast<unsigned>(l.cluster)};
  }
  if (overlap) {
    attributes[count].id = kAttributeProgrammatic;
    attributes[count++].value.programmatic = 1;
  }
  const LaunchConfig config{static_cast<unsigned>(l.grid[0]),
                            static_cast<unsigned>(l.grid[1]),
                            static_cast<unsigned>(l.grid[2]),
                            static_cast<unsigned>(l.block[0]),
                            static_cast<unsigned>(l.block[1]),
                            static_cast<unsigned>(l.block[2]),
                            static_cast<unsigned>(l.shared_bytes),
                            stream.handle(),
                            attributes,
                            count};
  check(cuda.launch_with_attributes(&config, ready.function, parameters, nullptr),
        "launching a kernel");
}

void Execution::enqueue(const Stream& stream) const {
  bool overlap = program_.overlaps();
  for (const Ready& ready : steps_) {
    enqueue(ready, stream, overlap);
    overlap = program_.overlaps() && !ready.library;  // whose last launch may be no kernel
  }
}

void Execution::launch(Launching launching) {
  if (launching == Launching::Stream) return enqueue(*stream_);
  if (!graph_) graph_ = std::make_unique<CapturedGraph>(*stream_, [&] { enqueue(*stream_); });
  graph_->launch(*stream_);
}

std::vector<std::chrono::duration<float, std::milli>> Execution::profile() {
  std::vector<Event> events(steps_.size() + 1);
  stream_->record(events[0]);
  for (size_t i = 0; i < steps_.size(); ++i) {
    enqueue(steps_[i], *stream_, false);
    stream_->record(events[i + 1]);
  }
  stream_->synchronize();
  std::vector<std::chrono::duration<float, std::milli>> times;
  for (size_t i = 0; i < steps_.size(); ++i) times.push_back(elapsed(events[i], events[i + 1]));
  return times;
}

void Execution::upload(size_t input, std::span<const std::byte> bytes) {
  DLAEXEC_CHECK(bytes.size() <= inputs_[input].size());
  stream_->upload(inputs_[input].address(), bytes);
}

void Execution::fill(size_t input, std::span<const std::byte> pattern) {
  const Buffer& buffer = inputs_[input];
  size_t filled = std::min(pattern.size(), buffer.size());
  stream_->upload(buffer.address(), pattern.first(filled));
  while (filled < buffer.size()) {
    const size_t more = std::min(filled, buffer.size() - filled);
    check(driver().copy_on_device(buffer.address() + filled, buffer.address(), more,
                                  stream_->handle()),
          "filling an input");
    filled += more;
  }
}

void Execution::download(size_t output, std::span<std::byte> bytes, size_t first) {
  DLAEXEC_CHECK(first + bytes.size() <= outputs_[output].size());
  stream_->download(bytes, outputs_[output].address() + first);
}

ir::Tensor tensor_of(const Edge& edge, std::span<const std::byte> memory) {
  const Held made = held(edge, memory);
  ir::Tensor tensor(edge.type, made.dims);
  std::copy(made.elements.begin(), made.elements.end(), tensor.mutable_bytes().begin());
  return tensor;
}

std::vector<ir::Tensor> Execution::run(std::span<const ir::Tensor> inputs, Launching launching) {
  const Lowered& lowered = program_.lowered();
  DLAEXEC_CHECK(inputs.size() == lowered.inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    DLAEXEC_CHECK(inputs[i].type() == lowered.inputs[i].type &&
                  inputs[i].dims() == lowered.inputs[i].dims);
    upload(i, inputs[i].bytes());
  }
  launch(launching);
  std::vector<std::vector<std::byte>> memory;
  for (size_t i = 0; i < lowered.outputs.size(); ++i)
    download(i, memory.emplace_back(static_cast<size_t>(lowered.outputs[i].bytes)));
  stream_->synchronize();
  std::vector<ir::Tensor> outputs;
  for (size_t i = 0; i < lowered.outputs.size(); ++i)
    outputs.push_back(tensor_of(lowered.outputs[i], memory[i]));
  return outputs;
}

size_t Execution::device_bytes() const {
  size_t bytes = arena_.size();
  for (const Buffer& buffer : inputs_) bytes += buffer.size();
  for (const Buffer& buffer : outputs_) bytes += buffer.size();
  return bytes;
}

}  // namespace dlaexec::gpu
