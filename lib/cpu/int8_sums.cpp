#include "cpu/int8_sums.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace dlaexec::cpu {
namespace {

constexpr int kMostRows = 32;
constexpr int kMostOutputs = 32;

template <class Term>
void pack_panel(const PanelSource& source, const Panel& panel, int64_t together, Term* to) {
  const int64_t first = panel.first_block * kBlock - panel.group * round_up(source.outputs, kBlock);
  for (int64_t term = 0; term < source.terms; term += together)
    for (int64_t i = 0; i < panel.blocks * kBlock; ++i)
      for (int64_t t = 0; t < together; ++t) {
        const bool is_there = first + i < source.outputs;
        *to++ = is_there ? static_cast<Term>(source.weight(panel.group, first + i, term + t)) : 0;
      }
}

}  // namespace

bool has_int8_steps(const ir::Value& value) {
  const std::vector<float>& scales = value.quantization.scales;
  return value.type == ir::DataType::Int8 && scales.size() == 1 && scales[0] > 0x1p-120f;
}

std::optional<std::vector<float>> int8_weight_scales(const ir::Value& weights, int64_t outputs) {
  if (weights.type != ir::DataType::Int8 || !weights.constant || !weights.quantization.is_known())
    return std::nullopt;
  std::vector<float> scales = weights.quantization.scales;
  if (scales.size() == 1) scales.assign(static_cast<size_t>(outputs), scales[0]);
  if (static_cast<int64_t>(scales.size()) != outputs) return std::nullopt;
  return scales;
}

int64_t chunk_terms_for(const Int8Tiles& tiles, int64_t channels) {
  const int64_t chunks = divide_up(channels, tiles.most_chunk_terms);
  return round_up(divide_up(channels, chunks), kBlock);
}

void Int8Sums::pack(const PanelSource& source) {
  const int64_t blocks = divide_up(source.outputs, kBlock);
  const bool quads = kernels->tiles.order == Int8Order::Quads;
  outputs = source.outputs;
  weights.resize(
      static_cast<size_t>(source.groups * blocks * kBlock * source.terms * term_bytes()));
  if (kernels->tiles.zero != 0)
    corrections.assign(static_cast<size_t>(source.groups * blocks * kBlock), 0);
  int64_t at = 0;
  for (int64_t group = 0; group < source.groups; ++group)
    for (int64_t block = 0; block < blocks; block += kernels->tiles.most_blocks) {
      const int64_t here = std::min<int64_t>(kernels->tiles.most_blocks, blocks - block);
      panels.push_back({group, group * blocks + block, static_cast<int>(here), at,
                        here * kBlock * source.terms});
      std::byte* to = weights.data() + at * term_bytes();
      if (quads)
        pack_panel(source, panels.back(), 4, reinterpret_cast<int8_t*>(to));
      else
        pack_panel(source, panels.back(), 2, reinterpret_cast<int16_t*>(to));
      at += panels.back().weight_count;
    }
  if (kernels->tiles.zero == 0) return;
  for (int64_t group = 0; group < source.groups; ++group)  // the inputs are so much too large
    for (int64_t i = 0; i < source.outputs; ++i) {
      int64_t sum = 0;
      for (int64_t term = 0; term < source.terms; ++term)
        sum += static_cast<int64_t>(source.weight(group, i, term));
      corrections[static_cast<size_t>(group * blocks * kBlock + i)] =
          static_cast<int32_t>(-kernels->tiles.zero * sum);
    }
}

void Int8Sums::convert_terms(const float* from, std::byte* to, int64_t count) const {
  if (kernels->tiles.order == Int8Order::Quads)
    kernels->to_quads(scale, kernels->tiles.zero, from, reinterpret_cast<uint8_t*>(to), count);
  else
    kernels->to_pairs(scale, from, reinterpret_cast<int16_t*>(to), count);
}

void Int8Sums::convert(const float* from, std::byte* scratch, ThreadPool& pool) const {
  const auto at = [&](int64_t term) { return scratch + term * term_bytes(); };
  const auto fill = [&](int64_t to, int64_t count) {
    std::memset(at(to), kernels->tiles.zero, static_cast<size_t>(count * term_bytes()));
  };
  if (read_cell != 0)
    return frame.make(pool, fill, [&](int64_t read, int64_t to, int64_t count) {
      for (int64_t i = 0; i < count; i += frame.cell) {
        convert_terms(from + (read + i) / frame.cell * read_cell, at(to + i), read_cell);
        fill(to + i + read_cell, frame.cell - read_cell);
      }
    });
  if (group_blocks == 0 || frame.cell == kBlock)
    return frame.make(pool, fill, [&](int64_t read, int64_t to, int64_t count) {
      convert_terms(from + read, at(to), count);
    });
  // A cell gathers several blocks of channels; what it holds behind a group's last one has weights
  // of zero.
  const int64_t pixels = frame.input_height * frame.input_width;
  const int64_t cells = divide_up(group_blocks * kBlock, frame.cell);
  frame.make(pool, fill, [&](int64_t read, int64_t to, int64_t count) {
    const int64_t plane = read / frame.cell / pixels, pixel = read / frame.cell % pixels;
    const int64_t first = plane % cells * frame.cell / kBlock;
    const int64_t last = std::min(first + frame.cell / kBlock, group_blocks);
    for (int64_t block = first; block < last; ++block) {
      const float* image = from + (plane / cells * group_blocks + block) * pixels * kBlock;
      kernels->to_cells(scale, image + pixel * kBlock,
                        reinterpret_cast<uint8_t*>(at(to)) + (block - first) * kBlock,
                        count / frame.cell, frame.cell);
    }
  });
}

