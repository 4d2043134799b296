#include "gpu/lowered.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "base/error.h"

namespace dlaexec::gpu {
namespace {

constexpr int64_t kAlignment = 256;

int64_t aligned(int64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

/// The first and last step that touches each slot.
void find_lifetimes(Lowered& lowered) {
  const int steps = static_cast<int>(lowered.steps.size());
  for (int i = 0; i < steps; ++i)
    for (const Patch& patch : lowered.steps[static_cast<size_t>(i)].patches) {
      if (patch.place.memory != Memory::Slot) continue;
      Slot& slot = lowered.slots[static_cast<size_t>(patch.place.index)];
      if (slot.first < 0) slot.first = i;
      slot.last = i;
    }
  for (Slot& slot : lowered.slots)
    if (slot.zeroed && slot.first >= 0) {
      slot.first = 0;
      slot.last = steps;
    }
}

bool meet(const Slot& a, const Slot& b) { return a.first <= b.last && b.first <= a.last; }

/// The lowest offset at which @p slot overlaps none of @p placed that lives with it.
int64_t lowest_gap(const Slot& slot, const std::vector<const Slot*>& placed) {
  int64_t offset = 0;
  for (const Slot* other : placed) {  // by offset
    if (!meet(slot, *other)) continue;
    if (offset + slot.bytes <= other->offset) break;
    offset = std::max(offset, aligned(other->offset + other->bytes));
  }
  return offset;
}

}  // namespace

int64_t first_bytes(const Edge& edge) {
  constexpr int64_t kCheap = 16 << 10;  // takes a copy hardly longer than the size alone does
  return edge.open_axis ? std::min(edge.bytes, kCheap) : edge.bytes;
}

Held held(const Edge& edge, std::span<const std::byte> memory) {
  Held held{edge.dims, memory};
  if (edge.open_axis) {
    int64_t size = 0;
    std::memcpy(&size, memory.data(), sizeof size);
    int64_t& most = held.dims[*edge.open_axis];
    DLAEXEC_CHECK(size >= 0 && size <= most);
    most = size;
    held.elements = memory.subspan(kCountBytes);
  }
  const int64_t bytes = ir::volume(held.dims) * static_cast<int64_t>(ir::size_bytes(edge.type));
  held.elements = held.elements.first(static_cast<size_t>(bytes));
  return held;
}

void plan_memory(Lowered& lowered) {
  find_lifetimes(lowered);
  std::vector<size_t> order(lowered.slots.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return lowered.slots[a].bytes > lowered.slots[b].bytes;
  });
  std::vector<const Slot*> placed;
  lowered.arena_bytes = 0;
  for (const size_t index : order) {
    Slot& slot = lowered.slots[index];
    if (slot.first < 0) continue;
    slot.offset = lowest_gap(slot, placed);
    lowered.arena_bytes = std::max(lowered.arena_bytes, aligned(slot.offset + slot.bytes));
    placed.insert(
        std::upper_bound(placed.begin(), placed.end(), &slot,
                         [](const Slot* a, const Slot* b) { return a->offset < b->offset; }),
        &slot);
  }
  lowered.constant_bytes = 0;
  for (Constant& constant : lowered.constants) {
    constant.offset = lowered.constant_bytes;
    lowered.constant_bytes += aligned(constant.bytes);
  }
}

}  // namespace dlaexec::gpu
