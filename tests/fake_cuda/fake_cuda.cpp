// A CUDA device that is not there: it has facts and memory, copies are real, kernels and graphs are
// taken and not run. A measured span is 10 us, and 0.1 us behind a recording without
// kernels.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "state.h"

#define FAKE extern "C" __attribute__((visibility("default"))) Result

using namespace fake_cuda;

namespace {

constexpr size_t kMemory = size_t{8} << 30;

/// CUdevice_attribute: what lib/gpu/device.cpp reads, as an AGX Orin has it.
int fact(int attribute) {
  const int architecture = static_cast<int>(told("FAKE_CUDA_ARCHITECTURE", 87));
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
      return architecture / 10;
    case 76:
      return architecture % 10;
    case 81:
    case 97:
      return 163 << 10;  // shared memory
    default:
      return 0;
  }
}

/// Kernels in the last recording, or since it.
int kernels = 0;

struct Fault {
  Result result;
  const char *name, *text;
};
constexpr Fault kFaults[] = {
    {2, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {222, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION",
     "the provided PTX was compiled with an unsupported toolchain."},
    {700, "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"},
    {709, "CUDA_ERROR_CONTEXT_IS_DESTROYED", "context is destroyed"},
    {803, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH",
     "system has unsupported display driver / cuda driver combination"}};

Result describe(Result result, const char** text, const char* Fault::*member) {
  for (const Fault& known : kFaults)
    if (known.result == result) return *text = known.*member, 0;
  return 1;
}

}  // namespace

/// NVRTC asks a driver for tables of its own: this one has none, and says so by its size.
FAKE cuGetExportTable(const void** table, const void*) {
  static const size_t empty[1] = {sizeof(size_t)};
  return *table = empty, 0;
}

FAKE cuDriverGetVersion(int* version) {
  *version = 13000;
  return called("cuDriverGetVersion");
}
FAKE cuGetErrorName(Result result, const char** text) {
  return describe(result, text, &Fault::name);
}
FAKE cuGetErrorString(Result result, const char** text) {
  return describe(result, text, &Fault::text);
}
FAKE cuDeviceGetCount(int* count) {
  *count = 1;
  return called("cuDeviceGetCount");
}
FAKE cuDeviceGet(int* device, int ordinal) {
  *device = ordinal;
  return called("cuDeviceGet");
}
FAKE cuDeviceGetName(char* name, int length, int) {
  std::snprintf(name, static_cast<size_t>(length), "Fake GPU");
  return called("cuDeviceGetName");
}
FAKE cuDeviceGetAttribute(int* value, int attribute, int) {
  *value = fact(attribute);
  return called("cuDeviceGetAttribute");
}
FAKE cuDeviceGetUuid_v2(unsigned char* uuid, int) {
  for (int i = 0; i < 16; ++i) uuid[i] = static_cast<unsigned char>(0x11 * i);
  return called("cuDeviceGetUuid_v2");
}
FAKE cuDeviceTotalMem_v2(size_t* bytes, int) {
  *bytes = told("FAKE_CUDA_MEMORY", kMemory);
  return called("cuDeviceTotalMem_v2");
}
FAKE cuDevicePrimaryCtxRetain(Handle* context, int) {
  return made("cuDevicePrimaryCtxRetain", "context", context);
}
FAKE cuDevicePrimaryCtxRelease_v2(int) {
  return gone("cuDevicePrimaryCtxRelease_v2", "context", nullptr);
}
FAKE cuMemGetInfo_v2(size_t* free, size_t* total) {
  *free = free_bytes();
  *total = told("FAKE_CUDA_MEMORY", kMemory);
  return called("cuMemGetInfo_v2");
}