void Int8Sums::run(const float* from, const float* residual, float* to, std::byte* scratch,
                   ThreadPool& pool) const {
  convert(from, scratch, pool);
  const auto weight_bytes = static_cast<int64_t>(weights.size());
  const Tasks tasks = split_work({static_cast<int64_t>(panels.size()), strips.count(), weight_bytes,
                                  frame.elements() * term_bytes()},
                                 pool.size());
  pool.parallel_for(tasks.count(),
                    [&](int64_t i) { run_task(tasks.at(i), scratch, residual, to); });
}

void Int8Sums::run_task(const Task& task, const std::byte* terms, const float* residual,
                        float* to) const {
  alignas(64) int32_t sums[kMostRows * kMostOutputs];
  Int8Tile tile{};
  tile.chunks = chunks.data();
  tile.chunk_count = static_cast<int64_t>(chunks.size());
  tile.chunk_terms = chunk_terms;
  tile.row_step = input.x;
  tile.sums = sums;
  for (int64_t first = task.first_strip; first < task.last_strip; first += task.strips_at_once) {
    const int64_t last = std::min(task.last_strip, first + task.strips_at_once);
    for (int64_t p = task.first_panel; p < task.last_panel; ++p) {
      const Panel& panel = panels[static_cast<size_t>(p)];
      tile.weights = weights.data() + panel.weights * term_bytes();
      for (int64_t s = first; s < last; ++s) {
        const Strip strip = strips.at(s);
        const int64_t at = panel.group * input_group + strip.y * input.y + strip.x * input.x;
        tile.input = terms + at * term_bytes();
        kernels->tiles.find(strip.width, panel.blocks)(tile);
        finish(sums, panel, strip, residual, to);
      }
    }
  }
  if (kernels->tiles.release != nullptr) kernels->tiles.release();
}

/// What the sums of a block of outputs are made into.
Int8Results Int8Sums::results_of(int64_t block) const {
  const int64_t channel = block * kBlock;
  Int8Results made{};
  if (!corrections.empty()) made.correction = corrections.data() + channel;
  made.factor = results.factors.data() + channel;
  made.bias = results.bias.data() + channel;
  made.low = epilogue.low;
  made.high = epilogue.high;
  return made;
}

void Int8Sums::finish(const int32_t* sums, const Panel& panel, const Strip& strip,
                      const float* residual, float* to) const {
  alignas(64) float edge[kMostRows * kBlock], edge_residual[kMostRows * kBlock];
  const int64_t blocks_of_group = divide_up(outputs, kBlock);
  for (int b = 0; b < panel.blocks; ++b) {
    const int64_t block = panel.first_block + b;
    const int64_t at = block * output_block + strip.y * output.y + strip.x * output.x;
    // Blocked results have room for whole blocks; a matrix's last columns are made aside.
    const int64_t width = output_block == kBlock && output.x != kBlock
                              ? std::min(kBlock, outputs - block % blocks_of_group * kBlock)
                              : kBlock;
    Int8Results made = results_of(block);
    made.rows = strip.width;
    made.sums_step = panel.blocks * kBlock;
    made.residual = residual == nullptr ? nullptr : residual + at;
    made.output = to + at;
    made.output_step = output.x;
    if (width < kBlock) {
      made.output = edge;
      made.output_step = kBlock;
      if (residual != nullptr) {
        made.residual = edge_residual;
        for (int r = 0; r < strip.width; ++r)
          std::copy_n(residual + at + r * output.x, width, edge_residual + r * kBlock);
      }
    }
    kernels->finish(sums + b * kBlock, made);
    const bool side_by_side = made.output_step == kBlock;
    if (epilogue.has_more() && side_by_side) epilogue.finish(made.output, strip.width * kBlock);
    for (int r = 0; r < strip.width; ++r) {
      float* row = made.output + r * made.output_step;
      if (epilogue.has_more() && !side_by_side) epilogue.finish(row, width);
      if (width < kBlock) std::copy_n(row, width, to + at + r * output.x);
    }
  }
}

}  // namespace dlaexec::cpu
