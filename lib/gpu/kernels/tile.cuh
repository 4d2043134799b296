// Tiles in shared memory: rows of kRow bytes, contiguous along the sum, whose 16-byte chunks are
// permuted by their row, so that neither copies nor ldmatrix nor wgmma (whose 128-byte swizzle this
// is) meet a bank twice.
#pragma once
#include "mma.cuh"

/// Where chunk @p chunk of row @p row lies in a tile.
template <int kRow>
__device__ __forceinline__ int swizzled(int row, int chunk) {
  if constexpr (kRow == 128) return row * 128 + ((chunk ^ (row & 7)) << 4);
  return row * 64 + ((chunk ^ ((row >> 1) & 3)) << 4);
}

/// Adds the products of one row-long piece of the sum: a warp's kMmaRows * 16 rows of @p a_tile from
/// @p first_row on, times its kMmaK * 8 rows of @p b_tile from @p first_k on.
template <class In, int kMmaRows, int kMmaK, int kRow>
__device__ __forceinline__ void multiply_tile(typename Sum<In>::type (&sums)[kMmaRows][kMmaK][4],
                                              unsigned a_tile, unsigned b_tile, int first_row,
                                              int first_k) {
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int step = 0; step < kRow / 32; ++step) {
    unsigned a[kMmaRows][4], b[kMmaK][2];
#pragma unroll
    for (int i = 0; i < kMmaRows; ++i)
      load_matrix_x4(a[i],
                     a_tile + swizzled<kRow>(first_row + i * 16 + lane % 16, step * 2 + lane / 16));
#pragma unroll
    for (int j = 0; j < kMmaK; j += 2) {
      unsigned both[4];
      load_matrix_x4(both, b_tile + swizzled<kRow>(first_k + j * 8 + (lane / 16) * 8 + lane % 8,
                                                   step * 2 + (lane / 8) % 2));
      b[j][0] = both[0];
      b[j][1] = both[1];
      b[j + 1][0] = both[2];
      b[j + 1][1] = both[3];
    }
#pragma unroll
    for (int i = 0; i < kMmaRows; ++i)
#pragma unroll
      for (int j = 0; j < kMmaK; ++j) Mma<In>::run(sums[i][j], a[i], b[j]);
  }
}
