// A program before and after its memory is planned: buffers and the steps that use them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cpu/kernel.h"
#include "cpu/program.h"
#include "ir/tensor.h"

namespace dlaexec::cpu {

/// Index into Schedule::buffers; -1: none.
using BufferId = int;

/// Where the bytes of a buffer are.
enum class Home : uint8_t {
  Arena,     ///< at an offset that plan_memory chooses
  Constant,  ///< in Buffer::constant
  Input,     ///< in the caller's tensor
  Tensor     ///< in a tensor of its own, since its size depends on data
};

struct Buffer {
  int64_t bytes = 0;
  Home home = Home::Arena;
  ir::Tensor constant;   ///< Home::Constant
  int index = 0;         ///< Home::Input: which input; Home::Tensor: which slot
  BufferId inside = -1;  ///< part of another buffer, whose home it shares
  int64_t offset = 0;    ///< from the start of that buffer, else of the arena
};

struct Step {
  StepInfo info;
  std::vector<BufferId> inputs, outputs;
  BufferId scratch = -1;
  std::vector<int> may_overwrite;  ///< inputs over which output 0 may be written
  /// The inputs lie one behind the other in the output, if they can be made there: a concat.
  bool joins_inputs = false;
  std::vector<int64_t> view_offsets;  ///< bytes at which the outputs are input 0, if they are
  std::function<void(const Call&)> run;
};

struct Output {
  BufferId buffer;
  ir::DataType type;
  std::optional<ir::Dims> dims;  ///< nothing: they depend on data
};

struct Schedule {
  std::vector<Buffer> buffers;
  std::vector<Step> steps;
  std::vector<Output> outputs;
  int tensor_slots = 0;
  int64_t arena_bytes = 0;

  BufferId add_buffer(Buffer buffer) {
    buffers.push_back(std::move(buffer));
    return static_cast<BufferId>(buffers.size()) - 1;
  }
};

/// Chooses kernels and layouts for the nodes of @p graph and puts layout changes between them.
Schedule lower(ir::Graph graph, const ProgramOptions& options);

/// Lays views and in-place results over their sources, then packs what lives at the same time
/// into one arena.
void plan_memory(Schedule& schedule);

}  // namespace dlaexec::cpu
