#include "dla/compile/compile.h"

#include <bit>

#include "dla/compile/builder.h"
#include "dla/compile/lower.h"
#include "dla/compile/memory_plan.h"
#include "dla/compile/tiling.h"

namespace dlaexec::dla {
namespace {

constexpr int64_t kLeastPool = 4096;

/// Runs @p body; an Error that leaves it becomes the Refusal of @p layer.
template <class Body>
void on_behalf_of(const std::string& layer, Body&& body) {
  try {
    body();
  } catch (const Refusal&) {
    throw;
  } catch (const Error& error) {
    throw Refusal(layer, error.sentence());
  }
}

/// The layer to blame when something at the segment's edge does not work.
std::string first_layer(const ir::Graph& segment) {
  return segment.nodes.empty() ? segment.name : segment.nodes.front().name;
}
std::string last_layer(const ir::Graph& segment) {
  return segment.nodes.empty() ? segment.name : segment.nodes.back().name;
}

Loadable lower_all(const ir::Graph& segment, Generation generation) {
  Builder builder(segment, generation);
  on_behalf_of(first_layer(segment), [&] { builder.bind_inputs(); });
  on_behalf_of(last_layer(segment), [&] { place_parts(builder); });
  for (const ir::Node& node : segment.nodes) on_behalf_of(node.name, [&] { lower(builder, node); });
  on_behalf_of(last_layer(segment), [&] { builder.bind_outputs(); });
  return std::move(builder).finish();
}

void require_legal(std::string_view pool, int64_t size) {
  if (size >= kLeastPool && std::has_single_bit(static_cast<uint64_t>(size))) return;
  const auto wanted = static_cast<uint64_t>(std::max(size, kLeastPool));
  const uint64_t below = std::bit_floor(wanted);
  const std::string nearest =
      size < kLeastPool ? format("{}", kLeastPool) : format("{} or {}", below, 2 * below);
  fail("memory pool {} is {} bytes; the DLA takes powers of two of at least {}: give {}", pool,
       size, kLeastPool, nearest);
}

}  // namespace

PoolLimits default_pools(Generation generation) {
  PoolLimits limits;
  limits.sram = generation == Generation::Xavier ? int64_t{1} << 20 : int64_t{1} << 19;
  return limits;
}

void require_legal(const PoolLimits& limits) {
  require_legal("dlaSRAM", limits.sram);
  require_legal("dlaLocalDRAM", limits.local);
  require_legal("dlaGlobalDRAM", limits.global);
}

Loadable compile(const ir::Graph& segment, const CompileOptions& options) {
  require_legal(options.pools);
  Loadable loadable = lower_all(segment, options.generation);
  for (Operation& operation : loadable.operations)
    on_behalf_of(operation.name, [&] {
      operation.tiling = operation.unit() == Unit::Conv ? tile_conv(loadable, operation)
                                                        : tile_other(loadable, operation);
    });
  plan_memory(loadable, options.pools);
  in_context([&] { return format("checking the loadable that was made of '{}'", segment.name); },
             [&] { verify(loadable); });
  return loadable;
}

}  // namespace dlaexec::dla
