#include "quant/explicit.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "ir/infer.h"
#include "quant/ranges.h"

namespace dlaexec::quant {
namespace {

using namespace ir;

constexpr float kLargest = 127;

/// The constants of a Q or DQ layer.
struct Scheme {
  std::vector<float> scales;
  std::vector<int64_t> zero_points;  ///< as many as scales
  int64_t axis = 0;
  DataType stored = DataType::Int8;

  bool is_symmetric() const {
    return stored == DataType::Int8 && std::all_of(zero_points.begin(), zero_points.end(),
                                                   [](int64_t zero) { return zero == 0; });
  }
};

/// Values that operators computing in integers read: what makes them stays.
std::vector<char> read_as_integers(const Graph& graph) {
  std::vector<char> read(graph.values.size(), 0);
  for (size_t i = graph.nodes.size(); i-- > 0;) {
    const Node& node = graph.nodes[i];
    const bool reads = node.op == Op::Dequantize || node.op == Op::Cast;
    const bool hands_on =
        only_moves_values(node) && read[static_cast<size_t>(node.outputs[0])] != 0;
    if ((reads && node.precision) || hands_on) read[static_cast<size_t>(node.inputs[0])] = 1;
  }
  return read;
}

/// What the integers are: the zero point says so, else the constant that is dequantized.
DataType stored_type(const Graph& graph, const Node& node) {
  if (const Tensor* zero = graph.constant(node, 2)) return zero->type();
  if (const Tensor* stored = graph.constant(node, 0)) return stored->type();
  return node.op == Op::Quantize ? graph.value(node.outputs[0]).type : DataType::Int8;
}

/// Nothing when a scale or zero point is not constant, or they go by blocks.
std::optional<Scheme> scheme_of(const Graph& graph, const Node& node) {
  const auto& attributes = node.get<QuantizeAttributes>();
  const Tensor* scale = graph.constant(node, 1);
  const ValueId zero_id = Graph::input(node, 2);
  const Tensor* zero = graph.constant(node, 2);
  if (!scale || attributes.block > 0 || (zero_id != kNoValue && !zero)) return std::nullopt;
  Scheme scheme;
  scheme.scales = scale->to_floats();
  scheme.axis = attributes.axis;
  scheme.zero_points = zero ? zero->to_ints() : std::vector<int64_t>(scheme.scales.size(), 0);
  scheme.stored = stored_type(graph, node);
  return scheme.scales.size() == scheme.zero_points.size() ? std::optional(scheme) : std::nullopt;
}

/// The symmetric scale that covers every number the scheme can stand for.
float symmetric_scale(const Scheme& scheme) {
  if (scheme.is_symmetric()) return scheme.scales[0];
  const auto zero = static_cast<float>(scheme.zero_points[0]);
  const float low = scheme.stored == DataType::UInt8 ? 0 : -128,
              high = scheme.stored == DataType::UInt8 ? 255 : 127;
  return std::max(std::fabs(low - zero), std::fabs(high - zero)) * scheme.scales[0] / kLargest;
}

/// Whether the scheme has no number below zero, so that rounding to it does what a ReLU does.
bool cuts_below_zero(const Scheme& scheme) {
  return scheme.zero_points[0] == (scheme.stored == DataType::UInt8 ? 0 : -128);
}

/// Whether a layer's results are never below zero.
bool is_never_negative(const Node& node) {
  if (node.op != Op::Activation) return false;
  const auto& activation = node.get<ActivationAttributes>();
  return activation.kind == ActivationKind::Relu || activation.kind == ActivationKind::Sigmoid ||
         activation.kind == ActivationKind::HardSigmoid ||
         (activation.kind == ActivationKind::Clip && activation.alpha >= 0);
}

/// The real numbers that quantized elements stand for.
Tensor real_numbers(const Tensor& stored, const Scheme& scheme) {
  const std::vector<int64_t> elements = stored.to_ints();
  int64_t inner = 1;
  for (int64_t i = scheme.axis + 1; i < stored.rank(); ++i)
    inner *= stored.dims()[static_cast<size_t>(i)];
  Tensor real(DataType::Float32, stored.dims());
  for (size_t i = 0; i < elements.size(); ++i) {
    const size_t channel =
        scheme.scales.size() == 1
            ? 0
            : static_cast<size_t>(static_cast<int64_t>(i) / inner) % scheme.scales.size();
    real.mutable_as<float>()[i] =
        static_cast<float>(elements[i] - scheme.zero_points[channel]) * scheme.scales[channel];
  }
  return real;
}

class Remover {
 public:
  explicit Remover(Graph& graph)
      : graph_(graph),
        read_as_integers_(read_as_integers(graph)),
        stands_for_(graph.values.size()),
        was_quantized_(graph.values.size(), false),
        never_negative_(graph.values.size(), false) {
    for (size_t i = 0; i < stands_for_.size(); ++i) stands_for_[i] = static_cast<ValueId>(i);
  }

