// What attention is launched with; read by the host and by the device code.
#pragma once
#include "tensor_map_params.h"

namespace dlaexec::gpu {

/// Where the rows of one operand lie: elements from batch to batch, head to head and row to row; a
/// row's elements follow each other.
struct AttentionRows {
  long long batch, head, row;
};

/// y = softmax(scale * q k^T) v for every batch and head.
struct AttentionParams {
  const void *q, *k, *v;
  void* y;
  AttentionRows q_rows, k_rows, v_rows, y_rows;
  int heads, queries, keys;
  float scale;  ///< of the scores, times log2(e): exponentials are powers of two
};

/// What attention_wgmma.cu is launched with.
struct AttentionMaps {
  TensorMap q, k, v;  ///< [batch][row][head][element], boxes of rows of one head
  AttentionParams attention;
};

}  // namespace dlaexec::gpu
