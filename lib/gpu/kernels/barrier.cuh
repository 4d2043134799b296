// Barriers in shared memory that count arrivals and bytes. Needs sm_90.
#pragma once
#include "types.cuh"

#if __CUDA_ARCH__ >= 900
/// A barrier in shared memory: completes a phase once its arrivals and its bytes are there.
struct Barrier {
  unsigned address;
  __device__ __forceinline__ void init(int arrivals) const {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(address), "r"(arrivals) : "memory");
  }
  __device__ __forceinline__ void arrive() const {
    asm volatile("mbarrier.arrive.release.cta.shared::cta.b64 _, [%0];" ::"r"(address) : "memory");
  }
  /// Arrives, and asks for @p bytes of copies in this phase.
  __device__ __forceinline__ void arrive_expecting(unsigned bytes) const {
    asm volatile("mbarrier.arrive.expect_tx.release.cta.shared::cta.b64 _, [%0], %1;" ::"r"(address),
                 "r"(bytes)
                 : "memory");
  }
  /// Arrives at the same barrier of block @p rank of the cluster.
  __device__ __forceinline__ void arrive_at(int rank) const {
    asm volatile(
        "{\n.reg .b32 peer;\nmapa.shared::cluster.u32 peer, %0, %1;\n"
        "mbarrier.arrive.release.cluster.shared::cluster.b64 _, [peer];\n}\n" ::"r"(address),
        "r"(rank)
        : "memory");
  }
  /// Until the phase of parity @p phase is complete.
  __device__ __forceinline__ void wait(unsigned phase) const {
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
