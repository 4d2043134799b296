#include "dla/clock.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "dla/grouped.h"

namespace dlaexec::dla {
namespace {

constexpr double kTaskStartSeconds =
    4.6e-6;  // measured per layer on Orin (cuDLA layer-wise statistics)
// Two busy cores get together 2 * 0.85 of what one alone gets from DRAM: of the ResNet-50 anchor,
// two cores reach 87 % of twice one.
constexpr double kSharedDram = 0.85;
constexpr double kSramPortBytes = 64;  // a cycle: 512-bit bus
constexpr int64_t kStripe = 32, kImageStripe = 64,
                  kShortestStripe = 16;  // outputs that share a weight load
// 2:4 sparse INT8 weights: half the values, and two bits of position for each.
constexpr double kSparseWeightBytes = 0.5 * (1 + 2.0 / 8);

// Fitted by scripts/calibrate_dla_clock; CLOCK.md has the date and the errors.
constexpr ClockConstants kXavier = {.dram_share = 0.267,
                                    .dram_port_bytes = 16,
                                    .gap_cycles = 24600,
                                    .stripe_cycles = 0,
                                    .fp16_efficiency = 1};
constexpr ClockConstants kOrin = {.dram_share = 0.267,
                                  .dram_port_bytes = 43.2,
                                  .gap_cycles = 753,
                                  .stripe_cycles = 9.4,
                                  .fp16_efficiency = 0.586};

// Mean error, rounded up, on networks that were never in the fit ("held out") or on those that were
// left out of it, whichever is larger. scripts/calibrate_dla_clock --check holds them against the
// rows. Xavier's few rows do not tell the precisions apart.
constexpr double kXavierError = 0.13, kOrinInt8Error = 0.15;

constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// A convolution as the MAC array sees it.
struct MacWork {
  const Nchw& in;
  const Nchw& out;
  const ConvParameters& conv;
  MacArray array;
  int64_t channels;  ///< under the kernels of a kernel group
};

/// Input atoms that each output of a kernel group needs: cycles for one output.
int64_t atoms_per_output(const MacWork& work) {
  const Hw& kernel = work.conv.kernel;
  if (!work.conv.image_input)
    return ceil_div(work.channels, work.array.channels) * kernel.h * kernel.w;
  // The kernel's width is folded into the channels, then 1, 2 or 4 of its rows are joined.
  const int64_t folded = work.in.c * kernel.w, step = work.in.c * work.conv.stride.w;
  const int64_t rows = std::max(folded, step) <= 16 ? 4 : std::max(folded, step) <= 32 ? 2 : 1;
  return ceil_div(folded * rows, work.array.channels) * ceil_div(kernel.h, rows);
}

/// Pipes that share the outputs. A depthwise convolution keeps one busy: with two, SSD-MobileNet-v1
/// would take a quarter less than was measured at every clock.
int64_t pipes(const MacWork& work) {
  const bool is_depthwise = work.conv.groups > 1 && work.conv.groups == work.in.c;
  return is_depthwise ? 1 : work.array.outputs;
}

double mac_cycles(const MacWork& work, const Tiling& tiling, double stripe_cycles) {
  const int64_t stripe = work.conv.image_input ? kImageStripe : kStripe;
  const int64_t groups =
      tiling.kernel_passes *
      ceil_div(std::min(tiling.kernels_per_pass, work.out.c), work.array.kernels);
  double cycles = 0;
  for (const Strip& strip : tiling.strips) {
    const int64_t outputs = ceil_div(strip.out_rows * work.out.w, pipes(work));
    const double counted = static_cast<double>(std::max(outputs, kShortestStripe));
    const double stripes = static_cast<double>(ceil_div(outputs, stripe));
    cycles += counted * static_cast<double>(atoms_per_output(work)) + stripes * stripe_cycles;
  }
  return cycles * static_cast<double>(groups * work.in.n);
}

int64_t macs_of(const MacWork& work) {
  return work.out.n * work.out.c * work.out.h * work.out.w * (work.in.c / work.conv.groups) *
         work.conv.kernel.h * work.conv.kernel.w;
}

/// The part of the weights' bytes that is read: zeros of expanded kernels are compressed to a bit
/// each.
double weight_share(const ConvParameters& conv, bool is_sparse) {
  if (conv.groups > 1) return std::min(1.0, 1.0 / static_cast<double>(conv.groups) + 1.0 / 8);
  return is_sparse ? kSparseWeightBytes : 1;
}

const SdpParameters* sdp_of(const Operation& operation) {
  if (const auto* conv = std::get_if<ConvParameters>(&operation.parameters)) return &conv->sdp;
  return std::get_if<SdpParameters>(&operation.parameters);
}

/// Estimates the operations of one loadable.
class Estimator {
 public:
  Estimator(const Loadable& loadable, const ClockSettings& settings)
      : loadable_(loadable), settings_(settings), core_(settings.core) {
    const double sharing = settings.busy_cores > 1 ? kSharedDram : 1;
    const double dram = settings.constants.dram_share * sharing * settings.dram_bytes_per_second;
    dram_bytes_per_cycle_ = std::min(settings.constants.dram_port_bytes, dram / settings.clock_hz);
  }

