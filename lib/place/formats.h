// The formats in which tensors enter and leave DLA segments.
#pragma once

#include "place/placement.h"

namespace dlaexec::place {

/// The user's wish for the network input or output at @p position: one for all, or one each; null
/// when there is none.
const EdgeFormat* wish_at(const std::vector<EdgeFormat>& wishes, size_t position);

/// "fp16:chw16+dla_linear", as --inputIOFormats takes it.
std::string flag_text(const EdgeFormat& edge);

/// How @p tensor enters (Segment::inputs) or leaves (Segment::outputs) the segments; null when it
/// does not.
const Crossing* crossing_of(const std::vector<Segment>& segments,
                            std::vector<Crossing> Segment::*side, const std::string& tensor);

/// Who makes and who uses each value: worked out once for all segments of a graph.
struct Links {
  explicit Links(const ir::Graph& graph);
  std::vector<int> made_by;
  std::vector<std::vector<int>> used_by;
};

/// Fills the crossings of a segment made of @p nodes: FP16 as CHW16, INT8 as CHW32, a picture of up
/// to 4 channels that goes into a convolution as HWC4; at the network's edges one of the formats
/// that the user allows, where the DLA has it.
void choose_formats(const ir::Graph& graph, const Links& links, const std::vector<int>& nodes,
                    const Options& options, Segment& segment);

/// Throws the Error that names the flags to add when network inputs or outputs of segments are not
/// of a type and format that the DLA has: without fallback nobody can convert them.
void require_direct_edges(const ir::Graph& graph, const Placement& placement,
                          const Options& options);

}  // namespace dlaexec::place
