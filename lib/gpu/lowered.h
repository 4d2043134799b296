// A graph part as the launches that run it: plain data, made without a device.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gpu/device.h"
#include "gpu/jit.h"
#include "gpu/library.h"
#include "ir/shape.h"
#include "ir/type.h"

namespace dlaexec::gpu {

/// What a kernel's pointer points into.
enum class Memory : uint8_t { None, Slot, Constant, Input, Output };

/// An address that is known once memory is there.
struct Place {
  Memory memory = Memory::None;
  int index = 0;       ///< of the slot, constant, input or output
  int64_t offset = 0;  ///< bytes from its start
};

/// Memory for one intermediate value, needed from one step to another.
struct Slot {
  int64_t bytes = 0;
  bool zeroed =
      false;  ///< zero before the first execution, kept by the kernels after; never shared
  int first = -1, last = -1;  ///< the steps that touch it
  int64_t offset = 0;         ///< in the arena
};

/// Weights in a kernel's layout, made when they are uploaded.
struct Constant {
  int64_t bytes = 0;
  std::function<std::vector<std::byte>()> make;
  int64_t offset = 0;  ///< in the block of all constants
};

/// How Hopper's copy engine walks a tensor: boxes of rows, or rows of patches (im2col).
struct BoxMap {
  ir::DataType type = ir::DataType::Float16;
  std::vector<uint64_t> dims;     ///< elements, innermost first
  std::vector<uint64_t> strides;  ///< bytes, of all dimensions but the innermost
  std::vector<uint32_t> box;      ///< elements of one copy; patches: channels, then pixels
  std::vector<uint32_t> steps;    ///< from element to element of a box; patches: the strides
  /// Patches: where the first base pixel lies, and the last as seen from the far corner.
  std::vector<int> lower, upper;
  int swizzle_bytes = 128;
};

/// A pointer inside a step's parameters that is filled in when memory is there.
struct Patch {
  size_t at = 0;  ///< byte of the parameters
  Place place;
  std::optional<BoxMap> map;  ///< what stands there is no pointer but the map of a tensor
};

/// How a kernel is launched.
struct Launch {
  std::array<int64_t, 3> grid = {1, 1, 1};
  std::array<int, 3> block = {1, 1, 1};
  int shared_bytes = 0;
  int cluster = 1;       ///< blocks along z that share their shared memory
  bool runs_on = false;  ///< blocks take every gridDim.x-th tile: no more are launched than fit
};

/// What a library runs in place of a kernel.
struct LibraryStep {
  LibraryProblem problem;
  LibraryTactic tactic;
};

/// One launch.
struct Step {
  std::string name;        ///< of its nodes, with a suffix when they take several launches
  int node = -1;           ///< index in the graph: whose time its time is
  std::vector<int> nodes;  ///< all nodes that the launches around it run together
  Kernel kernel;
  Launch launch;
  std::optional<LibraryStep> library;  ///< instead of a kernel; parameters are LibraryAddresses
  std::vector<std::byte> parameters;   ///< one struct, passed by value
  std::vector<Patch> patches;
  double operations = 0;  ///< multiplications and additions that the layer asks for
  double bytes = 0;       ///< that must move: each input read once, each output written once
  std::string problem;    ///< what the tuner chose for, empty when there was no choice
  std::string tactic;     ///< what it chose
};

/// A decision between tactics that lowering asked for.
struct Choice {
  std::string problem;
  std::vector<std::string> tactics;  ///< those that fit, best first by the cost model
  std::string chosen;
  std::vector<int> nodes;  ///< that pose the problem
};

/// An input or output: dense and row-major, unless the part keeps the kernels' layouts at its
/// edges.
struct Edge {
  std::string name;
  ir::DataType type = ir::DataType::Float32;
  ir::Dims dims;
  int64_t bytes = 0;
  /// The axis whose size data decides: dims has the most that it can be, and the size, an i64, lies
  /// kCountBytes before the elements.
  std::optional<size_t> open_axis;
};

inline constexpr int64_t kCountBytes = 16;

/// Bytes of an output that are worth copying before its size is known; all where it is known.
int64_t first_bytes(const Edge& edge);

/// What the memory of an output holds after an execution.
struct Held {
  ir::Dims dims;
  std::span<const std::byte> elements;
};

/// Looks at @p memory, as large as the output; the size must be there, elements may be missing.
Held held(const Edge& edge, std::span<const std::byte> memory);

/// Launches in order, and the memory they need.
struct Lowered {
  Target target;
  std::vector<Step> steps;
  std::vector<Choice> choices;
  std::vector<Slot> slots;
  std::vector<Constant> constants;
  std::vector<Edge> inputs, outputs;
  int64_t arena_bytes = 0;
  int64_t constant_bytes = 0;
  int tactics_left_out = 0;  ///< that need more scratch memory than they may take
};

/// Gives every slot its place in one arena, so that slots needed at the same step do not overlap.
/// Sets Slot::first and last from the steps, Constant::offset, and the two totals.
void plan_memory(Lowered& lowered);

}  // namespace dlaexec::gpu
