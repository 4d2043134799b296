// What a kernel is: how it wants its operands to lie, and the function that runs it.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "cpu/isa.h"
#include "cpu/layout.h"
#include "ir/graph.h"

namespace dlaexec::cpu {

/// One operand of a running step.
struct Operand {
  std::byte* data = nullptr;     ///< null: absent, or not read by the kernel
  ir::Tensor* tensor = nullptr;  ///< instead of data, for a value whose shape depends on data
};

/// What a kernel's function gets each time it runs. Operands are in the node's order; behind the
/// inputs come the values that its bodies capture.
struct Call {
  std::span<const Operand> inputs, outputs;
  std::byte* scratch;  ///< Kernel::scratch_bytes of it, aligned to 64 bytes, holding anything
  ThreadPool& pool;

  const float* input(size_t index) const {
    return reinterpret_cast<const float*>(inputs[index].data);
  }
  float* output(size_t index = 0) const { return reinterpret_cast<float*>(outputs[index].data); }
  float* scratch_floats() const { return reinterpret_cast<float*>(scratch); }
};

/// Who rounds a kernel's Float32 results to the type of the node's output.
enum class Rounds : uint8_t {
  Never,  ///< the step does it afterwards
  Itself
};

/// How one node runs. Results must not depend on the number of threads.
struct Kernel {
  std::string name;                           ///< "conv.direct": for people who read profiles
  std::vector<std::optional<Layout>> inputs;  ///< how each input is read; nothing: not at run time
  std::vector<Layout> outputs;
  int64_t scratch_bytes = 0;
  Rounds rounds = Rounds::Never;
  /// Byte offsets at which the outputs are input 0, if they are: there is nothing to run then.
  std::vector<int64_t> view_offsets{};
  bool joins_inputs = false;         ///< the output is the inputs one behind the other
  std::vector<int> may_overwrite{};  ///< inputs over which output 0 may be written
  std::function<void(const Call&)> run;

  bool is_view() const { return !view_offsets.empty(); }
};

/// A node that wants a kernel, and what is known about its surroundings.
struct Request {
  const ir::Graph& graph;
  const ir::Node& node;
  Isa isa;
  std::function<bool(ir::ValueId, Layout)> exists;  ///< whether a value lies so already

  const ir::Value& input(size_t index) const { return graph.value(node.inputs[index]); }
  const ir::Value& output(size_t index = 0) const { return graph.value(node.outputs[index]); }
  bool has_input(size_t index) const { return ir::Graph::input(node, index) != ir::kNoValue; }
  const ir::Tensor* constant(size_t index) const { return graph.constant(node, index); }
  ir::Dims input_dims(size_t index) const { return ir::dims_of(input(index).shape); }
  ir::Dims output_dims(size_t index = 0) const { return ir::dims_of(output(index).shape); }
  bool exists_as(size_t index, Layout layout) const { return exists(node.inputs[index], layout); }
};

/// The kernel for a node, if this maker has one.
using Maker = std::optional<Kernel> (*)(const Request&);

/// Whether nodes of @p op have kernels of their own, each for some shapes and types.
bool has_kernel(ir::Op op);

/// The best kernel for a node; the last resort is ref/.
Kernel choose_kernel(const Request& request);

}  // namespace dlaexec::cpu