  Translation run() {
    std::vector<Node> kept;
    for (Node& node : graph_.nodes) {
      for (ValueId& id : node.inputs)
        if (id != kNoValue) id = stands_for_[static_cast<size_t>(id)];
      if (becomes_relu(node)) ++translation_.removed;
      const bool is_qdq = node.op == Op::Quantize || node.op == Op::Dequantize;
      if (is_qdq && remove(node)) {
        ++translation_.removed;
        continue;
      }
      if (is_qdq) translation_.kept.push_back(node.name);
      if (only_moves_values(node) && was_quantized_[static_cast<size_t>(node.inputs[0])])
        for (const ValueId id : node.outputs)
          if (id != kNoValue) was_quantized_[static_cast<size_t>(id)] = true;
      if (is_never_negative(node)) never_negative_[static_cast<size_t>(node.outputs[0])] = true;
      kept.push_back(std::move(node));
    }
    graph_.nodes = std::move(kept);
    if (translation_.removed == 0) return translation_;
    infer(graph_);
    remove_unused(graph_);
    return translation_;
  }

 private:
  /// True if the layer is no longer needed.
  bool remove(const Node& node) {
    const bool feeds_integers = read_as_integers_[static_cast<size_t>(node.outputs[0])] != 0;
    if (node.precision || feeds_integers) return false;  // of an operator that computes in integers
    const std::optional<Scheme> scheme = scheme_of(graph_, node);
    if (!scheme || graph_.is_output(node.outputs[0])) return false;
    if (const Tensor* stored = graph_.constant(node, 0))
      return node.op == Op::Dequantize && replace_constant(node, *stored, *scheme);
    if (scheme->scales.size() != 1) return false;
    // A DQ of integers that come from outside, or that a kept Q made, has no real tensor to stand
    // for.
    const ValueId input = node.inputs[0];
    if (node.op == Op::Dequantize && !was_quantized_[static_cast<size_t>(input)]) return false;
    Value& real = graph_.value(input);
    const float scale = symmetric_scale(*scheme);
    if (!scheme->is_symmetric()) note_asymmetric(real.name);
    if (!real.quantization.is_known() || real.quantization.scales[0] < scale)
      real.quantization = {{scale}, 0};
    if (!was_quantized_[static_cast<size_t>(input)]) translation_.rounded.push_back(real.name);
    was_quantized_[static_cast<size_t>(input)] = true;
    stands_for_[static_cast<size_t>(node.outputs[0])] = input;
    return true;
  }

  /// A symmetric range holds numbers below zero, which a layer without them cut off: it becomes the
  /// ReLU that it was.
  bool becomes_relu(Node& node) {
    if (node.op != Op::Quantize || node.precision || graph_.constant(node, 0)) return false;
    const std::optional<Scheme> scheme = scheme_of(graph_, node);
    const bool is_one_scale = scheme && scheme->scales.size() == 1;
    if (!is_one_scale || !cuts_below_zero(*scheme)) return false;
    const ValueId input = node.inputs[0], output = node.outputs[0];
    if (never_negative_[static_cast<size_t>(input)] || graph_.is_output(output) ||
        read_as_integers_[static_cast<size_t>(output)])
      return false;
    note_asymmetric(graph_.value(output).name);
    node.op = Op::Activation;
    node.attributes = ActivationAttributes{};
    node.inputs = {input};
    Value& real = graph_.value(output);
    real.type = graph_.value(input).type;
    real.quantization = {{symmetric_scale(*scheme)}, 0};
    translation_.rounded.push_back(real.name);
    was_quantized_[static_cast<size_t>(output)] = true;
    return true;
  }

  bool replace_constant(const Node& node, const Tensor& stored, const Scheme& scheme) {
    const bool as_int8 = scheme.is_symmetric() && stored.type() == DataType::Int8;
    const ValueId made = graph_.add_constant(graph_.value(node.outputs[0]).name + "_real",
                                             as_int8 ? stored : real_numbers(stored, scheme));
    if (as_int8) graph_.value(made).quantization = {scheme.scales, scheme.axis};
    stands_for_.push_back(made);
    was_quantized_.push_back(false);
    never_negative_.push_back(false);
    stands_for_[static_cast<size_t>(node.outputs[0])] = made;
    return true;
  }

  void note_asymmetric(const std::string& name) {
    auto& list = translation_.made_symmetric;
    if (std::find(list.begin(), list.end(), name) == list.end()) list.push_back(name);
  }

