#include "build/standalone.h"

#include <algorithm>

#include "ir/dla_formats.h"

namespace dlaexec::build {
namespace {

bool is_native(const place::EdgeFormat& edge, ir::Edge side) {
  return edge.formats.size() == 1 &&
         ir::is_dla_format(ir::at_dla(edge.formats[0]), edge.type, side);
}

void require_native(const std::vector<place::EdgeFormat>& edges, std::string_view flag,
                    ir::Edge side) {
  const bool fits =
      !edges.empty() && std::all_of(edges.begin(), edges.end(), [&](const place::EdgeFormat& edge) {
        return is_native(edge, side);
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
  require_native(options.input_formats, "--inputIOFormats", ir::Edge::Input);
  require_native(options.output_formats, "--outputIOFormats", ir::Edge::Output);
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
