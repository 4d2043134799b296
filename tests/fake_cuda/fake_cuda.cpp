// A CUDA device that is not there: it has facts and memory, takes kernels and graphs, runs none,
// and every measured span is 10 us.
#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "types.h"

#define FAKE extern "C" __attribute__((visibility("default"))) Result

namespace {

constexpr const char* kName = "Fake CUDA device";
constexpr size_t kMemory = size_t{8} << 30;

/// Handles need not point anywhere, but must not be null.
Handle handle() {
  static char somewhere;
  return &somewhere;
}

/// CUdevice_attribute: what lib/gpu/device.cpp reads, as an AGX Orin has it.
int fact(int attribute) {
  switch (attribute) {
    case 13:
      return 1300000;  // kHz
    case 16:
      return 16;  // multiprocessors
    case 36:
      return 3200000;  // kHz
    case 37:
      return 256;  // bits
    case 38:
      return 4 << 20;  // L2
    case 75:
      return 8;
    case 76:
      return 7;  // compute capability 8.7
    case 81:
    case 97:
      return 163 << 10;  // shared memory
    default:
      return 0;
  }
}

}  // namespace

/// NVRTC asks a driver for tables of its own: this one has none, and says so by its size.
FAKE cuGetExportTable(const void** table, const void*) {
  static const size_t empty[1] = {sizeof(size_t)};
  return *table = empty, 0;
}

FAKE cuDriverGetVersion(int* version) { return *version = 12060, 0; }
FAKE cuGetErrorName(Result, const char** text) { return *text = "CUDA_ERROR_FAKE", 0; }
FAKE cuGetErrorString(Result, const char** text) { return *text = "fake error", 0; }
FAKE cuDeviceGetCount(int* count) { return *count = 1, 0; }
FAKE cuDeviceGet(int* device, int ordinal) { return *device = ordinal, 0; }
FAKE cuDeviceGetName(char* name, int length, int) {
  std::strncpy(name, kName, static_cast<size_t>(length));
  return 0;
}
FAKE cuDeviceGetAttribute(int* value, int attribute, int) { return *value = fact(attribute), 0; }
FAKE cuDeviceTotalMem_v2(size_t* bytes, int) { return *bytes = kMemory, 0; }
FAKE cuDevicePrimaryCtxRetain(Handle* context, int) { return *context = handle(), 0; }
FAKE cuMemGetInfo_v2(size_t* free_bytes, size_t* total) {
  *free_bytes = *total = kMemory;
  return 0;
}

// Device memory is memory of the host.
FAKE cuMemAlloc_v2(Address* address, size_t bytes) {
  *address = reinterpret_cast<Address>(std::calloc(1, bytes));
  return *address == 0 ? 2 : 0;
}
FAKE cuMemAllocManaged(Address* address, size_t bytes, unsigned) {
  return cuMemAlloc_v2(address, bytes);
}
FAKE cuMemFree_v2(Address address) { return std::free(reinterpret_cast<void*>(address)), 0; }
FAKE cuMemHostAlloc(void** memory, size_t bytes, unsigned) {
  return *memory = std::calloc(1, bytes), 0;
}
FAKE cuMemFreeHost(void* memory) { return std::free(memory), 0; }
FAKE cuMemcpyHtoDAsync_v2(Address to, const void* from, size_t bytes, Handle) {
  return std::memcpy(reinterpret_cast<void*>(to), from, bytes), 0;
}
FAKE cuMemcpyDtoHAsync_v2(void* to, Address from, size_t bytes, Handle) {
  return std::memcpy(to, reinterpret_cast<const void*>(from), bytes), 0;
}
FAKE cuMemcpyDtoDAsync_v2(Address to, Address from, size_t bytes, Handle) {
  return std::memcpy(reinterpret_cast<void*>(to), reinterpret_cast<const void*>(from), bytes), 0;
}
FAKE cuMemsetD8Async(Address to, unsigned char byte, size_t count, Handle) {
  return std::memset(reinterpret_cast<void*>(to), byte, count), 0;
}

FAKE cuModuleLoadData(Handle* module, const void*) { return *module = handle(), 0; }
FAKE cuModuleGetFunction(Handle* function, Handle, const char*) { return *function = handle(), 0; }
FAKE cuFuncGetAttribute(int* value, int, Handle) { return *value = 32, 0; }
FAKE cuStreamCreate(Handle* stream, unsigned) { return *stream = handle(), 0; }
FAKE cuStreamEndCapture(Handle, Handle* graph) { return *graph = handle(), 0; }
FAKE cuEventCreate(Handle* event, unsigned) { return *event = handle(), 0; }
FAKE cuEventElapsedTime(float* milliseconds, Handle, Handle) { return *milliseconds = 0.01f, 0; }
FAKE cuGraphInstantiateWithFlags(Handle* executable, Handle, unsigned long long) {
  return *executable = handle(), 0;
}
FAKE cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, Handle, int, size_t) {
  return *blocks = 1, 0;
}
