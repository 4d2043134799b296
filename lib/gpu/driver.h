// libcuda and libnvrtc without linking them: opened on first use, one table of functions each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace dlaexec::gpu {

using Result = int;        ///< CUresult or nvrtcResult; 0 is success
using Handle = void*;      ///< any of the driver's opaque pointers
using Address = uint64_t;  ///< a pointer into device memory

/// Optional since CUDA 11.8: launches with attributes (clusters, programmatic launch). Laid out as
/// the driver API documents CUlaunchConfig and CUlaunchAttribute.
struct LaunchAttribute {
  int id;
  char padding[4];
  union {
    char bytes[64];
    struct {
      unsigned x, y, z;
    } cluster;
    int programmatic;
  } value;
};
inline constexpr int kAttributeCluster = 4;
inline constexpr int kAttributeProgrammatic = 6;
struct LaunchConfig {
  unsigned grid_x, grid_y, grid_z, block_x, block_y, block_z, shared_bytes;
  Handle stream;
  const LaunchAttribute* attributes;
  unsigned attribute_count;
};
static_assert(sizeof(LaunchAttribute) == 72 && sizeof(LaunchConfig) == 56);

/// The functions of libcuda.
struct Driver {
#define DLAEXEC_CUDA(symbol, name, arguments) Result(*name) arguments = nullptr;
#include "gpu/driver.def"
  /// Null with a driver older than CUDA 11.8.
  Result (*launch_with_attributes)(const LaunchConfig*, Handle function, void** parameters,
                                   void** extra) = nullptr;
  /// Null with a driver older than CUDA 12.
  Result (*encode_im2col)(void* map, int type, uint32_t rank, void* address, const uint64_t* dims,
                          const uint64_t* strides, const int* lower, const int* upper,
                          uint32_t channels, uint32_t pixels, const uint32_t* element_strides,
                          int interleave, int swizzle, int promotion, int fill) = nullptr;
  Result (*encode_tiled)(void* map, int type, uint32_t rank, void* address, const uint64_t* dims,
                         const uint64_t* strides, const uint32_t* box,
                         const uint32_t* element_strides, int interleave, int swizzle,
                         int promotion, int fill) = nullptr;
};

/// The functions of libnvrtc.
struct Nvrtc {
#define DLAEXEC_NVRTC(symbol, name, arguments) Result(*name) arguments = nullptr;
#include "gpu/nvrtc.def"
  int major = 0, minor = 0;
  std::string path;  ///< the file that was opened
};

/// A library that may be missing: its table, or the reason why there is none.
template <class Table>
struct Loaded {
  const Table* table = nullptr;
  std::string reason;  ///< a sentence without a full stop, such as "no CUDA driver: ..."
};

/// libcuda with at least one device, opened and initialized by the first call.
const Loaded<Driver>& find_driver();

/// libnvrtc, opened by the first call: looked for by its versioned names, then below $CUDA_HOME,
/// $CUDA_PATH and /usr/local/cuda.
const Loaded<Nvrtc>& find_nvrtc();

/// The driver's functions; throws the reason when there is no driver.
const Driver& driver();

/// Turns a failed call of the driver into an Error: the one place where this happens.
/// @p doing completes "while ...", such as "allocating 12 MiB of device memory".
void check(Result result, const char* doing);

/// For destructors: logs what check() would throw.
void check_quietly(Result result, const char* doing) noexcept;

}  // namespace dlaexec::gpu
