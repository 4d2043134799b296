#include "run/board.h"

#include <algorithm>

#include "base/error.h"

namespace dlaexec::run {
namespace {

bool has_sparse_weights(const plan::Metadata& metadata) {
  return std::any_of(metadata.settings.begin(), metadata.settings.end(), [](const auto& setting) {
    return setting.name == plan::kSparseWeights && setting.value == "all";
  });
}

}  // namespace

Board board_of(const plan::Metadata& built_for, const BoardOptions& options) {
  const bool chosen = !options.platform.empty();
  const dla::Platform& platform = dla::platform(chosen ? options.platform : built_for.platform);
  const bool own_mode = chosen || !options.power_mode.empty();
  const dla::PowerMode& mode =
      dla::power_mode(platform, own_mode ? options.power_mode : built_for.power_mode);
  const int core = options.dla_core.value_or(built_for.dla_core);
  if (core >= 0) dla::require_core(platform, mode, core);
  Board board{&platform, &mode, dla::clock_settings(platform, mode)};
  board.clock.sparse_weights = has_sparse_weights(built_for);
  board.clock.busy_cores = std::clamp(options.busy_cores, 1, std::max(1, mode.dla_cores));
  if (options.dla_mhz) board.clock.clock_hz = *options.dla_mhz * 1e6;
  if (options.dram_gb_per_s) board.clock.dram_bytes_per_second = *options.dram_gb_per_s * 1e9;
  board.has_other_clock = options.dla_mhz.has_value();
  board.has_other_memory = options.dram_gb_per_s.has_value();
  return board;
}

std::string to_text(const Board& board) {
  std::string text = format("{} {}", board.platform->name, board.mode->name);
  const char* joint = " with ";
  const auto add = [&](const std::string& part) { text += std::exchange(joint, ", ") + part; };
  if (board.has_other_clock) add(format("the DLA at {:g} MHz", board.clock.clock_hz / 1e6));
  if (board.has_other_memory)
    add(format("DRAM of {:g} GB/s", board.clock.dram_bytes_per_second / 1e9));
  if (board.clock.busy_cores > 1) add(format("{} DLA cores busy", board.clock.busy_cores));
  return text;
}

}  // namespace dlaexec::run