  OperationTime run(const Operation& operation) const {
    OperationTime time;
    count_macs(operation, time);
    count_unit(operation, time);
    count_bytes(operation, time);
    time.gap_cycles = settings_.constants.gap_cycles *
                      static_cast<double>(std::max<int64_t>(1, operation.tiling.hardware_layers()));
    finish(operation, time);
    return time;
  }

 private:
  bool is_int8(const Operation& operation) const {
    return operation.precision == ir::DataType::Int8;
  }
  const MacArray& array_of(const Operation& operation) const {
    return is_int8(operation) ? core_.int8 : core_.fp16;
  }
  /// Whether 2:4 sparse weights speed this convolution up: dense INT8 kernels of whole atoms.
  bool uses_sparsity(const Operation& operation) const {
    const auto* conv = std::get_if<ConvParameters>(&operation.parameters);
    return settings_.sparse_weights && core_.sparse_speedup > 1 && conv != nullptr &&
           is_int8(operation) && conv->groups == 1 && !conv->image_input;
  }

  void count_macs(const Operation& operation, OperationTime& time) const {
    const auto* conv = std::get_if<ConvParameters>(&operation.parameters);
    if (conv == nullptr) return;
    const MacWork work = {loadable_.cube(operation.input).dims,
                          loadable_.cube(operation.output).dims, *conv, array_of(operation),
                          channels_of_kernel_group(loadable_, operation)};
    time.macs = macs_of(work);
    time.mac_cycles = mac_cycles(work, operation.tiling, settings_.constants.stripe_cycles);
    if (uses_sparsity(operation)) time.mac_cycles /= core_.sparse_speedup;
    if (!is_int8(operation)) time.mac_cycles /= settings_.constants.fp16_efficiency;
  }

  void count_unit(const Operation& operation, OperationTime& time) const {
    const auto bytes = [&](CubeId id) { return static_cast<double>(bytes_of(loadable_.cube(id))); };
    const double pool = core_.pool_bytes;
    switch (operation.unit()) {
      case Unit::Conv:
      case Unit::Sdp: {
        const Cube& out = loadable_.cube(operation.output);
        const double elements = bytes(operation.output) / static_cast<double>(size_bytes(out.type));
        const bool has_lut = sdp_of(operation)->lut.is_present();
        time.unit_cycles = elements / (has_lut ? core_.lut_elements : core_.sdp_elements);
        return;
      }
      case Unit::Pdp:
      case Unit::Cdp:
        time.unit_cycles = std::max(bytes(operation.input), bytes(operation.output)) / pool;
        return;
      case Unit::Rubik:
      case Unit::Bdma:
        return;  // as fast as memory
    }
  }

  int64_t bytes_of(const Cube& cube) const {
    return size_bytes(layout_of(cube.format, cube.type, cube.dims, loadable_.generation),
                      cube.dims);
  }

  void add_bytes(OperationTime& time, CubeId cube, int64_t bytes) const {
    const bool in_sram = cube != kNoCube && loadable_.cube(cube).place.region == Region::Sram;
    (in_sram ? time.sram_bytes : time.dram_bytes) += bytes;
  }

  void count_bytes(const Operation& operation, OperationTime& time) const {
    const Traffic& traffic = operation.tiling.traffic;
    const std::vector<CubeId> read = cubes_read(operation);
    add_bytes(time, operation.input, traffic.input);
    add_bytes(time, operation.output, traffic.output);
    add_bytes(time, read.size() > 1 ? read[1] : kNoCube, traffic.operand);
    double share = 1;
    if (const auto* conv = std::get_if<ConvParameters>(&operation.parameters))
      share = weight_share(*conv, uses_sparsity(operation));
    time.dram_bytes += std::llround(share * static_cast<double>(traffic.weights));
    time.dram_cycles = static_cast<double>(time.dram_bytes) / dram_bytes_per_cycle_;
    time.sram_cycles = static_cast<double>(time.sram_bytes) / kSramPortBytes;
    time.wait_cycles =
        share * static_cast<double>(operation.tiling.unhidden_weight_bytes) / dram_bytes_per_cycle_;
  }

