// Hopper's copy engine, whose copies complete on barriers. Needs sm_90.
#pragma once
#include "barrier.cuh"
#include "mma.cuh"

#if __CUDA_ARCH__ >= 900
/// Prepares a block's barriers for the copy engine, barrier i for @p arrivals(i) at a time; all
/// threads of the block come here.
template <int kCount, class Arrivals>
__device__ __forceinline__ void prepare_barriers(unsigned long long (&barriers)[kCount],
                                                 const Arrivals& arrivals) {
  if (threadIdx.x == 0) {
    for (int i = 0; i < kCount; ++i) Barrier{shared_address(barriers + i)}.init(arrivals(i));
    fence_barrier_init();
    fence_copies();
  }
  __syncthreads();
}
/// Copies boxes of a tensor into shared memory; coordinates in elements, innermost first.
__device__ __forceinline__ void copy_box(unsigned to, const void* map, Barrier done, int c,
                                         int row) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%3, "
      "%4}], [%2];" ::"r"(to),
      "l"(map), "r"(done.address), "r"(c), "r"(row)
      : "memory");
}
/// The same from a tensor of four dimensions.
__device__ __forceinline__ void copy_box(unsigned to, const void* map, Barrier done, int c, int x,
                                         int y, int z) {
  asm volatile(
      "cp.async.bulk.tensor.4d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%3, "
      "%4, %5, %6}], [%2];" ::"r"(to),
      "l"(map), "r"(done.address), "r"(c), "r"(x), "r"(y), "r"(z)
      : "memory");
}
/// The same from a tensor of five dimensions; its middle ones are copied whole.
__device__ __forceinline__ void copy_box_of_five(unsigned to, const void* map, Barrier done, int c,
                                                 int last) {
  asm volatile(
      "cp.async.bulk.tensor.5d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%3, "
      "%4, %4, %4, %5}], [%2];" ::"r"(to),
      "l"(map), "r"(done.address), "r"(c), "r"(0), "r"(last)
      : "memory");
}
/// Copies rows of weights, the columns of a product, from column @p k on: in the order that
/// PanelWay asks for when results are of type Out.
template <class Out>
__device__ __forceinline__ void copy_columns(unsigned to, const void* map, Barrier done, int c,
                                             int k) {
  if constexpr (sizeof(Out) == 1)
    copy_box_of_five(to, map, done, c, k / 16);
  else
    copy_box(to, map, done, c, k);
}
/// Rows of patches: from base pixel (w, h, image) on, each moved by the tap's offset.
__device__ __forceinline__ void copy_patches(unsigned to, const void* map, Barrier done, int c,
                                             int w, int h, int image, unsigned short tap_w,
                                             unsigned short tap_h) {
  asm volatile(
      "cp.async.bulk.tensor.4d.shared::cluster.global.im2col.mbarrier::complete_tx::bytes [%0], "
      "[%1, "
      "{%3, %4, %5, %6}], [%2], {%7, %8};" ::"r"(to),
      "l"(map), "r"(done.address), "r"(c), "r"(w), "r"(h), "r"(image), "h"(tap_w), "h"(tap_h)
      : "memory");
}
/// Copies a box from shared memory; what lies outside the tensor is left out.
__device__ __forceinline__ void store_box(const void* map, unsigned from, int c, int row) {
  asm volatile(
      "cp.async.bulk.tensor.2d.global.shared::cta.bulk_group [%0, {%2, %3}], [%1];" ::"l"(map),
      "r"(from), "r"(c), "r"(row)
      : "memory");
}
__device__ __forceinline__ void store_box(const void* map, unsigned from, int c, int w, int h,
                                          int image) {
  asm volatile(
      "cp.async.bulk.tensor.4d.global.shared::cta.bulk_group [%0, {%2, %3, %4, %5}], [%1];" ::"l"(
          map),
      "r"(from), "r"(c), "r"(w), "r"(h), "r"(image)
      : "memory");
}
__device__ __forceinline__ void commit_stores() {
  asm volatile("cp.async.bulk.commit_group;" ::: "memory");
}
/// Until all but the last kPending of this thread's groups of stores have read shared memory.
template <int kPending>
__device__ __forceinline__ void wait_stores_read() {
  asm volatile("cp.async.bulk.wait_group.read %0;" ::"n"(kPending) : "memory");
}
__device__ __forceinline__ void wait_stores() {
  asm volatile("cp.async.bulk.wait_group 0;" ::: "memory");
}

/// Counts through the ring of stages.
template <int kStages>
struct Ring {
  int stage = 0;
  unsigned phase = 0;
  __device__ __forceinline__ void next() {
    if (++stage == kStages) {
      stage = 0;
      phase ^= 1;
    }
  }
  __device__ __forceinline__ void skip(int steps) {
    stage += steps;
    phase ^= stage / kStages & 1;
    stage %= kStages;
  }
};

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
