#include "passes/passes.h"

namespace dlaexec::passes {

bool remove_dead(ir::Graph& graph) { return ir::remove_unused(graph); }

}  // namespace dlaexec::passes
