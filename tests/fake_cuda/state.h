// What the stand-in for libcuda remembers, and what it is told by the environment:
//   FAKE_CUDA_ARCHITECTURE   compute capability, as 87; without it 87
//   FAKE_CUDA_MEMORY         bytes of device memory; without it 8 GiB
//   FAKE_CUDA_FAIL           FUNCTION:CALL:RESULT: from its CALL-th call on, FUNCTION gives RESULT
//   FAKE_CUDA_REPORT         a file that gets the counts when the process ends, a line each
#pragma once

#include <cstddef>
#include <cstdint>

// The stand-ins for other libraries count here, too.
#pragma GCC visibility push(default)

namespace fake_cuda {

// The driver API's types as lib/gpu/driver.def writes them.
using Result = int;
using Handle = void*;
using Address = uint64_t;

/// The variable @p name as a number, @p otherwise without it.
size_t told(const char* name, size_t otherwise);

/// Counts a call of @p function; what it is told to give, or 0.
Result called(const char* function);

/// The same for a function that makes an object of @p kind, and for one that ends it.
Result made(const char* function, const char* kind, Handle* handle);
Result gone(const char* function, const char* kind, Handle handle);

/// Memory of @p kind, zeroed; device memory is memory of the host.
Result allocated(const char* function, const char* kind, Address* address, size_t bytes);
Result freed(const char* function, const char* kind, Address address);

/// Bytes of device memory that nobody holds.
size_t free_bytes();

}  // namespace fake_cuda

#pragma GCC visibility pop
