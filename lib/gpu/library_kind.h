// The libraries whose tactics may be measured beside this project's.
#pragma once

#include <cstdint>

namespace dlaexec::gpu {

enum class LibraryKind : uint8_t { CublasLt, Cudnn };

}  // namespace dlaexec::gpu
