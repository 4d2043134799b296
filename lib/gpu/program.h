// A graph part on a device: its kernels and weights, and executions that share them.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "gpu/jit.h"
#include "gpu/lowering.h"
#include "ir/tensor.h"

namespace dlaexec::gpu {

/// What the memory of an output holds, in memory of its own.
ir::Tensor tensor_of(const Edge& edge, std::span<const std::byte> memory);

/// Every kernel that @p lowered launches, each once, in order of first use.
std::vector<Kernel> kernels_of(const Lowered& lowered);

/// Kernels loaded and weights uploaded; unchanging, so that any number of executions share it.
/// Lives on the context that was current when it was made and must not outlive it.
class Program {
 public:
  /// @p code must hold every kernel of @p lowered for the device's architecture; otherwise throws
  /// an Error that says which is missing and that the plan must be built again. So does a library
  /// that the steps need.
  /// @p sibling: a program lowered from the same part, with which this one shares the kernels that
  /// both launch, and the weights when both have them in the same places; null for none.
  Program(Lowered lowered, std::span<const Cubin> code, const Context& context,
          const Program* sibling = nullptr);

  const Lowered& lowered() const { return lowered_; }
  Address constants() const { return constants_->address(); }
  Handle function(const Step& step) const;
  /// How many blocks of @p step the device holds at once.
  int64_t resident_blocks(const Step& step) const;
  /// True if kernels may start before the ones ahead of them have ended.
  bool overlaps() const { return overlaps_; }
  /// The library that @p step runs by.
  const Library& library(const LibraryStep& step) const;

 private:
  /// A kernel on the device.
  struct Loaded {
    std::shared_ptr<Module> module;
    Module::Needs needs;
  };
  void load_modules(std::span<const Cubin> code, const Target& target, const Program* sibling);
  static std::shared_ptr<Module> load(const Kernel& kernel, const Module::Needs& needs,
                                      std::span<const Cubin> code, const Target& target);
  void open_libraries();
  void upload_constants();

  Lowered lowered_;
  std::map<Kernel, Loaded> modules_;
  Libraries libraries_;
  std::shared_ptr<Buffer> constants_;
  int multiprocessors_ = 1;
  bool overlaps_ = false;
};

/// One run of a program at a time: its own memory, stream and captured graph.
class Execution {
 public:
  enum class Launching : uint8_t { Stream, Graph };

  /// What an execution does not make itself. For timing many variants of one part.
  struct Shared {
    const Execution* edges = nullptr;  ///< whose inputs, outputs and stream are used
    Address constants = 0;             ///< another copy of the program's constants
    /// An execution of the same program, whose stream and memory between the steps are used: the
    /// two take turns.
    const Execution* arena = nullptr;
  };
  /// Where inputs and outputs lie.
  using Edges = Buffer::Kind;

  explicit Execution(const Program& program, Shared shared, Edges edges = Edges::Device);
  explicit Execution(const Program& program, Edges edges = Edges::Device)
      : Execution(program, Shared{}, edges) {}

  /// Copies dense tensors in, runs, copies the results out and waits.
  std::vector<ir::Tensor> run(std::span<const ir::Tensor> inputs,
                              Launching launching = Launching::Graph);

  /// Enqueues all launches, without copies; nothing is waited for.
  void launch(Launching launching);
  /// Enqueues all launches on @p stream.
  void enqueue(const Stream& stream) const;
  /// Device time of each step, launched one by one between events; waits.
  std::vector<std::chrono::duration<float, std::milli>> profile();

  void upload(size_t input, std::span<const std::byte> bytes);
  /// Repeats @p pattern over the whole input.
  void fill(size_t input, std::span<const std::byte> pattern);
  /// Enqueues a copy of an output's bytes from @p first on, where @p memory ends.
  void download(size_t output, std::span<std::byte> bytes, size_t first = 0);
  const Stream& stream() const { return *stream_; }
  Address input(size_t index) const { return inputs_[index].address(); }
  Address output(size_t index) const { return outputs_[index].address(); }
  size_t device_bytes() const;

 private:
  /// A step ready to be launched: its parameters hold final addresses.
  struct Ready {
    Handle function = nullptr;
    Launch launch;
    std::vector<std::byte> parameters;
    std::unique_ptr<LibraryLaunch> library;  ///< instead of the function
  };
  Ready ready(const Step& step) const;
  void warm_up_libraries() const;
  Address address(const Place& place) const;
  void enqueue(const Ready& ready, const Stream& stream, bool overlap) const;

  const Program& program_;
  Buffer arena_;
  std::vector<Buffer> inputs_, outputs_;
  Shared shared_;
  std::shared_ptr<Stream> stream_;
  std::vector<Ready> steps_;
  std::unique_ptr<CapturedGraph> graph_;
};

}  // namespace dlaexec::gpu
