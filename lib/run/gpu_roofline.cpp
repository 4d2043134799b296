#include "run/gpu_roofline.h"

#include "ir/macs.h"

namespace dlaexec::run {
namespace {

double bytes(const ir::Graph& graph, const ir::Node& node) {
  double sum = 0;
  for (const auto* ids : {&node.inputs, &node.outputs})
    for (const ir::ValueId id : *ids) {
      if (id == ir::kNoValue) continue;
      const ir::Value& value = graph.value(id);
      sum += static_cast<double>(ir::volume(ir::dims_of(value.shape))) *
             static_cast<double>(ir::size_bytes(value.type));
    }
  return sum;
}

}  // namespace

double gpu_seconds(const ir::Graph& graph, const ir::Node& node, const Board& board) {
  const ir::DataType type =
      node.inputs.empty() ? ir::DataType::Float32 : graph.value(node.inputs[0]).type;
  return dla::gpu_seconds({ir::macs_of(graph, node), bytes(graph, node), type, true},
                          *board.platform, *board.mode, board.clock.dram_bytes_per_second);
}

}  // namespace dlaexec::run
