#include "quant/precision.h"

#include <algorithm>

#include "base/wildcard.h"
#include "quant/ranges.h"

namespace dlaexec::quant {
namespace {

using namespace ir;

constexpr std::string_view kBetweenQdq =
    "the network's own Q/DQ layers round its numbers to INT8, and FP16 would round them first";

constexpr std::string_view kHoldsIntegers = "it holds integers that its operator computes with";

struct Choice {
  DataType precision = DataType::Float32;
  std::string reason;    ///< why it is not the first in line; empty: it is
  bool for_qdq = false;  ///< the network's own Q/DQ layers are that reason
};

/// Sigmoid, TanH and LRN: INT8 was asked for, the DLA computes FP16.
bool dla_computes_in_fp16(const Node& node) {
  if (node.op == Op::Lrn) return true;
  if (node.op != Op::Activation) return false;
  const ActivationKind kind = node.get<ActivationAttributes>().kind;
  return kind == ActivationKind::Sigmoid || kind == ActivationKind::Tanh;
}

/// Layers that the fallback engine computes in INT8.
bool gpu_takes_int8(const Node& node) {
  switch (node.op) {
    case Op::Conv:
    case Op::Deconv:
    case Op::Gemm:
    case Op::MatMul:
    case Op::Pool:
    case Op::Activation:
    case Op::PRelu:
    case Op::Scale:
    case Op::BatchNorm:
    case Op::Concat:
    case Op::Resize:
      return true;
    case Op::Elementwise: {
      const ElementwiseKind kind = node.get<ElementwiseAttributes>().kind;
      return kind == ElementwiseKind::Sum || kind == ElementwiseKind::Sub ||
             kind == ElementwiseKind::Prod || kind == ElementwiseKind::Min ||
             kind == ElementwiseKind::Max;
    }
    default:
      return only_moves_values(node);
  }
}

/// For each value: whether a DQ layer makes it of computed integers, or a Q layer reads it.
std::vector<char> between_qdq(const Graph& graph) {
  std::vector<char> between(graph.values.size(), 0);
  for (const Node& node : graph.nodes) {
    if (node.op != Op::Quantize && node.op != Op::Dequantize) continue;
    if (graph.value(node.inputs[0]).constant) continue;
    const ValueId real = node.op == Op::Quantize ? node.inputs[0] : node.outputs[0];
    between[static_cast<size_t>(real)] = 1;
  }
  return between;
}

std::string_view flag_of(DataType precision) {
  return precision == DataType::Int8 ? "--int8" : "--fp16";
}

/// Decides layer by layer, in the graph's order: layers that only move values follow the layer
/// before them.
class Assigner {
 public:
  Assigner(Graph& graph, const Options& options, Report& report)
      : graph_(graph),
        options_(options),
        report_(report),
        made_by_(producers(graph)),
        between_qdq_(options.int8 ? std::vector<char>(graph.values.size(), 0)
                                  : between_qdq(graph)) {
    fp16_ = options.fp16 || (options.dla && !options.int8);
    constraints_ = options.constraints;
    if (options.dla && constraints_ == Constraints::None) constraints_ = Constraints::Prefer;
  }

  void run() {
    std::map<std::string, bool> matched;
    for (const auto& entry : options_.layer_precisions) matched[entry.first] = false;
    for (Node& node : graph_.nodes) {
      const auto* asked = entry_for(options_.layer_precisions, node.name);
      if (asked) matched[asked->first] = true;
      for (const std::string& layer :
           node.origins)  // names of what was folded into it are known, too
        if (const auto* named = entry_for(options_.layer_precisions, layer))
          matched[named->first] = true;
      if (!has_precision(graph_, node)) continue;
      const bool binds = asked && constraints_ != Constraints::None;
      const Choice choice = binds ? as_asked(node, asked->second) : as_allowed(node);
      node.precision = choice.precision;
      if (choice.for_qdq && fp16_) ++report_.between_qdq;
      if (!choice.reason.empty())
        note(node, binds ? asked->second : first_in_line(), choice.reason);
    }
    for (const auto& [pattern, was_matched] : matched)
      if (!was_matched) report_.unmatched_patterns.push_back(pattern);
  }

 private:
  void note(const Node& node, DataType wanted, std::string reason) {
    if (wanted != node.precision)
      report_.notes.push_back({node.name, wanted, *node.precision, std::move(reason)});
  }

  DataType first_in_line() const {
    if (options_.int8) return DataType::Int8;
    return fp16_ ? DataType::Float16 : DataType::Float32;
  }

  /// The first tensor of the layer without a scale.
  const Value* without_scale(const Node& node) const {
    const auto lacks = [&](ValueId id) {
      return id != kNoValue && takes_range(graph_.value(id)) &&
             !graph_.value(id).quantization.is_known();
    };
    for (const auto* list : {&node.inputs, &node.outputs})
      for (const ValueId id : *list)
        if (lacks(id)) return &graph_.value(id);
    return nullptr;
  }

  /// Refused by a rule other than those that sharing ranges will satisfy.
  bool dla_takes(const Node& node, DataType precision) const {
    dla::Target target = *options_.dla;
    target.precision = precision;
    const std::vector<Finding> findings = dla::check(graph_, node, target);
    return std::none_of(findings.begin(), findings.end(), [](const Finding& finding) {
      return finding.effect == Effect::Refuses && !finding.rule.ends_with(".scale");
    });
  }

  std::string missing_scale(const Node& node) const {
    const Value* missing = without_scale(node);
    return missing ? format("the scale of tensor '{}' is not known", missing->name) : "";
  }

