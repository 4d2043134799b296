// How kernels are told of a tensor that the copy engine walks; read by the host and by the device
// code.
#pragma once

namespace dlaexec::gpu {

/// How the copy engine finds a tensor: what the driver encodes.
struct alignas(64) TensorMap {
  unsigned long long words[16];
};

}  // namespace dlaexec::gpu
