// Every function of libcuda that the project calls, succeeding without doing anything; what needs
// an answer is defined in fake_cuda.cpp and wins over these.
#include "types.h"

#pragma GCC diagnostic ignored "-Wunused-parameter"

extern "C" {
#define DLAEXEC_CUDA(symbol, name, arguments) \
  __attribute__((weak, visibility("default"))) Result symbol arguments { return 0; }
#include "gpu/driver.def"
}
