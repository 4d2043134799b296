// Barriers in shared memory that count arrivals and bytes, and the fence before others read shared
// memory. Needs sm_90.
#pragma once
#include "types.cuh"

/// Makes what this thread wrote to shared memory visible to the tensor cores and the copy engine.
__device__ __forceinline__ void fence_copies() {
#if __CUDA_ARCH__ >= 900
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
#endif
}

#if __CUDA_ARCH__ >= 900
/// A barrier in shared memory: completes a phase once its arrivals and its bytes are there.
struct Barrier {
  unsigned address;
  __device__ __forceinline__ void init(int arrivals) const {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(address), "r"(arrivals)
                 : "memory");
  }
  __device__ __forceinline__ void arrive() const {
    asm volatile("mbarrier.arrive.release.cta.shared::cta.b64 _, [%0];" ::"r"(address) : "memory");
  }
  /// Arrives, and asks for @p bytes of copies in this phase.
  __device__ __forceinline__ void arrive_expecting(unsigned bytes) const {
    asm volatile(
        "mbarrier.arrive.expect_tx.release.cta.shared::cta.b64 _, [%0], %1;" ::"r"(address),
        "r"(bytes)
        : "memory");
  }
  /// Until the phase of parity @p phase is complete, by this block's threads and the copy engine.
  __device__ __forceinline__ void wait(unsigned phase) const {
    asm volatile(
        "{\n.reg .pred done;\nagain:\n"
        "mbarrier.try_wait.parity.acquire.cta.shared::cta.b64 done, [%0], %1;\n"
        "@done bra over;\nbra again;\nover:\n}\n" ::"r"(address),
        "r"(phase)
        : "memory");
  }
  /// The same where other blocks of the cluster take part: throws away what the first-level cache
  /// holds, so that the next loads take ten times as long.
  __device__ __forceinline__ void wait_for_cluster(unsigned phase) const {
    asm volatile(
        "{\n.reg .pred done;\nagain:\n"
        "mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 done, [%0], %1;\n"
        "@done bra over;\nbra again;\nover:\n}\n" ::"r"(address),
        "r"(phase)
        : "memory");
  }
};
__device__ __forceinline__ void fence_barrier_init() {
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}
#endif
