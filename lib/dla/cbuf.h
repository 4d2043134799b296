// The convolution buffer of a DLA core and the check that a convolution fits it.
// Geometry: NVDLA's nv_full (16 banks of 256 entries of 128 bytes, atoms of 32 bytes); the formula
// is the TensorRT guide's, "Working with DLA", which both generations share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace dlaexec::dla {

inline constexpr int64_t kCbufBanks = 16;
inline constexpr int64_t kCbufEntriesPerBank = 256;
inline constexpr int64_t kCbufEntryBytes = 128;
inline constexpr int64_t kCbufBankBytes = kCbufEntriesPerBank * kCbufEntryBytes;
inline constexpr int64_t kCbufAtomBytes = 32;
inline constexpr int64_t kCbufAtomsPerEntry = kCbufEntryBytes / kCbufAtomBytes;

/// The measures of a convolution that decide how much of the buffer it needs. Channels are the
/// layer's, not a group's: grouped weights are expanded to dense ones first.
struct CbufLayer {
  int64_t channels = 1, kernels = 1;
  int64_t kernel_h = 1, kernel_w = 1;
  int64_t dilation_h = 1;
  int64_t width = 1;            ///< of the input
  int64_t element_bytes = 1;    ///< 1 for int8, 2 for FP16
  int64_t group = 0;            ///< kernels that the core computes at once; 0: kernel_group()
  int64_t kernel_channels = 0;  ///< of a kernel that the buffer holds; 0: all
};

/// Banks that a convolution needs at least.
struct CbufNeed {
  int64_t weight_banks = 0;       ///< one kernel
  int64_t group_banks = 0;        ///< a kernel group
  int64_t entries_per_slice = 0;  ///< one input row of all channels
  int64_t rows = 0;               ///< input rows under the kernel
  int64_t data_banks = 0;

  int64_t banks() const { return weight_banks + data_banks; }
  /// What the builder checks before it calls the DLA compiler.
  bool fits() const { return banks() <= kCbufBanks; }
  /// Without this the kernels must be split, and boards were seen to refuse such layers.
  bool group_fits() const { return group_banks + data_banks <= kCbufBanks; }
};

CbufNeed cbuf_need(const CbufLayer& layer);

/// Kernels that NVDLA computes at once: 32 in int8, 16 in FP16. The builder's check counts so for
/// both generations.
int64_t kernel_group(int64_t element_bytes);

/// The sums behind the check, with the layer's numbers in them.
std::string arithmetic(const CbufLayer& layer);

/// The largest value of one measure with which the layer fits, all others kept; nothing if even 1
/// does not.
std::optional<int64_t> largest_width(CbufLayer layer);
std::optional<int64_t> largest_channels(CbufLayer layer);
std::optional<int64_t> largest_dilation(CbufLayer layer);

}  // namespace dlaexec::dla
