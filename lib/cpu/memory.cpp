// Planning of memory: which buffers may be the same bytes, and where in the arena the rest lies.
#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "cpu/schedule.h"

namespace dlaexec::cpu {
namespace {

/// The steps during which a buffer holds something wanted.
struct Life {
  int first = -1, last = -1;
  void add(int step) {
    if (first < 0) first = step;
    first = std::min(first, step);
    last = std::max(last, step);
  }
};

class MemoryPlan {
 public:
  explicit MemoryPlan(Schedule& schedule) : schedule_(schedule) {}

  void make() {
    find_lives();
    // Joins before overwriting: a step that wrote over its input could not write into a concat.
    for (const Step& step : schedule_.steps)
      for (size_t i = 0; i < step.view_offsets.size(); ++i)
        put_inside(step.outputs[i], step.inputs[0], step.view_offsets[i]);
    for (Step& step : schedule_.steps)
      if (step.joins_inputs) try_to_join(step);
    for (size_t i = 0; i < schedule_.steps.size(); ++i) try_to_overwrite(static_cast<int>(i));
    pack();
  }

 private:
  Buffer& at(BufferId id) { return schedule_.buffers[static_cast<size_t>(id)]; }
  Life& life(BufferId id) { return lives_[static_cast<size_t>(id)]; }

  BufferId root(BufferId id) {
    while (at(id).inside >= 0) id = at(id).inside;
    return id;
  }

  void find_lives() {
    lives_.assign(schedule_.buffers.size(), {});
    const int end = static_cast<int>(schedule_.steps.size());
    for (int i = 0; i < end; ++i) {
      const Step& step = schedule_.steps[static_cast<size_t>(i)];
      for (const BufferId id : step.inputs)
        if (id >= 0) life(root(id)).add(i);
      for (const BufferId id : step.outputs)
        if (id >= 0) life(root(id)).add(i);
      if (step.scratch >= 0) life(step.scratch).add(i);
    }
    for (const Output& output : schedule_.outputs) life(root(output.buffer)).add(end);
  }

  /// Makes @p part bytes of @p whole from @p offset on; the lives join.
  void put_inside(BufferId part, BufferId whole, int64_t offset) {
    const BufferId whole_root = root(whole);
    life(whole_root).add(life(part).first);
    life(whole_root).add(life(part).last);
    at(part).inside = whole;
    at(part).offset = offset;
  }

  bool is_free(BufferId id) { return at(id).inside < 0 && at(id).home == Home::Arena; }

  /// A concat whose inputs are made right inside its output has nothing left to do.
  void try_to_join(Step& step) {
    std::vector<BufferId> parts;
    for (const BufferId id : step.inputs) {
      const BufferId part = root(id);
      const bool fits = is_free(part) && at(part).bytes == at(id).bytes &&
                        std::find(parts.begin(), parts.end(), part) == parts.end();
      if (!fits || !is_free(step.outputs[0])) return;
      parts.push_back(part);
    }
    int64_t offset = 0;
    for (const BufferId part : parts) {
      put_inside(part, step.outputs[0], offset);
      offset += at(part).bytes;
    }
    step.run = nullptr;
    step.info.kernel = "concat.in-place";
  }

  void try_to_overwrite(int index) {
    Step& step = schedule_.steps[static_cast<size_t>(index)];
    for (const int input : step.may_overwrite) {
      if (step.inputs[static_cast<size_t>(input)] < 0 || !is_free(step.outputs[0])) continue;
      const BufferId source = root(step.inputs[static_cast<size_t>(input)]);
      if (!is_free(source) || life(source).last != index) continue;
      if (at(source).bytes != at(step.outputs[0]).bytes) continue;
      return put_inside(step.outputs[0], source, 0);
    }
  }

  /// Largest first, each at the lowest offset that is free during its life.
  void pack() {
    std::vector<BufferId> order;
    for (size_t i = 0; i < schedule_.buffers.size(); ++i)
      if (is_free(static_cast<BufferId>(i)) && lives_[i].first >= 0)
        order.push_back(static_cast<BufferId>(i));
    std::stable_sort(order.begin(), order.end(),
                     [&](BufferId a, BufferId b) { return at(a).bytes > at(b).bytes; });
    std::vector<BufferId> placed;  // by offset
    for (const BufferId id : order) {
      int64_t offset = 0;
      for (const BufferId other : placed) {
        const bool together =
            life(other).first <= life(id).last && life(id).first <= life(other).last;
        if (!together) continue;
        if (at(other).offset >= offset + at(id).bytes) continue;
        if (at(other).offset + at(other).bytes <= offset) continue;
        offset = round_up(at(other).offset + at(other).bytes, kAlignment);
      }
      at(id).offset = offset;
      schedule_.arena_bytes = std::max(schedule_.arena_bytes, offset + at(id).bytes);
      const auto where =
          std::upper_bound(placed.begin(), placed.end(), offset,
                           [&](int64_t value, BufferId other) { return value < at(other).offset; });
      placed.insert(where, id);
    }
  }

  static constexpr int64_t kAlignment = 64;
  Schedule& schedule_;
  std::vector<Life> lives_;
};

}  // namespace

void plan_memory(Schedule& schedule) { MemoryPlan(schedule).make(); }

}  // namespace dlaexec::cpu
