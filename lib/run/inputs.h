// What an execution is fed when the user has a file, or nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "dla/generation.h"
#include "ir/graph.h"
#include "run/engine.h"

namespace dlaexec::run {

/// The seed of trtexec's inputs.
inline constexpr uint32_t kDefaultSeed = 1;

/// Uniform random elements: floats in [-1, 1), signed integers in [-128, 127], u8 in [0, 255], bool
/// 0 or 1. The same on every machine for one @p seed; each tensor starts the sequence anew.
ir::Tensor random_input(ir::DataType type, const ir::Dims& dims, uint32_t seed = kDefaultSeed);

/// How many rows the tables have that input @p id of @p graph is looked up in, the fewest; nothing
/// for an input that is no integer or that becomes something else than Gather layers' indices.
std::optional<int64_t> table_rows(const ir::Graph& graph, ir::ValueId id);

/// Random numbers of rows, of tables that have @p rows of them.
ir::Tensor random_rows(ir::DataType type, const ir::Dims& dims, int64_t rows,
                       uint32_t seed = kDefaultSeed);

/// Random elements for input @p id of @p graph: where it is looked up in tables, rows that they
/// have, since other numbers end in an Error; else as random_input says.
ir::Tensor random_input_for(const ir::Graph& graph, ir::ValueId id, const ir::Dims& dims,
                            uint32_t seed = kDefaultSeed);

/// The elements in file @p path: raw as they lie in memory in the binding's type and format (whose
/// padding depends on the DLA's @p generation), or a .npy file of the binding's type and @p dims.
/// Extra bytes are ignored with a warning, as trtexec ignores them; too few end in an Error.
ir::Tensor load_input(const std::string& path, const Binding& binding, const ir::Dims& dims,
                      dla::Generation generation);

}  // namespace dlaexec::run
