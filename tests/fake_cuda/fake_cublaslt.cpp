// A cuBLASLt that proposes two algorithms for every product and multiplies nothing.
//   FAKE_CUBLASLT_VERSION   the version it says it is; without it 130000
#include <cstring>

#include "gpu/cublaslt.h"
#include "state.h"

#define FAKE extern "C" __attribute__((visibility("default")))

using fake_cuda::called;
using fake_cuda::gone;
using fake_cuda::Handle;
using fake_cuda::made;
using fake_cuda::Result;

FAKE size_t cublasLtGetVersion() { return fake_cuda::told("FAKE_CUBLASLT_VERSION", 130000); }
FAKE Result cublasLtCreate(Handle* library) { return made("cublasLtCreate", "library", library); }
FAKE Result cublasLtDestroy(Handle library) { return gone("cublasLtDestroy", "library", library); }
FAKE Result cublasLtMatmulDescCreate(Handle* operation, int, int) {
  return made("cublasLtMatmulDescCreate", "operation", operation);
}
FAKE Result cublasLtMatmulDescDestroy(Handle operation) {
  return gone("cublasLtMatmulDescDestroy", "operation", operation);
}
FAKE Result cublasLtMatmulDescSetAttribute(Handle, int, const void*, size_t) {
  return called("cublasLtMatmulDescSetAttribute");
}
FAKE Result cublasLtMatrixLayoutCreate(Handle* layout, int, uint64_t, uint64_t, int64_t) {
  return made("cublasLtMatrixLayoutCreate", "layout", layout);
}
FAKE Result cublasLtMatrixLayoutDestroy(Handle layout) {
  return gone("cublasLtMatrixLayoutDestroy", "layout", layout);
}
FAKE Result cublasLtMatrixLayoutSetAttribute(Handle, int, const void*, size_t) {
  return called("cublasLtMatrixLayoutSetAttribute");
}
FAKE Result cublasLtMatmulPreferenceCreate(Handle* preference) {
  return made("cublasLtMatmulPreferenceCreate", "preference", preference);
}
FAKE Result cublasLtMatmulPreferenceDestroy(Handle preference) {
  return gone("cublasLtMatmulPreferenceDestroy", "preference", preference);
}
FAKE Result cublasLtMatmulPreferenceSetAttribute(Handle, int, const void*, size_t) {
  return called("cublasLtMatmulPreferenceSetAttribute");
}
FAKE Result cublasLtMatmulAlgoGetHeuristic(Handle, Handle, Handle, Handle, Handle, Handle, Handle,
                                           int wanted, dlaexec::gpu::HeuristicResult* results,
                                           int* found) {
  *found = wanted < 2 ? wanted : 2;
  for (int i = 0; i < *found; ++i) {
    results[i] = {};
    results[i].algorithm.words[0] = 0xa190 + static_cast<uint64_t>(i);
    results[i].workspace_bytes = i == 0 ? 4096 : 0;
  }
  return called("cublasLtMatmulAlgoGetHeuristic");
}
FAKE Result cublasLtMatmul(Handle, Handle, const void*, const void*, Handle, const void*, Handle,
                           const void*, const void*, Handle, void*, Handle,
                           const dlaexec::gpu::Algorithm* algorithm, void* workspace,
                           size_t workspace_bytes, Handle) {
  const bool is_known = algorithm->words[0] == 0xa190 || algorithm->words[0] == 0xa191;
  if (!is_known || (workspace_bytes > 0 && !workspace)) return 7;  // CUBLAS_STATUS_INVALID_VALUE
  return called("cublasLtMatmul");
}
