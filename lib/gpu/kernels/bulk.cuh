// Hopper's copy engine, whose copies complete on barriers. Needs sm_90.
#pragma once
#include "barrier.cuh"
#include "mma.cuh"

#if __CUDA_ARCH__ >= 900
/// Copies boxes of a tensor into shared memory; coordinates in elements, innermost first.
__device__ __forceinline__ void copy_box(unsigned to, const void* map, Barrier done, int c, int row) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%3, "
      "%4}], [%2];" ::"r"(to),
      "l"(map), "r"(done.address), "r"(c), "r"(row)
      : "memory");
}
/// The same, to the same place in every block of @p blocks, a bit each.
__device__ __forceinline__ void copy_box_to_all(unsigned to, const void* map, Barrier done, int c, int row,
                                                unsigned short blocks) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster "
      "[%0], [%1, {%3, %4}], [%2], %5;" ::"r"(to),
      "l"(map), "r"(done.address), "r"(c), "r"(row), "h"(blocks)
      : "memory");
}
/// Rows of patches: from base pixel (w, h, image) on, each moved by the tap's offset.
__device__ __forceinline__ void copy_patches(unsigned to, const void* map, Barrier done, int c, int w,
                                             int h, int image, unsigned short tap_w,
                                             unsigned short tap_h) {
  asm volatile(
      "cp.async.bulk.tensor.4d.shared::cluster.global.im2col.mbarrier::complete_tx::bytes [%0], [%1, "
      "{%3, %4, %5, %6}], [%2], {%7, %8};" ::"r"(to),
      "l"(map), "r"(done.address), "r"(c), "r"(w), "r"(h), "r"(image), "h"(tap_w), "h"(tap_h)
      : "memory");
}
/// Copies a box from shared memory; what lies outside the tensor is left out.
__device__ __forceinline__ void store_box(const void* map, unsigned from, int c, int row) {
  asm volatile("cp.async.bulk.tensor.2d.global.shared::cta.bulk_group [%0, {%2, %3}], [%1];" ::"l"(map),
               "r"(from), "r"(c), "r"(row)
               : "memory");
}
__device__ __forceinline__ void commit_stores() {
  asm volatile("cp.async.bulk.commit_group;" ::: "memory");
}
/// Until this thread's stores have read shared memory.
__device__ __forceinline__ void wait_stores_read() {
  asm volatile("cp.async.bulk.wait_group.read 0;" ::: "memory");
}
__device__ __forceinline__ void wait_stores() { asm volatile("cp.async.bulk.wait_group 0;" ::: "memory"); }

template <int kRegisters>
__device__ __forceinline__ void give_registers_back() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(kRegisters));
}
template <int kRegisters>
__device__ __forceinline__ void take_registers() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(kRegisters));
}
/// Waits for the 128 threads of warpgroup @p group.
__device__ __forceinline__ void group_barrier(int group) {
  asm volatile("bar.sync %0, 128;" ::"r"(group + 1) : "memory");
}
#endif
