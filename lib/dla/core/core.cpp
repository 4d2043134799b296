#include "dla/core/core.h"

#include <algorithm>
#include <iterator>

#include "base/error.h"
#include "base/processor.h"
#include "dla/core/conv.h"
#include "dla/core/memory.h"
#include "dla/core/prepared.h"
#include "dla/core/units.h"
#include "dla/core/vector_conv.h"

namespace dlaexec::dla::core {
namespace {

/// Memory that starts on a cache line and as zeros.
ir::Tensor arena(int64_t size) { return ir::Tensor::zeros(ir::DataType::Int8, {size}); }

int64_t buffer_bytes(const Cube& cube) { return size_bytes(cube.layout, cube.dims); }

template <class Buffer>
void require_buffers(const Loadable& loadable, const std::vector<CubeId>& cubes,
                     std::span<const Buffer> buffers, std::string_view what) {
  if (buffers.size() != cubes.size())
    fail("loadable '{}' has {} {}s, {} buffers were given", loadable.name, cubes.size(), what,
         buffers.size());
  for (size_t i = 0; i < cubes.size(); ++i) {
    const Cube& cube = loadable.cube(cubes[i]);
    if (static_cast<int64_t>(buffers[i].size()) != buffer_bytes(cube))
      fail("{} '{}' of loadable '{}' takes {} bytes ({} {} {}), the buffer has {}", what, cube.name,
           loadable.name, buffer_bytes(cube), to_text(cube.dims), ir::text(cube.type),
           ir::text(cube.format), buffers[i].size());
  }
}

ir::Dims dims_of(const Cube& cube) { return {cube.dims.n, cube.dims.c, cube.dims.h, cube.dims.w}; }

/// The elements of a cube in the memory of a run.
ir::Tensor stored_elements(const CubeView& view) {
  const auto bytes = static_cast<size_t>(size_bytes(view.layout(), view.dims()));
  return unpack({view.data, bytes}, view.layout(), view.cube->type, dims_of(*view.cube));
}

/// A way to compute convolutions.
struct Way {
  Isa isa;
  PrepareConv prepare;  ///< null: the scalar code
  bool (*is_usable)();  ///< on this machine
};

#if defined(__x86_64__)
bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
}

bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vnni");
}
#endif

/// Slowest first.
constexpr Way kWays[] = {
    {Isa::Scalar, nullptr, [] { return true; }},
#if defined(__x86_64__)
    {Isa::Avx2, prepare_conv_avx2, has_avx2},
    {Isa::Avx512Vnni, prepare_conv_avx512, has_avx512},
#elif defined(__aarch64__)
    {Isa::Neon, prepare_conv_neon, [] { return true; }},
    {Isa::NeonDot, prepare_conv_neon_dot, has_sdot},
#endif
};

PrepareConv preparation(Isa isa) {
  const auto* const way = std::ranges::find(kWays, isa, &Way::isa);
  DLAEXEC_CHECK(way != std::end(kWays));
  return way->prepare;
}

}  // namespace

struct Core::State {
  const Loadable& loadable;
  ThreadPool& threads;
  HalfSum half_sum;
  ir::Tensor local, sram;
  /// By operation; null where the reference runs. Empty: everywhere.
  std::vector<std::unique_ptr<Prepared>> prepared;

  void prepare(Isa isa) {
    if (isa == Isa::Scalar) return;
    const PrepareConv prepare_conv = preparation(isa);
    prepared.resize(loadable.operations.size());
    threads.parallel_for(static_cast<int64_t>(prepared.size()), [&](int64_t i) {
      const auto at = static_cast<size_t>(i);
      prepared[at] = prepare(loadable.operations[at], prepare_conv);
    });
  }

