// The page of ONNX operators: what the importer reads and which engines run it.
#pragma once

#include <string>

namespace dlaexec::build {

/// The page lib/onnx/OPERATORS.md.
std::string operators_markdown();

}  // namespace dlaexec::build
