// What select.cu is launched with; read by the host and by the device code.
#pragma once

namespace dlaexec::gpu {

/// A dense tensor seen as [outer][length][inner]; the axis in the middle is searched or summed.
struct SelectParams {
  const void* x;
  void* y;         ///< values
  void* indices;   ///< positions along the axis
  long long rows;  ///< outer * inner
  long long inner;
  int length;
  int kept;           ///< top_k: how many of a row
  int blocks_of_row;  ///< top_k
};

}  // namespace dlaexec::gpu
