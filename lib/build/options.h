// What a user may ask of a build. Command-line flags and IBuilderConfig both fill it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "build/output_types.h"
#include "build/sparsity.h"
#include "dla/rules.h"
#include "gpu/library_kind.h"
#include "ir/graph.h"
#include "place/explain.h"
#include "quant/quant.h"
#include "tune/repetitions.h"

namespace dlaexec::build {

/// Sizes of a network input in one optimization profile; with all of them equal in all profiles its
/// shape is fixed, also where the model has symbols.
struct InputShape {
  std::string input;
  ir::Dims min, opt, max;
  int profile = 0;
};

/// Whether formats of inputs and outputs bring their types, or stand for the model's own.
enum class EdgeTypes : uint8_t { Given, OfModel };

/// Upper bounds in bytes; no value means the platform's default. Those of the DLA are per loadable.
struct MemoryPools {
  std::optional<int64_t> workspace, dla_sram, dla_local_dram, dla_global_dram;
};

struct Options {
  /// The model: a file, or a graph that somebody made already; then model_path is only its name.
  std::string model_path;
  std::optional<ir::Graph> graph;

  /// Precisions allowed beside Float32. With a DLA and no int8, fp16 is meant.
  bool fp16 = false, int8 = false;
  quant::Constraints constraints = quant::Constraints::None;
  /// By layer name; '*' stands for anything.
  std::map<std::string, ir::DataType> layer_precisions;
  /// What layers deliver, where that is not what they compute in; holds under constraints alone.
  LayerOutputTypes layer_output_types;
  /// Dynamic range / 127 by tensor name, from a calibration cache or the user; where they are from,
  /// and how they are found when there are none (quant::Options).
  quant::Scales scales;
  std::string scales_from;
  std::function<quant::Scales(const ir::Graph&)> calibrate;
  std::function<quant::Lifted(const ir::Graph&, const quant::Options&)> lift;
  /// What Q/DQ layers become; none: translated with a DLA, else fused.
  std::optional<quant::QdqLayers> qdq;

  /// The CUDA device that GPU steps are built for; no value: none, the host engine runs them.
  /// Without a CUDA driver it is the same as no value.
  std::optional<int> gpu_device = 0;
  /// GPU steps are built for this architecture ("sm_87") in place of a device that is there.
  std::string gpu_architecture;
  int optimization_level = 3;  ///< 0 to 5: how many tactics are measured
  bool tf32 = true;            ///< GPUs may multiply floats as tf32
  /// Whose tactics are measured beside those of this project.
  std::vector<gpu::LibraryKind> libraries;
  std::string timing_cache;  ///< a file of measured tactics, read and extended; empty: none
  bool error_on_timing_cache_miss = false;
  tune::Repetitions repetitions;  ///< with which a tactic is measured

  std::string platform{dla::kDefaultPlatform};
  std::string power_mode;       ///< empty: the platform's first
  std::optional<int> dla_core;  ///< given: layers go to the DLA unless layer_devices says otherwise
  bool gpu_fallback = false;    ///< what the DLA cannot run may run on the GPU
  std::map<std::string, ir::Device> layer_devices;  ///< by layer name; '*' stands for anything
  std::optional<dla::Edition> dla_rules;            ///< none: the newest that knows the platform
  place::SubgraphOrder subgraph_order = place::SubgraphOrder::Benefit;
  bool adjust_for_dla =
      false;  ///< layers may be rewritten to suit the DLA, outputs staying the same
  Sparsity sparsity = Sparsity::Disable;
  MemoryPools pools;

  /// One for all inputs (outputs), or one each in network order; empty: Float32 for real numbers,
  /// linear.
  std::vector<place::EdgeFormat> input_formats, output_formats;
  EdgeTypes edge_types = EdgeTypes::Given;  ///< whose types those formats have
  bool direct_io =
      false;  ///< no reformat at the network's edges; a DLA without fallback implies it
  std::vector<InputShape> shapes;

  /// Sees the graph after each stage: "import", each pass by its name, "placement", "types",
  /// "steps".
  std::function<void(std::string_view stage, const ir::Graph&)> on_stage;
  /// Given: is told the ranges and precisions that were chosen.
  std::function<void(const quant::Report&)> on_quantized;
  /// Given: is told where every layer runs and why, before anything ends the build or is compiled.
  std::function<void(const place::Explanation&)> on_explanation;
};

}  // namespace dlaexec::build
