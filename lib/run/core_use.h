// What the engines of this process take of a board's DLA cores, which they share as they would the
// hardware.
#pragma once

#include <cstdint>

#include "dla/platform.h"

namespace dlaexec::run {

/// One engine's loadables on one core, from the engine's birth to its end.
class CoreUse {
 public:
  /// Throws an Error when @p core of @p board would hold more loadables than it can. Warns when
  /// engines together ask for more SRAM than the board's cores share; @p sram_bytes is what the
  /// largest of the loadables asks for.
  CoreUse(const dla::Platform& board, int core, int loadables, int64_t sram_bytes);
  ~CoreUse();
  CoreUse(const CoreUse&) = delete;
  CoreUse& operator=(const CoreUse&) = delete;

 private:
  const dla::Platform& board_;
  int core_;
  int loadables_;
  int64_t sram_bytes_;
};

}  // namespace dlaexec::run
