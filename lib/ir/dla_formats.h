// Which formats a DLA exchanges tensors in. How their bytes lie is dla/format's.
#pragma once

#include "ir/format.h"
#include "ir/type.h"

namespace dlaexec::ir {

/// The way a tensor goes: HWC4 exists into a DLA only.
enum class Edge : uint8_t { Input, Output };

/// True for the formats in which a DLA takes or gives tensors of @p type without anybody's help.
bool is_dla_format(Format format, DataType type, Edge edge = Edge::Input);

/// Chw16 for Float16, Chw32 for Int8: what DLA units and the GPU have in common; Linear for types
/// that no DLA has.
Format cut_format(DataType type);

/// The format that @p format means at a DLA: Chw4 is the old name of DlaHwc4 there, and a format of
/// its own on a GPU.
Format at_dla(Format format);

}  // namespace dlaexec::ir
