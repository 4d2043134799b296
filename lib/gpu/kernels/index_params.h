// What index.cu is launched with; read by the host and by the device code.
#pragma once

namespace dlaexec::gpu {

inline constexpr int kIndexRank = 6;

/// Elements that indices pick from data, or put into it. All tensors are dense; data is seen as
/// dims with strides in words, unused leading dims are 1.
struct IndexParams {
  const void* data;
  const void* indices;
  const void* updates;  ///< scatters alone
  void* out;
  long long count;   ///< threads: words of the result, or of the updates
  long long inner;   ///< words that follow each other unchanged
  int axis;          ///< gather_elements, scatter_elements: which dimension the index replaces
  int depth;         ///< gather_nd, scatter_nd: numbers of one index
  int first;         ///< of data's dims that the index counts in
  long long tuples;  ///< indices of one batch
  long long batch_stride;      ///< words of data from batch to batch
  int index_dims[kIndexRank];  ///< of the indices, element by element
  int sizes[kIndexRank];       ///< of data
  long long strides[kIndexRank];
  int diagonal;  ///< trilu
};

}  // namespace dlaexec::gpu
