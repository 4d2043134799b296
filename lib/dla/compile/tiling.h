// How operations are cut up, and the bytes that they move.
#pragma once

#include "dla/loadable.h"

namespace dlaexec::dla {

/// The tiling of a convolution by the open compiler's rules (dla.md 6.2): mode, strips, kernel
/// passes, traffic. Throws an Error with the bank arithmetic when one kernel and the rows under it
/// do not fit CBUF.
Tiling tile_conv(const Loadable& loadable, const Operation& operation);

/// One strip; every cube moved once.
Tiling tile_other(const Loadable& loadable, const Operation& operation);

/// Bytes that constants of an SDP stage take in the hardware: 16-bit numbers on Xavier; on Orin
/// FP19 in containers of 4 bytes, channels padded to a surface.
int64_t constant_bytes(const Loadable& loadable, const Operation& operation,
                       const SdpOperand& operand);

}  // namespace dlaexec::dla
