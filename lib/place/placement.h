// Which layer runs where, in which DLA segment, and why.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dla/platform.h"
#include "dla/rules.h"
#include "ir/graph.h"

namespace dlaexec::place {

/// Which segments stay when there are more than a core holds.
enum class SubgraphOrder : uint8_t {
  Benefit,  ///< those that save most modelled time
  Network,  ///< the first ones, as TensorRT does
};

/// A layer of a segment that the DLA's compiler cannot take, and why.
struct FrontEndRefusal {
  std::string layer;
  std::string reason;
  bool too_large = false;  ///< the whole does not fit the memory pools; a part of it may
};
/// What the compiler says of a segment: why it cannot compile it, or how long the loadable takes.
struct FrontEndAnswer {
  // NOLINTNEXTLINE(google-explicit-constructor): a refusal is an answer
  FrontEndAnswer(std::optional<FrontEndRefusal> why = std::nullopt) : refusal(std::move(why)) {}
  explicit FrontEndAnswer(double modelled) : seconds(modelled) {}

  std::optional<FrontEndRefusal> refusal;
  std::optional<double> seconds;  ///< modelled, on one core; without the segment's borders
};
/// Asks the compiler about a segment, as a graph of its own whose inputs and outputs have the types
/// and formats that they cross its border in.
using FrontEnd = std::function<FrontEndAnswer(const ir::Graph& segment)>;

/// What one network input or output may be: its type and the formats allowed.
struct EdgeFormat {
  ir::DataType type = ir::DataType::Float32;
  std::vector<ir::Format> formats = {ir::Format::Linear};
};

struct Options {
  const dla::Platform* platform = nullptr;  ///< needed when a layer wishes the DLA
  const dla::PowerMode* mode = nullptr;     ///< null: the platform's first one
  dla::Edition edition = dla::Edition::V10;

  ir::Device default_device = ir::Device::Gpu;
  /// By layer name, '*' standing for anything; a name without '*' wins over patterns, a longer
  /// pattern over a shorter one.
  std::map<std::string, ir::Device> layer_devices;
  bool gpu_fallback = false;
  /// No reformat at the network's edges: implied by a DLA without fallback.
  bool direct_io = false;
  /// One for all, or one each in network order; empty: Float32, linear.
  std::vector<EdgeFormat> input_formats, output_formats;

  SubgraphOrder order = SubgraphOrder::Benefit;
  std::optional<int> loadable_cap;  ///< fewer than the rules allow
  FrontEnd front_end;               ///< empty: every segment is taken to compile
};

/// Where a layer runs and what stood against the DLA.
struct LayerPlacement {
  std::string layer;
  std::string type;  ///< as TensorRT prints it: "CONVOLUTION"
  ir::Device wish = ir::Device::Gpu;
  ir::Device device = ir::Device::Gpu;
  int segment = -1;
  /// Rules broken (also risks, on the DLA too), and what placement itself decided: place.no-dla,
  /// place.compiler, place.combination, place.pool, place.cap.
  std::vector<ir::Finding> findings;
};

/// A tensor that crosses a segment's border, and how the DLA sees it there.
struct Crossing {
  std::string tensor;
  ir::DataType type = ir::DataType::Float16;
  ir::Format format = ir::Format::Chw16;
  int64_t bytes = 0;  ///< of its elements
};

/// A run of layers that becomes one loadable.
struct Segment {
  std::string name;  ///< "{ForeignNode[first...last]}"
  std::vector<std::string> layers;
  std::vector<Crossing> inputs, outputs;
  double border_seconds = 0;  ///< modelled: handing tensors over, changing formats on the way
  /// Modelled, borders included, by the clock on what the front end compiled; nothing where it was
  /// not asked.
  std::optional<double> dla_seconds;
  double gpu_seconds = 0;  ///< modelled, of the same layers on the GPU
};

struct Placement {
  std::vector<LayerPlacement> layers;  ///< in the graph's order
  std::vector<Segment> segments;
  std::vector<Segment> dropped;                 ///< segments past the cap, now on the GPU
  std::vector<std::string> unmatched_patterns;  ///< of layer_devices
  int candidates = 0;  ///< segments before the cap and the compiler took some away
};

/// Writes each layer's wish into Node::device. Comes before quant::assign, which needs it.
void choose_devices(ir::Graph& graph, const Options& options);

/// The patterns of layer_devices that match no layer.
std::vector<std::string> unmatched_patterns(const ir::Graph& graph, const Options& options);

/// Decides for every layer from its wish (Node::device) and its precision; sets Node::device and
/// Node::segment. What the DLA cannot take is on the GPU afterwards, whether that is allowed or
/// not.
Placement decide(ir::Graph& graph, const Options& options);

/// Throws an Error that lists every layer in the way when something that wishes the DLA cannot run
/// there and fallback is off, or when only the network's formats stand in the way.
void require_allowed(const ir::Graph& graph, const Placement& placement, const Options& options);

/// Both, one after the other.
Placement partition(ir::Graph& graph, const Options& options);

/// The warnings per layer and the two lists, in the words that people search logs for.
void log_placement(const Placement& placement);

}  // namespace dlaexec::place

DLAEXEC_ENUM_TEXT(dlaexec::place::SubgraphOrder, "benefit", "network");
