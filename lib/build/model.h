// The model that a build starts from.
#pragma once

#include <string>

#include "build/options.h"
#include "ir/graph.h"

namespace dlaexec::build {

struct Model {
  ir::Graph graph;
  std::string name;  ///< the file's name, without folders
  std::string hash;  ///< of its bytes, without external data; of its text if it came as a graph
};

/// Imports the model of @p options, saying on the log that it does.
Model read_model(const Options& options);

}  // namespace dlaexec::build
