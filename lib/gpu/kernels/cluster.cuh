// Blocks of one cluster: waiting for each other, reading and writing each other's shared memory.
// Needs sm_90.
#pragma once
#include "barrier.cuh"

#if __CUDA_ARCH__ >= 900
__device__ __forceinline__ void cluster_arrive() {
  asm volatile("barrier.cluster.arrive.release.aligned;" ::: "memory");
}
__device__ __forceinline__ void cluster_wait() {
  asm volatile("barrier.cluster.wait.acquire.aligned;" ::: "memory");
}
__device__ __forceinline__ void cluster_barrier() {
  cluster_arrive();
  cluster_wait();
}
/// The address of @p own in the shared memory of block @p rank of this cluster.
__device__ __forceinline__ unsigned peer_address(unsigned own, int rank) {
  unsigned peer;
  asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(peer) : "r"(own), "r"(rank));
  return peer;
}
/// Sends four words to where @p own lies in block @p rank, and tells @p done there.
__device__ __forceinline__ void send_four(unsigned own, int rank, Barrier done,
                                          const uint4& words) {
  asm volatile(
      "{\n.reg .b32 to, barrier;\n"
      "mapa.shared::cluster.u32 to, %0, %2;\nmapa.shared::cluster.u32 barrier, %1, %2;\n"
      "st.async.weak.shared::cluster.mbarrier::complete_tx::bytes.v4.b32 [to], {%3, %4, %5, %6}, "
      "[barrier];\n}" ::"r"(own),
      "r"(done.address), "r"(rank), "r"(words.x), "r"(words.y), "r"(words.z), "r"(words.w)
      : "memory");
}
/// The same for two words.
__device__ __forceinline__ void send_two(unsigned own, int rank, Barrier done, unsigned first,
                                         unsigned second) {
  asm volatile(
      "{\n.reg .b32 to, barrier;\n"
      "mapa.shared::cluster.u32 to, %0, %2;\nmapa.shared::cluster.u32 barrier, %1, %2;\n"
      "st.async.weak.shared::cluster.mbarrier::complete_tx::bytes.v2.b32 [to], {%3, %4}, "
      "[barrier];\n}" ::"r"(own),
      "r"(done.address), "r"(rank), "r"(first), "r"(second)
      : "memory");
}
__device__ __forceinline__ void store_peer_word(unsigned address, float x) {
  asm volatile("st.shared::cluster.f32 [%0], %1;" ::"r"(address), "f"(x) : "memory");
}
#endif
