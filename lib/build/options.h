// What a user may ask of a build. Command-line flags and IBuilderConfig both fill it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace dlaexec::build {

/// How strictly layer_precisions and layer_output_types bind.
enum class PrecisionConstraints : uint8_t { None, Prefer, Obey };

/// What one network input or output looks like from outside.
struct IoFormat {
  ir::DataType type = ir::DataType::Float32;
  std::vector<ir::Format> formats = {ir::Format::Linear};  ///< any of these; one or more
};

/// Sizes of an input whose shape has symbols; for a fixed shape all three are equal.
struct InputShape {
  std::string input;
  ir::Dims min, opt, max;
};

/// Upper bounds in bytes; no value means the platform's default. Those of the DLA are per loadable.
struct MemoryPools {
  std::optional<uint64_t> workspace, dla_sram, dla_local_dram, dla_global_dram;
};

struct Options {
  /// The model: a file, or a graph that somebody made already (then model_path is only its name).
  std::string model_path;
  std::optional<ir::Graph> graph;

  /// Precisions allowed beside Float32.
  bool fp16 = false, int8 = false;
  PrecisionConstraints precision_constraints = PrecisionConstraints::None;
  /// By layer name; "*" stands for every layer not named.
  std::map<std::string, ir::DataType> layer_precisions;
  std::map<std::string, std::vector<ir::DataType>> layer_output_types;
  /// Scales by tensor name: dynamic range / 127. Empty with a calibration_cache that is read.
  std::map<std::string, float> scales;
  std::string calibration_cache;  ///< a TensorRT calibration cache to read; empty: none

  std::string platform = "agx-orin-64";
  std::string power_mode;       ///< empty: the platform's fastest
  std::optional<int> dla_core;  ///< given: layers go to the DLA unless layer_devices says otherwise
  bool gpu_fallback = false;    ///< what the DLA cannot run may run on the GPU
  std::map<std::string, ir::Device> layer_devices;
  std::string dla_rules;  ///< edition of the restrictions; empty: the newest of the platform
  MemoryPools pools;

  /// One entry for all inputs (outputs), or one each in network order; empty: Float32, linear.
  std::vector<IoFormat> input_formats, output_formats;
  bool direct_io = false;       ///< no reformat may stand at the network's edges
  bool dla_standalone = false;  ///< the whole network as one loadable
  std::vector<InputShape> shapes;

  /// Called with the graph after each stage ("import", a pass's name, "placement", "steps").
  std::function<void(std::string_view stage, const ir::Graph&)> on_stage;
};

}  // namespace dlaexec::build
