#include "cpu/program.h"

#include <cstring>
#include <new>

#include "base/error.h"
#include "cpu/schedule.h"

namespace dlaexec::cpu {

struct Program::Compiled {
  Schedule schedule;
  std::vector<StepInfo> steps;
  std::vector<std::pair<std::string, ir::Value>> inputs;
  ThreadPool* pool;
};

namespace {

struct FreeAligned {
  void operator()(std::byte* memory) const { ::operator delete (memory, std::align_val_t{64}); }
};

}  // namespace

/// What one run at a time needs: the arena, and where each operand of each step is in it.
struct Program::Memory {
  std::unique_ptr<std::byte, FreeAligned> arena;
  std::vector<ir::Tensor> slots;
  std::vector<Operand> operands;  ///< by buffer; those of inputs change from run to run
  std::vector<Operand> of_step;   ///< operands of the step under way

  explicit Memory(const Schedule& schedule);
  Operand locate(const Schedule& schedule, BufferId id) const;
};

Program::Memory::Memory(const Schedule& schedule)
    : arena(static_cast<std::byte*>(::operator new (
          static_cast<size_t>(std::max<int64_t>(schedule.arena_bytes, 64)), std::align_val_t{64}))),
      slots(static_cast<size_t>(schedule.tensor_slots)),
      operands(schedule.buffers.size()) {
  for (size_t i = 0; i < operands.size(); ++i)
    operands[i] = locate(schedule, static_cast<BufferId>(i));
}

Operand Program::Memory::locate(const Schedule& schedule, BufferId id) const {
  const Buffer* buffer = &schedule.buffers[static_cast<size_t>(id)];
  int64_t offset = buffer->offset;
  while (buffer->inside >= 0) {
    buffer = &schedule.buffers[static_cast<size_t>(buffer->inside)];
    offset += buffer->offset;
  }
  switch (buffer->home) {
    case Home::Arena:
      return {arena.get() + offset, nullptr};
    case Home::Constant:
      return {const_cast<std::byte*>(buffer->constant.bytes().data()) + offset, nullptr};
    case Home::Input:
      return {};
    case Home::Tensor:
      return {nullptr, const_cast<ir::Tensor*>(&slots[static_cast<size_t>(buffer->index)])};
  }
  __builtin_unreachable();
}

Program::Program(ir::Graph graph, ThreadPool& pool, const ProgramOptions& options) {
  auto compiled = std::make_shared<Compiled>();
  compiled->pool = &pool;
  for (const ir::ValueId id : graph.inputs) {
    ir::Value facts = graph.value(id);
    compiled->inputs.emplace_back(facts.name, std::move(facts));
  }
  compiled->schedule = lower(std::move(graph), options);
  plan_memory(compiled->schedule);
  for (const Step& step : compiled->schedule.steps) compiled->steps.push_back(step.info);
  compiled_ = std::move(compiled);
  memory_ = std::make_unique<Memory>(compiled_->schedule);
}

Program::~Program() = default;
Program::Program(Program&&) noexcept = default;
Program::Program(const Program& other)
    : compiled_(other.compiled_), memory_(std::make_unique<Memory>(compiled_->schedule)) {}
Program& Program::operator=(Program other) noexcept {
  std::swap(compiled_, other.compiled_);
  std::swap(memory_, other.memory_);
  return *this;
}

const std::vector<StepInfo>& Program::steps() const { return compiled_->steps; }
int64_t Program::arena_bytes() const { return compiled_->schedule.arena_bytes; }

namespace {

void check_input(const ir::Value& wanted, const ir::Tensor& given) {
  if (given.type() != wanted.type)
    fail("input '{}' has elements of type {}; the network takes {}", wanted.name,
         ir::text(given.type()), ir::text(wanted.type));
  if (ir::is_static(wanted.shape) && ir::dims_of(wanted.shape) != given.dims())
    fail("input '{}' has dimensions {}; the program was compiled for {}", wanted.name,
         ir::to_text(given.dims()), ir::to_text(wanted.shape));
}

}  // namespace

std::vector<ir::Tensor> Program::run(std::span<const ir::Tensor> inputs,
                                     std::span<std::chrono::nanoseconds> step_times) {
  const Schedule& schedule = compiled_->schedule;
  if (inputs.size() != compiled_->inputs.size())
    fail("{} inputs were given; the network takes {}", inputs.size(), compiled_->inputs.size());
  DLAEXEC_CHECK(step_times.empty() || step_times.size() == schedule.steps.size());
  for (size_t i = 0; i < inputs.size(); ++i) check_input(compiled_->inputs[i].second, inputs[i]);

  std::vector<Operand>& operands = memory_->operands;
  for (size_t i = 0; i < schedule.buffers.size(); ++i) {
    int64_t offset = 0;
    const Buffer* buffer = &schedule.buffers[i];
    for (; buffer->inside >= 0; buffer = &schedule.buffers[static_cast<size_t>(buffer->inside)])
      offset += buffer->offset;
    if (buffer->home == Home::Input)
      operands[i].data =
          const_cast<std::byte*>(inputs[static_cast<size_t>(buffer->index)].bytes().data()) +
          offset;
  }

  const auto operand = [&](BufferId id) {
    return id < 0 ? Operand{} : operands[static_cast<size_t>(id)];
  };
  for (size_t i = 0; i < schedule.steps.size(); ++i) {
    const Step& step = schedule.steps[i];
    if (!step.run) continue;
    std::vector<Operand>& of_step = memory_->of_step;
    of_step.clear();
    for (const BufferId id : step.inputs) of_step.push_back(operand(id));
    for (const BufferId id : step.outputs) of_step.push_back(operand(id));
    const std::span<const Operand> all(of_step);
    const Call call{all.first(step.inputs.size()), all.subspan(step.inputs.size()),
                    operand(step.scratch).data, *compiled_->pool};
    const auto start = std::chrono::steady_clock::now();
    in_context([&] { return "running '" + step.info.name + "' (" + step.info.kernel + ")"; },
               [&] { step.run(call); });
    if (!step_times.empty()) step_times[i] = std::chrono::steady_clock::now() - start;
  }

  std::vector<ir::Tensor> outputs;
  for (const Output& output : schedule.outputs) {
    const Operand at = operand(output.buffer);
    if (at.tensor != nullptr) {
      outputs.push_back(*at.tensor);
      continue;
    }
    ir::Tensor tensor(output.type, *output.dims);
    std::memcpy(tensor.mutable_bytes().data(), at.data, tensor.size_bytes());
    outputs.push_back(std::move(tensor));
  }
  return outputs;
}

}  // namespace dlaexec::cpu
