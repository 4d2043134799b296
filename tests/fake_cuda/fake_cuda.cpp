// A CUDA driver without a device: libcuda.so.1 for tests, found through LD_LIBRARY_PATH. Device
// memory is host memory, copies are real, kernels do nothing and every measured span is 10 us. It
// counts what is called, made and not given back, and fails where it is told to.
//   FAKE_CUDA_ARCHITECTURE   compute capability, as 87; without it 87
//   FAKE_CUDA_MEMORY         bytes of device memory; without it 8 GiB
//   FAKE_CUDA_FAIL           FUNCTION:CALL:RESULT: from its CALL-th call on, FUNCTION gives RESULT
//   FAKE_CUDA_REPORT         a file that gets the counts when the process ends, a line each
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>

#include "types.h"

namespace {

struct State {
  std::mutex lock;
  std::map<std::string, int> calls, live;
  std::map<void*, size_t> allocations;
  size_t used = 0;
  /// Written here, when the process's other objects are gone.
  ~State() {
    const char* path = std::getenv("FAKE_CUDA_REPORT");
    std::FILE* file = path ? std::fopen(path, "w") : nullptr;
    if (!file) return;
    for (const auto& [name, count] : calls)
      std::fprintf(file, "calls %s %d\n", name.c_str(), count);
    for (const auto& [name, count] : live) std::fprintf(file, "live %s %d\n", name.c_str(), count);
    std::fclose(file);
  }
};

State& state() {
  static State state;
  return state;
}

size_t memory_bytes() {
  const char* given = std::getenv("FAKE_CUDA_MEMORY");
  return given ? std::strtoull(given, nullptr, 10) : size_t{8} << 30;
}

int architecture() {
  const char* given = std::getenv("FAKE_CUDA_ARCHITECTURE");
  return given ? std::atoi(given) : 87;
}

/// Counts a call of @p function; what it is told to give, or 0.
Result called(const char* function) {
  const std::lock_guard guard(state().lock);
  const int call = ++state().calls[function];
  const char* told = std::getenv("FAKE_CUDA_FAIL");
  if (!told) return 0;
  char name[64] = {};
  int first = 0, result = 0;
  if (std::sscanf(told, "%63[^:]:%d:%d", name, &first, &result) != 3) return 0;
  return std::string(name) == function && call >= first ? result : 0;
}

Result made(const char* function, const char* kind, Handle* handle) {
  if (const Result result = called(function)) return result;
  *handle = std::malloc(1);
  const std::lock_guard guard(state().lock);
  ++state().live[kind];
  return 0;
}

Result gone(const char* function, const char* kind, Handle handle) {
  {
    const std::lock_guard guard(state().lock);
    --state().live[kind];
  }
  std::free(handle);
  return called(function);
}

Result allocated(const char* function, const char* kind, Address* address, size_t bytes) {
  if (const Result result = called(function)) return result;
  const std::lock_guard guard(state().lock);
  if (state().used + bytes > memory_bytes()) return 2;  // CUDA_ERROR_OUT_OF_MEMORY
  void* memory = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  std::memset(memory, 0, bytes);
  state().allocations[memory] = bytes;
  state().used += bytes;
  ++state().live[kind];
  *address = reinterpret_cast<Address>(memory);
  return 0;
}

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

Result fault(Result result, const char** text, const char* Fault::*member) {
  for (const Fault& known : kFaults)
    if (known.result == result) {
      *text = known.*member;
      return 0;
    }
  return 1;
}

/// CUdevice_attribute: what lib/gpu/device.cpp reads, as an AGX Orin has it.
int fact(int attribute) {
  switch (attribute) {
    case 13:
      return 1300000;  // kHz
    case 16:
      return 16;  // multiprocessors
    case 36:
      return 3200000;  // kHz of memory
    case 37:
      return 256;  // bits
    case 38:
      return 4 << 20;  // L2
    case 75:
      return architecture() / 10;
    case 76:
      return architecture() % 10;
    case 81:
    case 97:
      return 163 << 10;  // shared memory
    default:
      return 0;
  }
}

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

/// NVRTC asks a driver for tables of its own: this one has none, and says so by its size.
Result cuGetExportTable(const void** table, const void*) {
  static const size_t empty[1] = {sizeof(size_t)};
  *table = empty;
  return called("cuGetExportTable");
}

Result cuInit(unsigned) { return called("cuInit"); }
Result cuDriverGetVersion(int* version) {
  *version = 13000;
  return called("cuDriverGetVersion");
}
Result cuGetErrorName(Result result, const char** text) {
  return fault(result, text, &Fault::name);
}
Result cuGetErrorString(Result result, const char** text) {
  return fault(result, text, &Fault::text);
}
Result cuDeviceGetCount(int* count) {
  *count = 1;
  return called("cuDeviceGetCount");
}
Result cuDeviceGet(int* device, int ordinal) {
  *device = ordinal;
  return called("cuDeviceGet");
}
Result cuDeviceGetName(char* name, int length, int) {
  std::snprintf(name, static_cast<size_t>(length), "Fake GPU");
  return called("cuDeviceGetName");
}
Result cuDeviceGetAttribute(int* value, int attribute, int) {
  *value = fact(attribute);
  return called("cuDeviceGetAttribute");
}
Result cuDeviceGetUuid_v2(unsigned char* uuid, int) {
  for (int i = 0; i < 16; ++i) uuid[i] = static_cast<unsigned char>(0x11 * i);
  return called("cuDeviceGetUuid_v2");
}
Result cuDeviceTotalMem_v2(size_t* bytes, int) {
  *bytes = memory_bytes();
  return called("cuDeviceTotalMem_v2");
}
Result cuDevicePrimaryCtxRetain(Handle* context, int) {
  return made("cuDevicePrimaryCtxRetain", "context", context);
}
Result cuDevicePrimaryCtxRelease_v2(int) {
  return gone("cuDevicePrimaryCtxRelease_v2", "context", nullptr);
}
Result cuDevicePrimaryCtxSetFlags_v2(int, unsigned) {
  return called("cuDevicePrimaryCtxSetFlags_v2");
}
Result cuCtxSetCurrent(Handle) { return called("cuCtxSetCurrent"); }
Result cuMemGetInfo_v2(size_t* free_bytes, size_t* total_bytes) {
  *total_bytes = memory_bytes();
  *free_bytes = memory_bytes() - state().used;
  return called("cuMemGetInfo_v2");
}
Result cuMemAlloc_v2(Address* address, size_t bytes) {
  return allocated("cuMemAlloc_v2", "memory", address, bytes);
}
Result cuMemAllocManaged(Address* address, size_t bytes, unsigned) {
  return allocated("cuMemAllocManaged", "memory", address, bytes);
}
Result cuMemFree_v2(Address address) {
  void* memory = reinterpret_cast<void*>(address);
  {
    const std::lock_guard guard(state().lock);
    state().used -= state().allocations[memory];
    state().allocations.erase(memory);
  }
  return gone("cuMemFree_v2", "memory", memory);
}
Result cuMemHostAlloc(void** memory, size_t bytes, unsigned) {
  const Result result = made("cuMemHostAlloc", "host memory", memory);
  if (!result) *memory = std::realloc(*memory, bytes);
  return result;
}
Result cuMemFreeHost(void* memory) { return gone("cuMemFreeHost", "host memory", memory); }
Result cuMemcpyHtoDAsync_v2(Address to, const void* from, size_t bytes, Handle) {
  std::memcpy(reinterpret_cast<void*>(to), from, bytes);
  return called("cuMemcpyHtoDAsync_v2");
}
Result cuMemcpyDtoHAsync_v2(void* to, Address from, size_t bytes, Handle) {
  std::memcpy(to, reinterpret_cast<void*>(from), bytes);
  return called("cuMemcpyDtoHAsync_v2");
}
Result cuMemcpyDtoDAsync_v2(Address to, Address from, size_t bytes, Handle) {
  std::memcpy(reinterpret_cast<void*>(to), reinterpret_cast<void*>(from), bytes);
  return called("cuMemcpyDtoDAsync_v2");
}
Result cuMemsetD8Async(Address to, unsigned char byte, size_t count, Handle) {
  std::memset(reinterpret_cast<void*>(to), byte, count);
  return called("cuMemsetD8Async");
}
Result cuModuleLoadData(Handle* module, const void* image) {
  if (std::memcmp(image, "\177ELF", 4) != 0) return 200;  // CUDA_ERROR_INVALID_IMAGE
  return made("cuModuleLoadData", "module", module);
}
Result cuModuleUnload(Handle module) { return gone("cuModuleUnload", "module", module); }
Result cuModuleGetFunction(Handle* function, Handle module, const char*) {
  *function = module;
  return called("cuModuleGetFunction");
}
Result cuFuncSetAttribute(Handle, int, int) { return called("cuFuncSetAttribute"); }
Result cuFuncGetAttribute(int* value, int, Handle) {
  *value = 0;
  return called("cuFuncGetAttribute");
}
Result cuStreamCreate(Handle* stream, unsigned) { return made("cuStreamCreate", "stream", stream); }
Result cuStreamDestroy_v2(Handle stream) { return gone("cuStreamDestroy_v2", "stream", stream); }
Result cuStreamSynchronize(Handle) { return called("cuStreamSynchronize"); }
Result cuStreamWaitEvent(Handle, Handle, unsigned) { return called("cuStreamWaitEvent"); }
Result cuStreamBeginCapture_v2(Handle, int) { return called("cuStreamBeginCapture_v2"); }
Result cuStreamEndCapture(Handle, Handle* graph) {
  return made("cuStreamEndCapture", "graph", graph);
}
Result cuEventCreate(Handle* event, unsigned) { return made("cuEventCreate", "event", event); }
Result cuEventDestroy_v2(Handle event) { return gone("cuEventDestroy_v2", "event", event); }
Result cuEventRecord(Handle, Handle) { return called("cuEventRecord"); }
Result cuEventSynchronize(Handle) { return called("cuEventSynchronize"); }
Result cuEventElapsedTime(float* milliseconds, Handle, Handle) {
  *milliseconds = 0.01f;
  return called("cuEventElapsedTime");
}
Result cuGraphInstantiateWithFlags(Handle* executable, Handle, unsigned long long) {
  return made("cuGraphInstantiateWithFlags", "executable graph", executable);
}
Result cuGraphLaunch(Handle, Handle) { return called("cuGraphLaunch"); }
Result cuGraphExecDestroy(Handle executable) {
  return gone("cuGraphExecDestroy", "executable graph", executable);
}
Result cuGraphDestroy(Handle graph) { return gone("cuGraphDestroy", "graph", graph); }
Result cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, Handle, int, size_t) {
  *blocks = 1;
  return called("cuOccupancyMaxActiveBlocksPerMultiprocessor");
}
Result cuLaunchKernel(Handle, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,
                      Handle, void**, void**) {
  return called("cuLaunchKernel");
}

}  // extern "C"
#pragma GCC visibility pop
