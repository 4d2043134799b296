// Every function of libcuda that the project calls, counted and without effect; what has an effect
// or an answer is defined in fake_cuda.cpp and wins over these.
#include "state.h"

#pragma GCC diagnostic ignored "-Wunused-parameter"

using namespace fake_cuda;

extern "C" {
#define DLAEXEC_CUDA(symbol, name, arguments) \
  __attribute__((weak, visibility("default"))) Result symbol arguments { return called(#symbol); }
#include "gpu/driver.def"
}