  /// Why the layer's numbers rule INT8 out; empty when they do not.
  std::string unfit_for_int8(const Node& node) const {
    const auto lifted = options_.lifted.find(node.name);
    return lifted != options_.lifted.end() ? lifted->second : missing_scale(node);
  }

  /// Whether the model's own operator, which computes in integers, is made of this layer: the
  /// import gave it its precision.
  static bool holds_integers(const Node& node) { return node.precision == DataType::Float32; }

  /// Whether the network's own Q/DQ layers round what the layer reads or makes to INT8: a rounding
  /// to FP16 on the way would decide many of theirs.
  bool is_between_qdq(const Node& node) const {
    const auto is_marked = [&](ValueId id) {
      return id != kNoValue && between_qdq_[static_cast<size_t>(id)] != 0;
    };
    return std::any_of(node.inputs.begin(), node.inputs.end(), is_marked) ||
           std::any_of(node.outputs.begin(), node.outputs.end(), is_marked);
  }

  Choice as_allowed(const Node& node) const {
    if (holds_integers(node)) return {DataType::Float32, std::string(kHoldsIntegers)};
    if (is_between_qdq(node)) return {DataType::Float32, std::string(kBetweenQdq), true};
    if (options_.dla && node.device == Device::Dla)
      if (const std::optional<Choice> choice = on_dla(node)) return *choice;
    return on_gpu(node);
  }

  /// What the layer would compute in on the DLA; nothing when it cannot run there.
  std::optional<Choice> on_dla(const Node& node) const {
    std::string why;
    if (options_.int8) {
      why = unfit_for_int8(node);
      if (why.empty() && dla_takes(node, DataType::Int8)) {
        if (!dla_computes_in_fp16(node)) return Choice{DataType::Int8, ""};
        return Choice{DataType::Float16, "the DLA computes this layer in FP16"};
      }
      if (why.empty()) why = "the DLA does not take this layer in INT8";
    }
    if (fp16_ && dla_takes(node, DataType::Float16)) return Choice{DataType::Float16, why};
    return std::nullopt;
  }

  Choice on_gpu(const Node& node) const {
    if (only_moves_values(node)) {
      const int before = made_by_[static_cast<size_t>(node.inputs[0])];
      if (before >= 0) {
        const auto& precision = graph_.nodes[static_cast<size_t>(before)].precision;
        if (precision) return {*precision, ""};
      }
    }
    std::string why;
    if (options_.int8) {
      why = unfit_for_int8(node);
      if (why.empty() && gpu_takes_int8(node)) return {DataType::Int8, ""};
      if (why.empty()) why = "this layer has no INT8 form";
    }
    return {fp16_ ? DataType::Float16 : DataType::Float32, why};
  }

  /// The user's precision if it can be had; Obey ends the build where it cannot.
  Choice as_asked(const Node& node, DataType asked) const {
    std::string why;
    if (asked == DataType::Float32) return {asked, ""};
    const bool allowed = asked == DataType::Int8 ? options_.int8 : fp16_;
    if (asked != DataType::Int8 && asked != DataType::Float16)
      why = format("{} is not a precision of layers; fp32, fp16 and int8 are", text(asked));
    else if (holds_integers(node))
      why = kHoldsIntegers;
    else if (!allowed)
      why = format("{} is not given", flag_of(asked));
    else if (asked == DataType::Int8)
      why = missing_scale(node);
    if (why.empty()) return {asked, ""};
    if (constraints_ == Constraints::Obey)
      fail(
          "layer '{}' cannot compute in {} as --layerPrecisions asks: {}; with "
          "--precisionConstraints=prefer it would take another precision",
          node.name, text(asked), why);
    return {as_allowed(node).precision, why};
  }

  Graph& graph_;
  const Options& options_;
  Report& report_;
  std::vector<int> made_by_;
  std::vector<char> between_qdq_;  ///< of each value
  bool fp16_ = false;
  Constraints constraints_ = Constraints::None;
};

}  // namespace

bool has_precision(const Graph& graph, const Node& node) {
  switch (node.op) {
    case Op::Cast:
    case Op::Quantize:
    case Op::Dequantize:
    case Op::If:
    case Op::Loop:
    case Op::Scan:
    case Op::ConstantOfShape:
    case Op::Range:
      return false;
    default:
      break;
  }
  const auto makes_floats = [&](const std::vector<ValueId>& ids) {
    return !ids.empty() && ids[0] != kNoValue && takes_range(graph.value(ids[0]));
  };
  return makes_floats(node.outputs) || (node.op == Op::Elementwise && makes_floats(node.inputs));
}

void assign_precisions(Graph& graph, const Options& options, Report& report) {
  Assigner(graph, options, report).run();
}

void lift_wide_resizes(Graph& graph, Report& report) {
  for (Node& node : graph.nodes) {
    if (node.op != Op::Resize || node.device != Device::Dla) continue;
    if (node.precision != DataType::Int8) continue;
    if (node.get<ResizeAttributes>().mode != ResizeMode::Linear) continue;
    const float in = graph.value(node.inputs[0]).quantization.scales[0];
    const float out = graph.value(node.outputs[0]).quantization.scales[0];
    if (in <= out) continue;
    node.precision = DataType::Float16;
    report.notes.push_back({node.name, DataType::Int8, DataType::Float16,
                            "the DLA resizes in FP16 when the input's range is wider than the "
                            "output's"});
  }
}

}  // namespace dlaexec::quant