  void finish(const Operation& operation, OperationTime& time) const {
    const struct {
      double cycles;
      Bound bound;
    } parts[] = {{time.mac_cycles, Bound::Mac},
                 {time.unit_cycles, Bound::Unit},
                 {time.dram_cycles, Bound::Dram},
                 {time.sram_cycles, Bound::Sram}};
    const auto& longest =
        *std::ranges::max_element(parts, {}, [](const auto& part) { return part.cycles; });
    // The wait is reading weights while the MACs stand still: memory's time bounds it from below
    // anyway.
    const double work = std::max(longest.cycles, time.mac_cycles + time.wait_cycles);
    time.cycles = work + time.gap_cycles;
    time.bound = time.gap_cycles > work ? Bound::Gap : longest.bound;
    time.seconds = time.cycles / settings_.clock_hz;
    time.utilization = static_cast<double>(time.macs) / (array_of(operation).macs() * time.cycles);
  }

  const Loadable& loadable_;
  const ClockSettings& settings_;
  const CoreFacts& core_;
  double dram_bytes_per_cycle_;
};

/// The precision that most of the time is spent in.
ir::DataType leading_precision(const Loadable& loadable, const LoadableTime& time) {
  double int8 = 0, all = 0;
  for (size_t i = 0; i < time.operations.size(); ++i) {
    all += time.operations[i].seconds;
    if (loadable.operations[i].precision == ir::DataType::Int8) int8 += time.operations[i].seconds;
  }
  return 2 * int8 >= all ? ir::DataType::Int8 : ir::DataType::Float16;
}

}  // namespace

const ClockConstants& clock_constants(Generation generation) {
  return generation == Generation::Xavier ? kXavier : kOrin;
}

std::optional<double> stated_error(Generation generation, ir::DataType precision) {
  if (generation == Generation::Xavier) return kXavierError;
  if (precision == ir::DataType::Int8) return kOrinInt8Error;
  return std::nullopt;  // one measured network, which the FP16 rate was fitted to
}

std::string error_text(const std::optional<double>& error) {
  if (!error) return "error unknown: calibrated on one network";
  return format("+-{:.0f} %", 100 * *error);
}

ClockSettings clock_settings(const Platform& platform, const PowerMode& mode) {
  ClockSettings settings{.core = core_facts(platform.generation)};
  settings.clock_hz = mode.dla_mhz * 1e6;
  settings.dram_bytes_per_second = platform.memory_bytes_per_second(mode);
  settings.constants = clock_constants(platform.generation);
  return settings;
}

LoadableTime estimate(const Loadable& loadable, const ClockSettings& settings) {
  DLAEXEC_CHECK(settings.clock_hz > 0 && settings.dram_bytes_per_second > 0);
  const Estimator estimator(loadable, settings);
  LoadableTime time;
  time.start_seconds = kTaskStartSeconds;
  time.seconds = kTaskStartSeconds;
  for (const Operation& operation : loadable.operations) {
    time.operations.push_back(estimator.run(operation));
    time.seconds += time.operations.back().seconds;
  }
  time.error = stated_error(settings.core.generation, leading_precision(loadable, time));
  return time;
}

std::string_view advice(Bound bound) {
  switch (bound) {
    case Bound::Mac:
      return "fewer MACs, INT8 instead of FP16, channels in multiples of 64, 2:4 sparse weights on "
             "Orin";
    case Bound::Unit:
      return "pooling, LRN or a lookup function limits: a larger stride earlier, or another "
             "activation";
    case Bound::Dram:
      return "fewer bytes: INT8, smaller activations, more of --memPoolSize=dlaSRAM, a larger "
             "batch for weights";
    case Bound::Sram:
      return "the SRAM port limits: fewer or smaller activations";
    case Bound::Gap:
      return "the operation is small: merge layers, or a larger batch";
  }
  return "";
}

double submit_seconds() { return 40e-6; }

// HaX-CoNN, Xavier, GoogLeNet: 10 to 43 us into the DLA and 45 to 74 us out of it, growing with the
// tensor (up to 1.6 MB in FP16).
double to_dla_seconds(int64_t bytes) { return 10e-6 + static_cast<double>(bytes) * 20e-12; }
double to_gpu_seconds(int64_t bytes) { return 45e-6 + static_cast<double>(bytes) * 18e-12; }

}  // namespace dlaexec::dla
