#include "dla/compile/memory_plan.h"

#include <algorithm>
#include <map>
#include <optional>

#include "dla/compile/tiling.h"

namespace dlaexec::dla {
namespace {

constexpr int64_t kAlignment = 64;  // CDMA reads lines of 64 bytes

int64_t aligned(int64_t size) { return (size + kAlignment - 1) / kAlignment * kAlignment; }

/// A cube's time in memory: operations [first, last].
struct Life {
  CubeId cube = kNoCube;
  size_t first = 0, last = 0;
  int64_t size = 0;
  int64_t offset = 0;

  bool meets(const Life& other) const { return first <= other.last && other.first <= last; }
};

/// Lives of the cubes that own memory between operations, in the order of their first writing.
std::vector<Life> lives_of(const Loadable& loadable) {
  std::map<CubeId, Life> lives;
  const auto touch = [&](CubeId id, size_t operation) {
    const CubeId root = loadable.cube(id).part_of < 0 ? id : loadable.cube(id).part_of;
    const Cube& cube = loadable.cube(root);
    if (cube.place.region != Region::Local) return;
    const auto [at, fresh] = lives.try_emplace(root);
    Life& life = at->second;
    if (fresh) life = {root, operation, operation, aligned(size_bytes(cube.layout, cube.dims)), 0};
    life.last = operation;
  };
  for (size_t i = 0; i < loadable.operations.size(); ++i) {
    for (const CubeId id : cubes_read(loadable.operations[i])) touch(id, i);
    touch(loadable.operations[i].output, i);
  }
  std::vector<Life> ordered;
  for (const auto& [cube, life] : lives) ordered.push_back(life);
  std::stable_sort(ordered.begin(), ordered.end(),
                   [](const Life& a, const Life& b) { return a.first < b.first; });
  return ordered;
}

/// Memory of one region, filled first-fit.
class Arena {
 public:
  explicit Arena(int64_t limit) : limit_(limit) {}

  /// Finds room for @p life; false when it would pass the limit.
  bool put(Life& life) {
    std::vector<const Life*> around;
    for (const Life& other : placed_)
      if (other.meets(life)) around.push_back(&other);
    std::sort(around.begin(), around.end(),
              [](const Life* a, const Life* b) { return a->offset < b->offset; });
    int64_t offset = 0;
    for (const Life* other : around) {
      if (offset + life.size <= other->offset) break;
      offset = std::max(offset, other->offset + other->size);
    }
    if (offset + life.size > limit_) return false;
    life.offset = offset;
    used_ = std::max(used_, offset + life.size);
    placed_.push_back(life);
    return true;
  }
  int64_t used() const { return used_; }

 private:
  int64_t limit_;
  int64_t used_ = 0;
  std::vector<Life> placed_;
};

/// Weights and constants as the hardware holds them.
int64_t global_bytes(const Loadable& loadable) {
  int64_t bytes = 0;
  const auto count_sdp = [&](const Operation& operation, const SdpParameters& sdp) {
    for (const SdpStage& stage : sdp.stages) {
      if (stage.alu != SdpAlu::None && stage.alu_operand.cube == kNoCube)
        bytes += constant_bytes(loadable, operation, stage.alu_operand);
      if (stage.mul != SdpMul::None && stage.mul_operand.cube == kNoCube)
        bytes += constant_bytes(loadable, operation, stage.mul_operand);
    }
    bytes += sdp.lut.entries.size;
  };
  for (const Operation& operation : loadable.operations) {
    if (const auto* conv = std::get_if<ConvParameters>(&operation.parameters)) {
      bytes += conv->dense_weight_bytes;
      count_sdp(operation, conv->sdp);
    } else if (const auto* sdp = std::get_if<SdpParameters>(&operation.parameters)) {
      count_sdp(operation, *sdp);
    } else if (const auto* cdp = std::get_if<CdpParameters>(&operation.parameters)) {
      bytes += cdp->lut.entries.size;
    }
  }
  return bytes;
}

/// The operation whose weights are the largest.
const Operation& heaviest(const Loadable& loadable) {
  const auto weight = [](const Operation& operation) {
    const auto* conv = std::get_if<ConvParameters>(&operation.parameters);
    return conv == nullptr ? 0 : conv->dense_weight_bytes;
  };
  return *std::max_element(
      loadable.operations.begin(), loadable.operations.end(),
      [&](const Operation& a, const Operation& b) { return weight(a) < weight(b); });
}

std::string mebibytes(int64_t bytes) {
  return format("{:.3g} MiB", static_cast<double>(bytes) / (1 << 20));
}

/// Parts follow their wholes.
void resolve_parts(Loadable& loadable) {
  for (Cube& cube : loadable.cubes) {
    if (cube.part_of < 0) continue;
    const Place& whole = loadable.cube(cube.part_of).place;
    cube.place = {whole.region, whole.binding, whole.offset + cube.place.offset};
  }
}

}  // namespace

void plan_memory(Loadable& loadable, const PoolLimits& limits) {
  loadable.pools.global = global_bytes(loadable);
  if (loadable.pools.global > limits.global)
    throw Refusal(heaviest(loadable).name,
                  format("the loadable's weights take {} of global DRAM, its pool allows {}, so {} "
                         "are missing; raise dlaGlobalDRAM with --memPoolSize",
                         mebibytes(loadable.pools.global), mebibytes(limits.global),
                         mebibytes(loadable.pools.global - limits.global)),
                  Obstacle::Memory);
  Arena sram(limits.sram);
  Arena local(int64_t{1} << 60);
  std::optional<size_t> past_limit;  // the operation whose output no longer fits
  for (Life life : lives_of(loadable)) {
    const bool is_fast = sram.put(life);
    if (!is_fast) local.put(life);
    loadable.cube(life.cube).place = {is_fast ? Region::Sram : Region::Local, 0, life.offset};
    if (local.used() > limits.local && !past_limit) past_limit = life.first;
  }
  if (past_limit)
    throw Refusal(
        loadable.operations[*past_limit].name,
        format("tensors between the loadable's layers take {} of local DRAM, its pool allows {}, "
               "so {} are missing; raise dlaLocalDRAM with --memPoolSize",
               mebibytes(local.used()), mebibytes(limits.local),
               mebibytes(local.used() - limits.local)),
        Obstacle::Memory);
  loadable.pools.sram = sram.used();
  loadable.pools.local = local.used();
  resolve_parts(loadable);
}

}  // namespace dlaexec::dla
