// Where the elements of a binding lie in the application's memory.
#pragma once

#include <optional>

#include "dla/format.h"

namespace dlaexec::api {

/// The layout of a binding of shape [N,C,H,W] or [N,C]: the DLA's formats as dla/format has them,
/// the GPU's formats with channels inside by TensorRT's definition. Nothing for kLINEAR, whose
/// elements lie dense. Throws an Error for the formats of volumes.
std::optional<dla::Layout> binding_layout(ir::Format format, ir::DataType type,
                                          const ir::Dims& dims, dla::Generation generation);

}  // namespace dlaexec::api
