// How long a loadable takes on a core: cycles per hardware operation, by documented rates and a few
// calibrated constants. lib/dla/CLOCK.md tells the model, the constants and how far off it is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dla/loadable.h"
#include "dla/platform.h"

namespace dlaexec::dla {

/// The constants that are fitted to measured boards; everything else follows from documents.
struct ClockConstants {
  double dram_share;       ///< of the board's DRAM bandwidth that one core reaches, alone
  double dram_port_bytes;  ///< a cycle, at most, between a core and DRAM
  double gap_cycles;       ///< between two hardware layers
  double stripe_cycles;    ///< lost by the MAC array at the end of each stripe
  double fp16_efficiency;  ///< of the FP16 MAC rate
};

/// The fitted constants of a generation.
const ClockConstants& clock_constants(Generation generation);

/// The core and board that are modelled. What-if questions change members after clock_settings().
struct ClockSettings {
  CoreFacts core;
  double clock_hz = 0;
  double dram_bytes_per_second = 0;  ///< of the whole board
  int busy_cores = 1;                ///< cores that work at the same time and share DRAM
  bool sparse_weights = false;  ///< INT8 weights are 2:4 sparse; counts where the core can use it
  ClockConstants constants{};
};

ClockSettings clock_settings(const Platform& platform, const PowerMode& mode);

/// What an operation waits for most.
enum class Bound : uint8_t { Mac, Unit, Dram, Sram, Gap };

/// One hardware operation. Cycles are of the DLA's clock.
struct OperationTime {
  double mac_cycles = 0;   ///< of the MAC array
  double unit_cycles = 0;  ///< of the SDP, PDP or CDP
  double dram_cycles = 0;  ///< of the port to DRAM
  double sram_cycles = 0;  ///< of the port to SRAM
  double wait_cycles = 0;  ///< weight loads that nothing hides
  double gap_cycles = 0;   ///< between its hardware layers
  double cycles = 0;       ///< all of it: the longest of the first four, the wait and the gaps
  double seconds = 0;
  Bound bound = Bound::Gap;
  int64_t dram_bytes = 0, sram_bytes = 0;
  int64_t macs = 0;        ///< that the network asks for
  double utilization = 0;  ///< macs against what the array could have done meanwhile, 0 to 1
};

struct LoadableTime {
  std::vector<OperationTime> operations;  ///< in the loadable's order
  double start_seconds = 0;               ///< from the start of the task to its first operation
  double seconds = 0;                     ///< the start and all operations
  /// How far off such times are on average, as a part of them; see stated_error.
  std::optional<double> error;
};

/// The mean error of modelled times on measured networks that the constants were not fitted to, as
/// a part of the time; single ones were off by more (CLOCK.md has each). No value where too little
/// was measured to tell.
std::optional<double> stated_error(Generation generation, ir::DataType precision);

/// The error in words that stand behind a modelled figure: "+-5 %".
std::string error_text(const std::optional<double>& error);

/// The time of one execution of @p loadable.
LoadableTime estimate(const Loadable& loadable, const ClockSettings& settings);

/// What shortens an operation that is bound so: one clause for a report.
std::string_view advice(Bound bound);

/// Host time to hand one task to a core, and what passing @p bytes between the GPU and a DLA core
/// costs beside the work itself. Measured on Xavier (HaX-CoNN) and taken for both generations.
double submit_seconds();
double to_dla_seconds(int64_t bytes);
double to_gpu_seconds(int64_t bytes);

}  // namespace dlaexec::dla

DLAEXEC_ENUM_TEXT(dlaexec::dla::Bound, "mac", "unit", "dram", "sram", "gap");
