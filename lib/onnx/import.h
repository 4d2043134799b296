// An ONNX file as a graph of network layers.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace dlaexec::onnx {

/// What the file says of itself.
struct Facts {
  int64_t ir_version = 0;
  std::map<std::string, int64_t> opsets;  ///< by domain; the standard one is "ai.onnx"
  std::string producer;                   ///< name and version
  std::string hash;                       ///< XXH3-128 of the file and of the external data it uses
};

struct Imported {
  ir::Graph graph;  ///< inferred; layers and values are called as in the file
  Facts facts;
};

/// Imports the file at @p path; external data is looked for beside it. Throws an Error that names
/// the file, and the node when it is one node's fault. Operators that are not known are all named
/// in one Error.
Imported import_file(const std::string& path);

/// The same for a file in memory; external data is looked for in @p folder.
Imported import_bytes(std::string_view bytes, const std::string& folder);

}  // namespace dlaexec::onnx
