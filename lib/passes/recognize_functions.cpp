// Functions that exporters spell out node by node (SiLU, HardSwish, Mish, GELU, layer norm) become
// the one node that they mean, where they run on one device and not on a DLA core, which has no
// such step.
#include <algorithm>
#include <cmath>
#include <optional>

#include "passes/epilogue.h"
#include "passes/passes.h"
#include "passes/rewrite.h"

namespace dlaexec::passes {
namespace {

/// The graph seen backwards from one node, the end of what might be a known function.
class Spelling {
 public:
  Spelling(ir::Graph& graph, int last)
      : graph_(graph), made_by_(ir::producers(graph)), uses_(count_uses(graph)), last_(last) {}

  const ir::Node& last() const { return graph_.nodes[static_cast<size_t>(last_)]; }

  /// The node that makes @p value, if it is an @p op that runs where the last node does and each of
  /// its results' @p users takes part; it counts as read.
  const ir::Node* read(ir::ValueId value, ir::Op op, int users = 1) {
    if (value == ir::kNoValue || uses_[static_cast<size_t>(value)] != users) return nullptr;
    const int index = made_by_[static_cast<size_t>(value)];
    if (index < 0) return nullptr;
    const ir::Node& node = graph_.nodes[static_cast<size_t>(index)];
    if (node.op != op || node.outputs.size() != 1 || !run_together(node, last())) return nullptr;
    read_.push_back(index);
    return &node;
  }

  /// The same for an elementwise node of one kind without an activation.
  const ir::Node* read(ir::ValueId value, ir::ElementwiseKind kind, int users = 1) {
    const ir::Node* node = read(value, ir::Op::Elementwise, users);
    return node != nullptr && is(*node, kind) ? node : nullptr;
  }

  static bool is(const ir::Node& node, ir::ElementwiseKind kind) {
    if (node.op != ir::Op::Elementwise) return false;
    const auto& attributes = node.get<ir::ElementwiseAttributes>();
    return attributes.kind == kind && attributes.activation == ir::ActivationKind::None;
  }

  /// The only element of a constant.
  std::optional<float> number(ir::ValueId value) const {
    const auto& constant = graph_.value(value).constant;
    if (!constant || constant->count() != 1) return std::nullopt;
    return constant->to_floats()[0];
  }
  bool is_number(ir::ValueId value, double wanted) const {
    const std::optional<float> found = number(value);
    return found && std::abs(*found - wanted) <= 1e-4 * std::abs(wanted);
  }

  size_t mark() const { return read_.size(); }
  void forget_since(size_t mark) { read_.resize(mark); }

  /// Puts @p made into the last node's place, with the origins and names of all that was read.
  void replace(ir::Node made) {
    std::sort(read_.begin(), read_.end());
    read_.erase(std::unique(read_.begin(), read_.end()), read_.end());
    ir::Node& place = graph_.nodes[static_cast<size_t>(last_)];
    made.device = place.device;
    made.segment = place.segment;
    made.precision = place.precision;
    made.outputs = place.outputs;
    made.origins.clear();
    made.name.clear();
    for (const int index : read_) {
      add_origins(made, graph_.nodes[static_cast<size_t>(index)]);
      made.name += graph_.nodes[static_cast<size_t>(index)].name + " + ";
    }
    add_origins(made, place);
    made.name += place.name;
    place = std::move(made);
    erase_nodes(graph_, read_);
  }

  ir::Graph& graph() { return graph_; }

