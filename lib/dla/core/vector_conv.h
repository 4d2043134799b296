// Convolutions on a vector instruction set. Each set is a file of its own that instantiates
// vector_conv_kernel.h; the bits are those of run_conv_scalar.
#pragma once

#include <cstddef>
#include <memory>
#include <new>

#include "dla/core/prepared.h"

namespace dlaexec::dla::core {

/// Memory on cache lines.
template <class T>
struct AlignedAllocator {
  using value_type = T;
  AlignedAllocator() = default;
  template <class Other>
  AlignedAllocator(const AlignedAllocator<Other>&) {}  // NOLINT: containers convert allocators
  T* allocate(size_t count) {
    return static_cast<T*>(::operator new (count * sizeof(T), std::align_val_t{64}));
  }
  void deallocate(T* memory, size_t) { ::operator delete (memory, std::align_val_t{64}); }
  friend bool operator==(const AlignedAllocator&, const AlignedAllocator&) { return true; }
};

/// The convolution made ready, or null where this code cannot promise the scalar core's bits: sums
/// that may pass 32 bits.
using PrepareConv = std::unique_ptr<Prepared> (*)(const Loadable& loadable,
                                                  const Operation& operation);

std::unique_ptr<Prepared> prepare_conv_avx2(const Loadable& loadable, const Operation& operation);
std::unique_ptr<Prepared> prepare_conv_avx512(const Loadable& loadable, const Operation& operation);
std::unique_ptr<Prepared> prepare_conv_neon(const Loadable& loadable, const Operation& operation);
std::unique_ptr<Prepared> prepare_conv_neon_dot(const Loadable& loadable,
                                                const Operation& operation);

}  // namespace dlaexec::dla::core