  std::unique_ptr<Prepared> prepare(const Operation& operation, PrepareConv prepare_conv) {
    const bool is_half = operation.precision == ir::DataType::Float16;
    switch (operation.unit()) {
      case Unit::Conv:
        if (is_half && half_sum == HalfSum::Nvdla) return nullptr;
        return prepare_conv(loadable, operation);
      case Unit::Sdp:
        return prepare_sdp_table(loadable, operation, threads);
      case Unit::Pdp:
        return prepare_pooling(loadable, operation);
      case Unit::Cdp:
        return prepare_lrn(loadable, operation, threads);
      case Unit::Rubik:
      case Unit::Bdma:
        return nullptr;
    }
    __builtin_unreachable();
  }

  void run(const Memory& memory, size_t index) {
    if (!prepared.empty() && prepared[index]) return prepared[index]->run(memory, threads);
    const Operation& operation = loadable.operations[index];
    switch (operation.unit()) {
      case Unit::Conv:
        return run_conv_scalar(memory, operation, threads, half_sum);
      case Unit::Sdp:
        return run_sdp(memory, operation, threads);
      case Unit::Pdp:
        return run_pdp(memory, operation, threads);
      case Unit::Cdp:
        return run_cdp(memory, operation, threads);
      case Unit::Rubik:
        return run_rubik(memory, operation, threads);
      case Unit::Bdma:
        return run_bdma(memory, operation, threads);
    }
  }
};

Isa best_isa() { return usable_isas().back(); }

std::vector<Isa> usable_isas() {
  std::vector<Isa> usable;
  for (const Way& way : kWays)
    if (way.is_usable()) usable.push_back(way.isa);
  return usable;
}

Core::Core(const Loadable& loadable, ThreadPool& threads, Isa isa, HalfSum half_sum)
    : state_(new State{loadable,
                       threads,
                       half_sum,
                       arena(loadable.pools.local),
                       arena(loadable.pools.sram),
                       {}}) {
  state_->prepare(isa);
}

Core::~Core() = default;

void Core::run(std::span<const std::span<const std::byte>> inputs,
               std::span<const std::span<std::byte>> outputs, const Tap& tap) {
  const Loadable& loadable = state_->loadable;
  require_buffers(loadable, loadable.inputs, inputs, "input");
  require_buffers(loadable, loadable.outputs, outputs, "output");
  for (const std::span<std::byte> output : outputs) std::memset(output.data(), 0, output.size());
  const Memory memory{&loadable, inputs, outputs, state_->local.mutable_bytes().data(),
                      state_->sram.mutable_bytes().data()};
  for (size_t i = 0; i < loadable.operations.size(); ++i) {
    state_->run(memory, i);
    if (!tap) continue;
    const CubeView made = memory.view(loadable.operations[i].output);
    tap(*made.cube, stored_elements(made));
  }
}

std::vector<ir::Tensor> Core::run(std::span<const ir::Tensor> inputs, const Tap& tap) {
  const Loadable& loadable = state_->loadable;
  if (inputs.size() != loadable.inputs.size())
    fail("loadable '{}' has {} inputs, {} tensors were given", loadable.name,
         loadable.inputs.size(), inputs.size());
  std::vector<ir::Tensor> packed, results;
  std::vector<std::span<const std::byte>> from;
  std::vector<std::span<std::byte>> to;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Cube& cube = loadable.cube(loadable.inputs[i]);
    if (!(nchw_of(inputs[i].dims()) == cube.dims))
      fail("input '{}' of loadable '{}' is {}, a tensor of {} was given", cube.name, loadable.name,
           to_text(cube.dims), ir::to_text(inputs[i].dims()));
    packed.push_back(arena(buffer_bytes(cube)));
    pack(inputs[i], cube.layout, cube.type, cube.scale, packed.back().mutable_bytes());
    from.push_back(packed.back().bytes());
  }
  for (const CubeId id : loadable.outputs) {
    packed.push_back(arena(buffer_bytes(loadable.cube(id))));
    to.push_back(packed.back().mutable_bytes());
  }
  run(from, to, tap);
  for (size_t i = 0; i < to.size(); ++i) {
    const Cube& cube = loadable.cube(loadable.outputs[i]);
    results.push_back(unpack(to[i], cube.layout, cube.type, dims_of(cube)));
  }
  return results;
}

}  // namespace dlaexec::dla::core
