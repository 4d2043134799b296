// Where every layer runs, why not on the DLA, and what would put it there: data for --explain.
#pragma once

#include <string>
#include <vector>

#include "place/placement.h"

namespace dlaexec::place {

/// A change that would put a layer on the DLA, or make its place there safer.
struct Advice {
  std::string id;               ///< of the rewrite, or of the rule that it answers
  std::string text;             ///< what to do, in one sentence
  bool keeps_function = false;  ///< adjust_for_dla can do it, the outputs staying the same
  /// GPU time that the network would need less once the layer is on the DLA, modelled roughly; 0
  /// when that gains nothing.
  double gain_seconds = 0;
};

struct LayerExplanation {
  std::string layer, type;
  ir::Device wish = ir::Device::Gpu, device = ir::Device::Gpu;
  std::optional<ir::DataType> precision;
  std::string segment;  ///< the name of its segment; empty on the GPU
  std::vector<ir::Finding> findings;
  std::vector<Advice> advice;
};

struct Explanation {
  std::vector<LayerExplanation> layers;  ///< in the graph's order
  std::vector<Segment> segments;
  std::vector<std::string> notes;    ///< about the network as a whole
  std::string dla_error, gpu_error;  ///< how far off modelled times are: "+-7 %"
};

/// Explains the @p placement of @p graph, which decide() made with @p options.
Explanation explain(const ir::Graph& graph, const Placement& placement, const Options& options);

/// For people: a line per layer, what is against it and what to do below; then segments and notes.
std::string explanation_text(const Explanation& explanation);
/// The same for programs, schema "dlaexec.explain/1".
std::string explanation_json(const Explanation& explanation);

}  // namespace dlaexec::place
