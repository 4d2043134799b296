// Losses: found at the end of networks that were exported from training code.
#include <algorithm>

#include "onnx/operators.h"

namespace dlaexec::onnx {
namespace {

/// -weight[target] * log_probability[target], reduced as the attributes say.
ValueId log_likelihood_loss(Node& node, ValueId log_probabilities, ValueId target,
                            ValueId class_weights) {
  const int64_t rank = node.rank(log_probabilities);
  if (rank < 2 || node.rank(target) != rank - 1)
    fail("scores of {} and targets of {} dimensions do not fit", rank, node.rank(target));
  const std::string reduction = node.text("reduction", "mean");
  if (reduction != "none" && reduction != "sum" && reduction != "mean")
    fail("reduction is '{}'; none, sum and mean are allowed", reduction);
  const bool ignores = node.has_attribute("ignore_index");
  ValueId index = target;
  ValueId ignored = kNoValue;
  if (ignores) {
    const ValueId what = node.number(static_cast<double>(node.integer("ignore_index", 0)), target);
    ignored = node.binary(ElementwiseKind::Equal, target, what);
    index = node.add(Op::Where, {ignored, node.number(0, target), target});
  }
  const ValueId picked =
      node.squeeze(node.add(Op::GatherElements, {log_probabilities, node.unsqueeze(index, {1})},
                            ir::AxisAttributes{1}),
                   {1});
  ValueId loss = node.unary(UnaryKind::Neg, picked);
  ValueId weights = kNoValue;
  if (class_weights != kNoValue)
    weights = node.add(Op::Gather, {class_weights, index}, ir::AxisAttributes{0});
  if (ignores) {
    const ValueId one = weights == kNoValue ? node.number(1, loss) : weights;
    weights = node.add(Op::Where, {ignored, node.number(0, loss), one});
  }
  if (weights != kNoValue) loss = node.binary(ElementwiseKind::Prod, loss, weights);
  if (reduction == "none") return loss;
  ir::Ints axes;
  for (int64_t i = 0; i < rank - 1; ++i) axes.push_back(i);
  if (reduction == "mean" && weights == kNoValue)
    return node.reduce(ir::ReduceKind::Mean, loss, axes, false);
  const ValueId total = node.reduce(ir::ReduceKind::Sum, loss, axes, false);
  if (reduction == "sum") return total;
  return node.binary(ElementwiseKind::Div, total,
                     node.reduce(ir::ReduceKind::Sum, weights, axes, false));
}

}  // namespace

ValueIds negative_log_likelihood_loss(Node& node) {
  return {log_likelihood_loss(node, node.in(0), node.in(1), node.optional(2))};
}

ValueIds softmax_cross_entropy_loss(Node& node) {
  ir::SoftmaxAttributes attributes;
  attributes.kind = ir::SoftmaxKind::LogSoftmax;
  attributes.axis = 1;
  const ValueId log_probabilities = node.add(Op::Softmax, {node.in(0)}, attributes);
  return {log_likelihood_loss(node, log_probabilities, node.in(1), node.optional(2)),
          log_probabilities};
}

}  // namespace dlaexec::onnx
