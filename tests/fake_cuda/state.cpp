#include "state.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>

namespace fake_cuda {
namespace {

struct State {
  std::mutex lock;
  std::map<std::string, int> calls, live;
  std::map<Address, size_t> allocations;
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

}  // namespace

size_t told(const char* name, size_t otherwise) {
  const char* given = std::getenv(name);
  return given ? std::strtoull(given, nullptr, 10) : otherwise;
}

Result called(const char* function) {
  const std::lock_guard guard(state().lock);
  const int call = ++state().calls[function];
  const char* fail = std::getenv("FAKE_CUDA_FAIL");
  if (!fail) return 0;
  char name[64] = {};
  int first = 0, result = 0;
  if (std::sscanf(fail, "%63[^:]:%d:%d", name, &first, &result) != 3) return 0;
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
  if (bytes > told("FAKE_CUDA_MEMORY", size_t{8} << 30) - state().used)
    return 2;  // CUDA_ERROR_OUT_OF_MEMORY
  void* memory = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  std::memset(memory, 0, bytes);
  *address = reinterpret_cast<Address>(memory);
  state().allocations[*address] = bytes;
  state().used += bytes;
  ++state().live[kind];
  return 0;
}

Result freed(const char* function, const char* kind, Address address) {
  {
    const std::lock_guard guard(state().lock);
    state().used -= state().allocations[address];
    state().allocations.erase(address);
  }
  return gone(function, kind, reinterpret_cast<void*>(address));
}

size_t free_bytes() {
  const std::lock_guard guard(state().lock);
  return told("FAKE_CUDA_MEMORY", size_t{8} << 30) - state().used;
}

}  // namespace fake_cuda
