// What a plan tells people about its build.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "build/options.h"
#include "plan/plan.h"

namespace dlaexec::build {

/// A layer as the model has it.
struct NetworkLayer {
  std::string name;
  std::string type;  ///< as TensorRT prints it
};

/// The layers of @p graph as it was imported, in order.
std::vector<NetworkLayer> network_layers(const ir::Graph& graph);

/// Where each layer of the network went: @p placed is the graph after placement, whose nodes carry
/// device and precision; @p plan_graph the one that runs.
std::vector<plan::Layer> describe_layers(const std::vector<NetworkLayer>& layers,
                                         const ir::Graph& placed, const place::Placement& placement,
                                         const ir::Graph& plan_graph);

/// The wishes that shaped the build, by the names of their flags.
std::vector<plan::Setting> describe_settings(const Options& options);

/// Where the INT8 ranges came from; nothing for a build without INT8. The summary's "quantization"
/// is made from these settings.
inline constexpr std::string_view kRangesSetting = "int8Ranges",
                                  kRangesFromSetting = "int8RangesFrom",
                                  kLiftedSetting = "int8Lifted";
std::vector<plan::Setting> describe_ranges(const quant::Report& report);

/// What the user should know of ranges and precisions.
std::vector<std::string> describe_notes(const quant::Report& report);

}  // namespace dlaexec::build
