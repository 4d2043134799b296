// Launches of nms.cu: the boxes of a detector that are kept.
#include <algorithm>
#include <limits>

#include "base/error.h"
#include "gpu/families.h"
#include "gpu/kernels/nms_params.h"

namespace dlaexec::gpu {
namespace {

/// What is asked of a node's boxes besides their overlap.
struct Wanted {
  int64_t most = 0;  ///< of a class of an image
  double overlap = 0;
  float score = -std::numeric_limits<float>::infinity();
};

const ir::Tensor* limit(const ir::Graph& graph, const ir::Node& node, size_t index) {
  return index < node.inputs.size() ? graph.constant(node, index) : nullptr;
}

Wanted wanted_of(const ir::Graph& graph, const ir::Node& node) {
  Wanted wanted;
  if (const ir::Tensor* most = limit(graph, node, 2))
    wanted.most = std::max<int64_t>(0, most->to_ints().at(0));
  if (const ir::Tensor* overlap = limit(graph, node, 3))
    wanted.overlap = overlap->to_floats().at(0);
  if (const ir::Tensor* score = limit(graph, node, 4)) wanted.score = score->to_floats().at(0);
  return wanted;
}

NmsParams parameters(const ir::Graph& graph, const ir::Node& node) {
  const ir::Dims scores = ir::dims_of(graph.value(node.inputs[1]).shape);
  const Wanted wanted = wanted_of(graph, node);
  NmsParams p{};
  p.overlap = wanted.overlap;
  p.score = wanted.score;
  p.candidates = static_cast<int>(scores[2]);
  p.classes = static_cast<int>(scores[1]);
  p.rows = static_cast<int>(scores[0] * scores[1]);
  p.most = static_cast<int>(std::min(wanted.most, scores[2]));
  return p;
}

}  // namespace

std::optional<std::string> why_not_nms(const ir::Graph& graph, const ir::Node& node,
                                       const Target&) {
  const ir::Value &boxes = graph.value(node.inputs[0]), &scores = graph.value(node.inputs[1]);
  for (const ir::Value* value : {&boxes, &scores})
    if (value->type != ir::DataType::Float32)
      return format("boxes and scores of type {}", ir::text(value->type));
  const bool fits = boxes.shape.size() == 3 && scores.shape.size() == 3 &&
                    boxes.shape[2].value == 4 && boxes.shape[0] == scores.shape[0] &&
                    boxes.shape[1] == scores.shape[2];
  if (!fits) return std::string("boxes and scores that do not fit");
  for (size_t i = 2; i < node.inputs.size(); ++i)
    if (node.inputs[i] != ir::kNoValue && !limit(graph, node, i))
      return std::string("limits that data decides");
  return std::nullopt;
}

ir::Dims most_of_nms(const ir::Graph& graph, const ir::Node& node) {
  const NmsParams p = parameters(graph, node);
  return {int64_t{p.rows} * p.most, 3};
}

void lower_nms(Lowering& lowering, const ir::Node& node) {
  const View boxes = lowering.dense(node.inputs[0]), scores = lowering.dense(node.inputs[1]);
  const View out = lowering.target_dense(node.outputs[0]);
  const NmsParams p = parameters(lowering.graph(), node);
  const int64_t kept = int64_t{p.rows} * p.most;
  const Place places = lowering.scratch(kept * static_cast<int64_t>(sizeof(int)));
  const Place frames = lowering.scratch(kept * static_cast<int64_t>(sizeof(Frame)));
  const Place counts = lowering.scratch(p.rows * static_cast<int64_t>(sizeof(int)));
  const bool centre = node.get<ir::NmsAttributes>().center_point_box;
  Step& best = lowering.add(node, "", {"nms.cu", format("best_boxes<{}>", centre)},
                            {{p.rows, 1, 1}, {kNmsThreads, 1, 1}}, p);
  patch(best, &NmsParams::boxes, boxes.place);
  patch(best, &NmsParams::scores, scores.place);
  patch(best, &NmsParams::kept, places);
  patch(best, &NmsParams::frames, frames);
  patch(best, &NmsParams::counts, counts);
  best.bytes = static_cast<double>(span_bytes(boxes) + span_bytes(scores));
  Step& list =
      lowering.add(node, "list", {"nms.cu", "list_boxes"}, {{p.rows, 1, 1}, {128, 1, 1}}, p);
  patch(list, &NmsParams::kept, places);
  patch(list, &NmsParams::counts, counts);
  patch(list, &NmsParams::out, out.place);
  patch(list, &NmsParams::count, lowering.count_target(node.outputs[0]));
}

}  // namespace dlaexec::gpu
