#include "build/standalone.h"

#include <algorithm>

#include "ir/dla_formats.h"

namespace dlaexec::build {
namespace {

/// With the model's own types a format that fits one of the DLA's types will do.
bool is_native(const place::EdgeFormat& edge, EdgeTypes types, ir::Edge side) {
  if (edge.formats.size() != 1) return false;
  const ir::Format format = ir::at_dla(edge.formats[0]);
  if (types == EdgeTypes::Given) return ir::is_dla_format(format, edge.type, side);
  return ir::is_dla_format(format, ir::DataType::Float16, side) ||
         ir::is_dla_format(format, ir::DataType::Int8, side);
}

void require_native(const std::vector<place::EdgeFormat>& edges, EdgeTypes types,
                    std::string_view flag, ir::Edge side) {
  const bool fits =
      !edges.empty() && std::all_of(edges.begin(), edges.end(), [&](const place::EdgeFormat& edge) {
        return is_native(edge, types, side);
      });
  if (fits) return;
  fail(Fault::Usage,
       "I/O formats for safe DLA capability are restricted to {{int8,fp16}}:dla_linear, "
       "{{int8,fp16}}:dla_hwc4 "
       "(inputs only), int8:chw32 and fp16:chw16, one for each tensor; give {} such ones",
       flag);
}

}  // namespace

void require_standalone(const Options& options) {
  if (!options.dla_core)
    fail(Fault::Usage, "a DLA standalone loadable needs a DLA core; give --useDLACore=0");
  if (options.gpu_fallback)
    fail(Fault::Usage,
         "GPU fallback (--allowGPUFallback) not allowed for DLA standalone mode; a loadable has no "
         "GPU to fall back to");
  require_native(options.input_formats, options.edge_types, "--inputIOFormats", ir::Edge::Input);
  require_native(options.output_formats, options.edge_types, "--outputIOFormats", ir::Edge::Output);
}

std::span<const std::byte> sole_loadable(const plan::Plan& plan) {
  const std::vector<ir::Node>& steps = plan.graph.nodes;
  if (steps.size() == 1 && steps[0].op == ir::Op::ForeignNode) return plan.loadables[0].bytes;
  const auto describe = [](const ir::Node& step) {
    return format("{} ({})", step.name, ir::info(step.op).layer_type);
  };
  fail(
      "not all layers are running on DLA: a standalone loadable must be the whole network, but "
      "there are {} steps: {}",
      steps.size(), join(steps, ", ", describe));
}

}  // namespace dlaexec::build
