// Products of row-major matrices through register tiles.
#pragma once

#include "cpu/epilogue.h"
#include "cpu/tiling.h"

namespace dlaexec::cpu {

/// output[M, N] = input[M, K] * weights[K, N], with the epilogue; output rows lie N apart.
struct MatrixView {
  const float* input;
  int64_t input_step;     ///< floats between rows, K or more
  const float* residual;  ///< as output, or null
  float* output;
  int64_t rows;
};

/// The right-hand side of products, packed, and what follows them.
struct Product {
  int64_t terms = 0, outputs = 0;  ///< K and N
  Panels panels;
  Epilogue epilogue;
  const TileKernels* tiles = nullptr;

  /// Bytes of scratch that run() wants for so many rows.
  int64_t scratch_bytes(int64_t rows) const;
  /// On all threads of @p pool.
  void run(MatrixView matrix, float* scratch, ThreadPool& pool) const;
  /// One task of it on this thread; @p panels is what the weights were packed to.
  void run_task(const MatrixView& matrix, const Strips& strips, const Task& task) const;
};

}  // namespace dlaexec::cpu