FAKE cuMemAlloc_v2(Address* address, size_t bytes) {
  return allocated("cuMemAlloc_v2", "memory", address, bytes);
}
FAKE cuMemAllocManaged(Address* address, size_t bytes, unsigned) {
  return allocated("cuMemAllocManaged", "memory", address, bytes);
}
FAKE cuMemFree_v2(Address address) { return freed("cuMemFree_v2", "memory", address); }
FAKE cuMemHostAlloc(void** memory, size_t bytes, unsigned) {
  const Result result = made("cuMemHostAlloc", "host memory", memory);
  if (!result) *memory = std::realloc(*memory, bytes);
  return result;
}
FAKE cuMemFreeHost(void* memory) { return gone("cuMemFreeHost", "host memory", memory); }
FAKE cuMemcpyHtoDAsync_v2(Address to, const void* from, size_t bytes, Handle) {
  std::memcpy(reinterpret_cast<void*>(to), from, bytes);
  return called("cuMemcpyHtoDAsync_v2");
}
FAKE cuMemcpyDtoHAsync_v2(void* to, Address from, size_t bytes, Handle) {
  std::memcpy(to, reinterpret_cast<void*>(from), bytes);
  return called("cuMemcpyDtoHAsync_v2");
}
FAKE cuMemcpyDtoDAsync_v2(Address to, Address from, size_t bytes, Handle) {
  std::memcpy(reinterpret_cast<void*>(to), reinterpret_cast<void*>(from), bytes);
  return called("cuMemcpyDtoDAsync_v2");
}
FAKE cuMemsetD8Async(Address to, unsigned char byte, size_t count, Handle) {
  std::memset(reinterpret_cast<void*>(to), byte, count);
  return called("cuMemsetD8Async");
}

FAKE cuModuleLoadData(Handle* module, const void* image) {
  if (std::memcmp(image, "\177ELF", 4) != 0) return 200;  // CUDA_ERROR_INVALID_IMAGE
  return made("cuModuleLoadData", "module", module);
}
FAKE cuModuleUnload(Handle module) { return gone("cuModuleUnload", "module", module); }
FAKE cuModuleGetFunction(Handle* function, Handle module, const char*) {
  *function = module;
  return called("cuModuleGetFunction");
}
FAKE cuFuncGetAttribute(int* value, int, Handle) {
  *value = 0;
  return called("cuFuncGetAttribute");
}
FAKE cuStreamCreate(Handle* stream, unsigned) { return made("cuStreamCreate", "stream", stream); }
FAKE cuStreamDestroy_v2(Handle stream) { return gone("cuStreamDestroy_v2", "stream", stream); }
FAKE cuStreamBeginCapture_v2(Handle, int) {
  kernels = 0;
  return called("cuStreamBeginCapture_v2");
}
FAKE cuLaunchKernel(Handle, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,
                    Handle, void**, void**) {
  ++kernels;
  return called("cuLaunchKernel");
}
FAKE cuStreamEndCapture(Handle, Handle* graph) {
  return made("cuStreamEndCapture", "graph", graph);
}
FAKE cuEventCreate(Handle* event, unsigned) { return made("cuEventCreate", "event", event); }
FAKE cuEventDestroy_v2(Handle event) { return gone("cuEventDestroy_v2", "event", event); }
FAKE cuEventElapsedTime(float* milliseconds, Handle, Handle) {
  *milliseconds = kernels > 0 ? 0.01f : 0.0001f;
  return called("cuEventElapsedTime");
}
FAKE cuGraphInstantiateWithFlags(Handle* executable, Handle, unsigned long long) {
  return made("cuGraphInstantiateWithFlags", "executable graph", executable);
}
FAKE cuGraphExecDestroy(Handle executable) {
  return gone("cuGraphExecDestroy", "executable graph", executable);
}
FAKE cuGraphDestroy(Handle graph) { return gone("cuGraphDestroy", "graph", graph); }
FAKE cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, Handle, int, size_t) {
  *blocks = 1;
  return called("cuOccupancyMaxActiveBlocksPerMultiprocessor");
}
