// Launches of nonzero.cu: where elements are not zero.
#include <algorithm>

#include "base/error.h"
#include "gpu/families.h"
#include "gpu/kernels/nonzero_params.h"

namespace dlaexec::gpu {

std::optional<std::string> why_not_nonzero(const ir::Graph& graph, const ir::Node& node,
                                           const Target&) {
  const ir::Value& x = graph.value(node.inputs[0]);
  if (stored_type(x.type).empty()) return format("elements of type {}", ir::text(x.type));
  if (x.shape.empty() || x.shape.size() > kNonZeroRank)
    return format("{} dimensions", x.shape.size());
  return std::nullopt;
}

ir::Dims most_of_nonzero(const ir::Graph& graph, const ir::Node& node) {
  const ir::Dims dims = ir::dims_of(graph.value(node.inputs[0]).shape);
  return {std::ssize(dims), ir::volume(dims)};
}

void lower_nonzero(Lowering& lowering, const ir::Node& node) {
  constexpr int64_t kMostBlocks = 1024;  // each reads what all have counted
  const View x = lowering.dense(node.inputs[0]);
  const View out = lowering.target_dense(node.outputs[0]);
  NonZeroParams p{};
  p.elements = ir::volume(x.dims);
  p.items = static_cast<int>(std::max<int64_t>(4, ceil_div(p.elements, 256 * kMostBlocks)));
  p.blocks = static_cast<int>(ceil_div(p.elements, 256 * int64_t{p.items}));
  p.rank = static_cast<int>(x.rank());
  for (size_t d = 0; d < x.dims.size(); ++d) p.dims[d] = static_cast<int>(x.dims[d]);
  const Place counts = lowering.scratch(p.blocks * static_cast<int64_t>(sizeof(int)));
  const Launch launch{{p.blocks, 1, 1}, {256, 1, 1}};
  for (const bool lists : {false, true}) {
    const Kernel kernel{"nonzero.cu",
                        format("{}_set<{}>", lists ? "list" : "count", stored_type(x.type))};
    Step& step = lowering.add(node, lists ? "list" : "", kernel, launch, p);
    patch(step, &NonZeroParams::x, x.place);
    patch(step, &NonZeroParams::counts, counts);
    step.bytes = static_cast<double>(span_bytes(x));
    if (!lists) continue;
    patch(step, &NonZeroParams::out, out.place);
    patch(step, &NonZeroParams::count, lowering.count_target(node.outputs[0]));
  }
}

}  // namespace dlaexec::gpu