 private:
  ir::Graph& graph_;
  std::vector<int> made_by_, uses_;
  int last_;
  std::vector<int> read_;
};

/// What is multiplied in a tree of products.
void collect_factors(Spelling& spelling, const ir::Node& product,
                     std::vector<ir::ValueId>& factors) {
  for (const ir::ValueId input : product.inputs) {
    const size_t mark = spelling.mark();
    if (const ir::Node* inner = spelling.read(input, ir::ElementwiseKind::Prod)) {
      collect_factors(spelling, *inner, factors);
    } else {
      spelling.forget_since(mark);
      factors.push_back(input);
    }
  }
}

ir::Node activation_of(ir::ValueId input, ir::ActivationKind kind, float alpha) {
  ir::Node made;
  made.op = ir::Op::Activation;
  made.inputs = {input};
  made.attributes = ir::ActivationAttributes{kind, alpha, 0};
  return made;
}

/// x * gate(x), where the gate is one that a single activation stands for.
std::optional<ir::Node> read_gate(Spelling& spelling, ir::ValueId x, ir::ValueId gate) {
  const ir::Node* node = spelling.read(gate, ir::Op::Activation);
  if (node == nullptr) return std::nullopt;
  const auto& outer = node->get<ir::ActivationAttributes>();
  if (outer.kind == ir::ActivationKind::Tanh) {
    const ir::Node* inner = spelling.read(node->inputs[0], ir::Op::Activation);
    if (inner == nullptr || inner->inputs[0] != x ||
        inner->get<ir::ActivationAttributes>().kind != ir::ActivationKind::Softplus)
      return std::nullopt;
    return activation_of(x, ir::ActivationKind::Mish, 0);
  }
  if (node->inputs[0] != x) return std::nullopt;
  if (outer.kind == ir::ActivationKind::Sigmoid)
    return activation_of(x, ir::ActivationKind::Silu, 1);
  const bool is_hard = outer.kind == ir::ActivationKind::HardSigmoid &&
                       std::abs(outer.alpha - 1.0f / 6) < 1e-5f && outer.beta == 0.5f;
  if (is_hard) return activation_of(x, ir::ActivationKind::HardSwish, 0);
  return std::nullopt;
}

bool recognize_gate(Spelling& spelling) {
  const ir::Node& product = spelling.last();
  for (const size_t x : {0u, 1u}) {
    const size_t mark = spelling.mark();
    std::optional<ir::Node> made = read_gate(spelling, product.inputs[x], product.inputs[1 - x]);
    if (made) {
      spelling.replace(std::move(*made));
      return true;
    }
    spelling.forget_since(mark);
  }
  return false;
}

/// 1 + erf(x / sqrt(2)): what is x?
std::optional<ir::ValueId> read_normal_distribution(Spelling& spelling, ir::ValueId value) {
  const ir::Node* sum = spelling.read(value, ir::ElementwiseKind::Sum);
  if (sum == nullptr) return std::nullopt;
  const size_t one = spelling.is_number(sum->inputs[0], 1) ? 0 : 1;
  if (!spelling.is_number(sum->inputs[one], 1)) return std::nullopt;
  const ir::Node* erf = spelling.read(sum->inputs[1 - one], ir::Op::Unary);
  if (erf == nullptr || erf->get<ir::UnaryAttributes>().kind != ir::UnaryKind::Erf)
    return std::nullopt;
  const size_t mark = spelling.mark();
  if (const ir::Node* scaled = spelling.read(erf->inputs[0], ir::ElementwiseKind::Div)) {
    if (spelling.is_number(scaled->inputs[1], std::sqrt(2.0))) return scaled->inputs[0];
    return std::nullopt;
  }
  spelling.forget_since(mark);
  const ir::Node* scaled = spelling.read(erf->inputs[0], ir::ElementwiseKind::Prod);
  if (scaled == nullptr) return std::nullopt;
  for (const size_t factor : {0u, 1u})
    if (spelling.is_number(scaled->inputs[factor], std::sqrt(0.5)))
      return scaled->inputs[1 - factor];
  return std::nullopt;
}

/// 0.5 * x * (1 + erf(x / sqrt(2))) in any order.
bool recognize_gelu(Spelling& spelling) {
  std::vector<ir::ValueId> factors;
  collect_factors(spelling, spelling.last(), factors);
  if (factors.size() != 3) return false;
  const auto half = std::find_if(factors.begin(), factors.end(),
                                 [&](ir::ValueId value) { return spelling.is_number(value, 0.5); });
  if (half == factors.end()) return false;
  factors.erase(half);
  for (const size_t x : {0u, 1u}) {
    const size_t mark = spelling.mark();
    const std::optional<ir::ValueId> inner = read_normal_distribution(spelling, factors[1 - x]);
    if (inner == factors[x]) {
      spelling.replace(activation_of(factors[x], ir::ActivationKind::GeluErf, 0));
      return true;
    }
    spelling.forget_since(mark);
  }
  return false;
}

/// The mean over the last axis, kept as a dimension.
const ir::Node* read_mean(Spelling& spelling, ir::ValueId value) {
  const ir::Node* mean = spelling.read(value, ir::Op::Reduce);
  if (mean == nullptr || mean->inputs.size() != 1) return nullptr;
  const auto& attributes = mean->get<ir::ReduceAttributes>();
  const int64_t rank = std::ssize(spelling.graph().value(mean->inputs[0]).shape);
  const bool fits = attributes.kind == ir::ReduceKind::Mean && attributes.keep_dims &&
                    attributes.axes == ir::Ints{rank - 1};
  return fits ? mean : nullptr;
}

/// (x - mean) / sqrt(variance + epsilon): x and epsilon.
struct Normalized {
  ir::ValueId x;
  float epsilon;
};

std::optional<Normalized> read_normalized(Spelling& spelling, ir::ValueId value) {
  const ir::Node* quotient = spelling.read(value, ir::ElementwiseKind::Div);
  if (quotient == nullptr) return std::nullopt;
  const ir::ValueId centred = quotient->inputs[0];
  const ir::Node* root = spelling.read(quotient->inputs[1], ir::Op::Unary);
  if (root == nullptr || root->get<ir::UnaryAttributes>().kind != ir::UnaryKind::Sqrt)
    return std::nullopt;
  const ir::Node* sum = spelling.read(root->inputs[0], ir::ElementwiseKind::Sum);
  if (sum == nullptr || !spelling.number(sum->inputs[1])) return std::nullopt;
  const ir::Node* variance = read_mean(spelling, sum->inputs[0]);
  if (variance == nullptr) return std::nullopt;
  const ir::Node* square = spelling.read(variance->inputs[0], ir::ElementwiseKind::Pow);
  if (square == nullptr || square->inputs[0] != centred ||
      !spelling.is_number(square->inputs[1], 2))
    return std::nullopt;
  const ir::Node* difference = spelling.read(centred, ir::ElementwiseKind::Sub, 2);
  if (difference == nullptr) return std::nullopt;
  const ir::Node* mean = read_mean(spelling, difference->inputs[1]);
  if (mean == nullptr || mean->inputs[0] != difference->inputs[0]) return std::nullopt;
  return Normalized{mean->inputs[0], *spelling.number(sum->inputs[1])};
}

/// Whether @p value is a constant row like the last dimension of @p x.
bool is_row_of(Spelling& spelling, ir::ValueId value, ir::ValueId x) {
  const ir::Value& row = spelling.graph().value(value);
  return row.constant && row.shape.size() == 1 &&
         row.shape[0] == spelling.graph().value(x).shape.back();
}

/// normalized * weights + bias.
bool recognize_layer_norm(Spelling& spelling) {
  const ir::Node& sum = spelling.last();
  const ir::Node* product = spelling.read(sum.inputs[0], ir::ElementwiseKind::Prod);
  if (product == nullptr) return false;
  const std::optional<Normalized> normalized = read_normalized(spelling, product->inputs[0]);
  if (!normalized || !is_row_of(spelling, product->inputs[1], normalized->x) ||
      !is_row_of(spelling, sum.inputs[1], normalized->x))
    return false;
  ir::Node made;
  made.op = ir::Op::LayerNorm;
  made.inputs = {normalized->x, product->inputs[1], sum.inputs[1]};
  ir::NormAttributes attributes;
  attributes.axis = std::ssize(spelling.graph().value(normalized->x).shape) - 1;
  attributes.epsilon = normalized->epsilon;
  made.attributes = attributes;
  spelling.replace(std::move(made));
  return true;
}

bool recognize_at(ir::Graph& graph, int index) {
  const ir::Node& node = graph.nodes[static_cast<size_t>(index)];
  if (node.device == ir::Device::Dla) return false;
  if (Spelling::is(node, ir::ElementwiseKind::Prod)) {
    Spelling gate(graph, index);
    if (recognize_gate(gate)) return true;
    Spelling gelu(graph, index);
    return recognize_gelu(gelu);
  }
  if (!Spelling::is(node, ir::ElementwiseKind::Sum)) return false;
  Spelling norm(graph, index);
  return recognize_layer_norm(norm);
}

}  // namespace

bool recognize_functions(ir::Graph& graph) {
  bool changed = false;
  // From the end, so that indices of nodes yet to be looked at hold when others are erased.
  for (int i = static_cast<int>(graph.nodes.size()) - 1; i >= 0; --i) {
    i = std::min(i, static_cast<int>(graph.nodes.size()) - 1);
    changed |= recognize_at(graph, i);
  }
  return changed;
}

}  // namespace dlaexec::passes
