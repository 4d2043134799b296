#include "cpu/tiling.h"

#include <algorithm>

namespace dlaexec::cpu {

void Panels::set_bias(const std::vector<float>& values, int64_t outputs_per_group) {
  const int64_t blocks = divide_up(outputs_per_group, kBlock);
  for (size_t i = 0; i < values.size(); ++i) {
    const int64_t group = static_cast<int64_t>(i) / outputs_per_group;
    const int64_t output = static_cast<int64_t>(i) % outputs_per_group;
    bias[static_cast<size_t>(group * blocks * kBlock + output)] = values[i];
  }
}

Panels pack_panels(const PanelSource& source, int most_blocks) {
  const int64_t blocks = divide_up(source.outputs, kBlock);
  Panels packed;
  packed.groups = source.groups;
  packed.weights.resize(static_cast<size_t>(source.groups * blocks * kBlock * source.terms));
  packed.bias.assign(static_cast<size_t>(source.groups * blocks * kBlock), 0.0f);
  float* to = packed.weights.data();
  for (int64_t group = 0; group < source.groups; ++group) {
    for (int64_t block = 0; block < blocks; block += most_blocks) {
      const int64_t here = std::min<int64_t>(most_blocks, blocks - block);
      packed.panels.push_back({group, group * blocks + block, static_cast<int>(here),
                               to - packed.weights.data(), here * kBlock * source.terms});
      for (int64_t term = 0; term < source.terms; ++term)
        for (int64_t i = 0; i < here * kBlock; ++i) {
          const int64_t output = block * kBlock + i;
          *to++ = output < source.outputs ? source.weight(group, output, term) : 0.0f;
        }
    }
  }
  return packed;
}

void fetch_share(const Panels& panels, const Panel& next, int64_t index, int64_t parts,
                 Tile& tile) {
  const int64_t terms = next.weight_count / (next.blocks * kBlock);
  const int64_t bytes = next.weight_count * 4 / parts;
  tile.fetch = reinterpret_cast<const char*>(panels.weights.data() + next.weights) + bytes * index;
  tile.fetch_step = divide_up(bytes, std::max<int64_t>(1, terms));
}

Task Tasks::at(int64_t index) const {
  const int64_t p = index / across_strips, s = index % across_strips;
  return {p * work.panels / across_panels, (p + 1) * work.panels / across_panels,
          s * work.strips / across_strips, (s + 1) * work.strips / across_strips, strips_at_once};
}

Tasks split_work(const Work& work, int threads) {
  // Several tasks a thread, since threads do not run at equal speed.
  const int64_t wanted = threads == 1 ? 1 : int64_t{threads} * 4;
  Tasks best{work, 1, 1, work.strips};
  int64_t least = -1;
  const int64_t enough = std::min(wanted, work.panels * work.strips);
  for (int64_t p = 1; p <= std::min(work.panels, wanted); ++p) {
    const int64_t s = std::min(work.strips, divide_up(wanted, p));
    const int64_t traffic = s * work.weight_bytes + p * work.input_bytes;
    if (p * s < enough || (least >= 0 && traffic >= least)) continue;
    least = traffic;
    best.across_panels = p;
    best.across_strips = s;
  }
  // Strips whose inputs stay in half of a usual second-level cache while panels pass by.
  constexpr int64_t kNear = 1024 * 1024;
  const int64_t bytes = std::max<int64_t>(1, work.input_bytes / best.across_strips);
  best.strips_at_once =
      divide_up(divide_up(work.strips, best.across_strips), divide_up(bytes, kNear));
  return best;
}

}  // namespace dlaexec::cpu
