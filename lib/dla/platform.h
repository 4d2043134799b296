// The boards whose DLA can be modelled: one table of platforms, one of power modes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "dla/generation.h"

namespace dlaexec::dla {

/// What the multiplier array does in a cycle: each of `kernels` kernels takes `channels` input
/// channels of each of `outputs` output pixels.
struct MacArray {
  int channels, kernels, outputs;
  int macs() const { return channels * kernels * outputs; }
};

/// What one DLA core of a generation is made of. The convolution buffer is the same in both:
/// dla/cbuf.
struct CoreFacts {
  Generation generation;
  MacArray int8, fp16;        ///< dense
  int sparse_speedup;         ///< 2 where 2:4 sparse INT8 weights double the rate, else 1
  int64_t sram_bytes;         ///< for one loadable, at most
  int64_t shared_sram_bytes;  ///< for all cores of a board and what else shares it; 0: each its own
  int sdp_elements;           ///< elements a cycle: bias, scale, activation, residual
  int lut_elements;           ///< elements a cycle through the lookup tables
  int pool_bytes;             ///< bytes a cycle: pooling and LRN
  int loadables;              ///< that a core holds at a time
};

/// The GPU of a module; what --predict computes with.
struct GpuFacts {
  std::string_view architecture;
  int multiprocessors, cuda_cores, tensor_cores;
  double max_mhz;
  int64_t l2_bytes;
  int int8_macs;      ///< dense, a cycle and multiprocessor; FP16 half of that
  bool has_sparsity;  ///< 2:4 sparse weights double the rate
};

/// One way to run a module. A clock of 0 means that it is not published.
struct PowerMode {
  std::string_view platform;
  std::string_view name;
  double gpu_mhz;
  int gpu_tpcs;  ///< texture processing clusters switched on; two multiprocessors each
  int dla_cores;
  double dla_mhz;
  double falcon_mhz;  ///< of the core's scheduler
  double memory_mhz;
};

/// A module.
struct Platform {
  std::string_view name;
  std::string_view title;
  Generation generation;
  int dla_cores;
  double dla_max_mhz;
  int memory_bits;  ///< width of the DRAM bus
  GpuFacts gpu;
  std::span<const PowerMode> modes;  ///< the first one is meant when none is named

  /// Bytes a second that DRAM can move in @p mode; LPDDR moves two words a clock.
  double memory_bytes_per_second(const PowerMode& mode) const {
    return mode.memory_mhz * 1e6 * 2 * memory_bits / 8;
  }
};

inline constexpr std::string_view kDefaultPlatform = "agx-orin-64";

const CoreFacts& core_facts(Generation generation);

std::span<const Platform> platforms();

/// The platform called @p name; a Usage error that lists all of them otherwise.
const Platform& platform(std::string_view name);

/// The power mode @p name of @p platform, its first one if @p name is empty; a Usage error that
/// lists them otherwise. Case does not matter.
const PowerMode& power_mode(const Platform& platform, std::string_view name);

/// Throws a Usage error unless @p core is one of @p mode's cores.
void require_core(const Platform& platform, const PowerMode& mode, int core);

/// What --listPlatforms prints: a table of all power modes.
std::string platforms_text();
/// The same facts for programs.
std::string platforms_json();

}  // namespace dlaexec::dla
