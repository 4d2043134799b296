// Ops on shapes where engines go wrong: odd sizes, one channel, groups, strides past the edge.
#pragma once

#include <span>
#include <string>

#include "conformance/executor.h"

namespace dlaexec::test {

/// A node in text form: T stands for the type of the case. Inputs are %x and %y, seeded.
struct OpCase {
  const char* name;
  const char* x;     ///< dimensions of %x
  const char* y;     ///< dimensions of %y; empty: none
  const char* body;  ///< statements that make %z
};

std::span<const OpCase> op_cases();

/// The case as a graph of @p type ("f32", "f16", "bf16").
ir::Graph graph_of(const OpCase& test, const std::string& type);

/// Random inputs for @p graph, the same in every run.
Tensors seeded_inputs_of(const ir::Graph& graph);

}  // namespace dlaexec::test