  Graph& graph_;
  std::vector<char> read_as_integers_;  ///< for each value of the model
  std::vector<ValueId> stands_for_;     ///< for each value, the one that takes its place
  std::vector<bool> was_quantized_;     ///< integers in the model, real from here on
  std::vector<bool> never_negative_;    ///< results that no ReLU would change
  Translation translation_;
};

/// Layers whose output range may be written before them without loss: what they cut off or move
/// needs no room of its own.
bool hands_scale_back(const Node& node) {
  if (node.op == Op::Activation) {
    const ActivationKind kind = node.get<ActivationAttributes>().kind;
    return kind == ActivationKind::Relu || kind == ActivationKind::Clip;
  }
  return node.op == Op::Concat || only_moves_values(node);
}

enum class Bound { None, Largest, Sum };

/// How the range of a layer's results follows from those of its inputs.
Bound bound_of(const Node& node) {
  switch (node.op) {
    case Op::Pool:
    case Op::Concat:
    case Op::Resize:
      return Bound::Largest;
    case Op::Reduce: {
      const ReduceKind kind = node.get<ReduceAttributes>().kind;
      const bool within =
          kind == ReduceKind::Mean || kind == ReduceKind::Max || kind == ReduceKind::Min;
      return within ? Bound::Largest : Bound::None;
    }
    case Op::Elementwise: {
      const ElementwiseKind kind = node.get<ElementwiseAttributes>().kind;
      if (kind == ElementwiseKind::Sum || kind == ElementwiseKind::Sub) return Bound::Sum;
      const bool within = kind == ElementwiseKind::Max || kind == ElementwiseKind::Min;
      return within ? Bound::Largest : Bound::None;
    }
    case Op::Activation: {
      const ActivationKind kind = node.get<ActivationAttributes>().kind;
      const bool within = kind == ActivationKind::Relu || kind == ActivationKind::Clip;
      return within ? Bound::Largest : Bound::None;
    }
    default:
      return only_moves_values(node) ? Bound::Largest : Bound::None;
  }
}

/// The scale that a layer's results need, when all of its inputs have one.
std::optional<float> scale_behind(const Graph& graph, const Node& node) {
  const Bound bound = bound_of(node);
  float scale = 0;
  for (const ValueId id : node.inputs) {
    if (bound == Bound::None) break;
    if (id == kNoValue || !is_float(graph.value(id).type)) continue;
    const Value& value = graph.value(id);
    if (value.quantization.scales.size() != 1) return std::nullopt;
    const float here = value.quantization.scales[0];
    scale = bound == Bound::Sum ? scale + here : std::max(scale, here);
  }
  return scale > 0 ? std::optional(scale) : std::nullopt;
}

}  // namespace

Translation remove_explicit(Graph& graph) { return Remover(graph).run(); }

std::vector<std::string> derive_scales(Graph& graph) {
  std::vector<std::string> derived;
  const std::vector<std::vector<int>> used_by = uses(graph);
  for (size_t i = graph.nodes.size(); i-- > 0;) {
    const Node& node = graph.nodes[i];
    if (!hands_scale_back(node) || node.outputs.size() != 1) continue;
    const Quantization behind = graph.value(node.outputs[0]).quantization;
    const size_t count = node.op == Op::Concat ? node.inputs.size() : 1;
    for (size_t input = 0; input < count && behind.is_known(); ++input) {
      const ValueId id = node.inputs[input];
      Value& before = graph.value(id);
      const bool alone = used_by[static_cast<size_t>(id)].size() == 1 && !graph.is_output(id);
      if (!alone || before.quantization.is_known() || !takes_range(before)) continue;
      before.quantization = behind;
      derived.push_back(before.name);
    }
  }
  return derived;
}

std::vector<std::string> derive_near_scales(Graph& graph) {
  std::vector<std::string> derived;
  const auto give = [&](ValueId id, float scale) {
    Value& value = graph.value(id);
    if (value.quantization.is_known() || !takes_range(value)) return;
    value.quantization.scales = {scale};
    derived.push_back(value.name);
  };
  for (const Node& node : graph.nodes)
    if (const std::optional<float> scale = scale_behind(graph, node))
      for (const ValueId id : node.outputs)
        if (id != kNoValue) give(id, *scale);
  for (size_t i = graph.nodes.size(); i-- > 0;) {
    const Node& node = graph.nodes[i];
    if (node.op != Op::Concat) continue;
    const Quantization& joined = graph.value(node.outputs[0]).quantization;
    for (const ValueId id : node.inputs)
      if (joined.is_known()) give(id, joined.scales[0]);
  }
  return derived;
}

}  // namespace dlaexec::quant
