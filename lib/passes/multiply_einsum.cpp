// An einsum that is one matrix product becomes that product: all engines are fast at it.
#include <algorithm>

#include "ir/einsum.h"
#include "passes/passes.h"

namespace dlaexec::passes {
namespace {

/// The letters of a product of two tensors: those of both and the result, of one and the result,
/// and of both alone, which are summed.
struct Letters {
  std::string left, right, result;
  std::string batch, rows, columns, summed;
};

bool has(const std::string& term, char letter) { return term.find(letter) != std::string::npos; }

bool has_each_once(const std::string& term) {
  return std::all_of(term.begin(), term.end(), [&](char letter) {
    return letter != '.' && std::count(term.begin(), term.end(), letter) == 1;
  });
}

/// The letters of @p node; nothing when it is more than one product.
std::optional<Letters> letters_of(const ir::Node& node) {
  ir::EinsumTerms terms = ir::parse_einsum(node.get<ir::EinsumAttributes>().equation);
  if (terms.inputs.size() != 2 || node.inputs.size() != 2) return std::nullopt;
  Letters letters{terms.inputs[0], terms.inputs[1], terms.output, {}, {}, {}, {}};
  for (const std::string* term : {&letters.left, &letters.right, &letters.result})
    if (!has_each_once(*term)) return std::nullopt;
  for (const char letter : letters.left) {
    const bool right = has(letters.right, letter), result = has(letters.result, letter);
    if (!right && !result) return std::nullopt;  // a sum over one tensor alone
    (right && result ? letters.batch : result ? letters.rows : letters.summed) += letter;
  }
  for (const char letter : letters.right) {
    if (has(letters.left, letter)) continue;
    if (!has(letters.result, letter)) return std::nullopt;
    letters.columns += letter;
  }
  return letters;
}

/// The size of each of @p letters, which name the axes of @p dims as @p term does.
ir::Dims sizes(const std::string& letters, const std::string& term, const ir::Dims& dims) {
  ir::Dims found;
  for (const char letter : letters) found.push_back(dims[term.find(letter)]);
  return found;
}

/// Replaces one einsum by the nodes that compute it.
class Product {
 public:
  Product(ir::Graph& graph, const ir::Node& einsum) : graph_(graph), einsum_(einsum) {}

  std::vector<ir::Node> nodes(const Letters& letters) {
    const ir::Dims left = ir::dims_of(value(einsum_.inputs[0]).shape);
    const ir::Dims right = ir::dims_of(value(einsum_.inputs[1]).shape);
    const ir::Dims batch = sizes(letters.batch, letters.left, left);
    const ir::Dims rows = sizes(letters.rows, letters.left, left);
    const ir::Dims columns = sizes(letters.columns, letters.right, right);
    const int64_t b = ir::volume(batch), m = ir::volume(rows), n = ir::volume(columns);
    const int64_t k = ir::volume(sizes(letters.summed, letters.left, left));
    const auto matrix = [&](int64_t height, int64_t width) {
      return letters.batch.empty() ? ir::Dims{height, width} : ir::Dims{b, height, width};
    };
    const ir::ValueId x = arranged(einsum_.inputs[0], letters.left,
                                   letters.batch + letters.rows + letters.summed, matrix(m, k));
    const ir::ValueId w = arranged(einsum_.inputs[1], letters.right,
                                   letters.batch + letters.summed + letters.columns, matrix(k, n));
    const ir::ValueId product = add(ir::Op::MatMul, {x, w}, matrix(m, n));
    nodes_.back().name = einsum_.name;
    ir::Dims apart = batch;
    apart.insert(apart.end(), rows.begin(), rows.end());
    apart.insert(apart.end(), columns.begin(), columns.end());
    const std::string order = letters.batch + letters.rows + letters.columns;
    transposed(reshaped(product, apart), order, letters.result);
    nodes_.back().outputs = einsum_.outputs;
    return std::move(nodes_);
  }

 private:
  const ir::Value& value(ir::ValueId id) const { return graph_.value(id); }

  /// A node that makes a value of its own of @p dims.
  ir::ValueId add(ir::Op op, std::vector<ir::ValueId> inputs, ir::Dims dims) {
    ir::Node node;
    node.op = op;
    node.attributes = ir::default_attributes(op);
    node.name = format("{}.{}", einsum_.name, nodes_.size());
    node.inputs = std::move(inputs);
    node.origins = einsum_.origins;
    ir::Value made;
    made.name = format("{}.{}", value(einsum_.outputs[0]).name, nodes_.size());
    made.type = value(einsum_.outputs[0]).type;
    made.shape = ir::Shape(dims.begin(), dims.end());
    node.outputs = {graph_.add_value(std::move(made))};
    nodes_.push_back(std::move(node));
    return nodes_.back().outputs[0];
  }

  ir::ValueId transposed(ir::ValueId from, const std::string& order, const std::string& wanted) {
    ir::Ints perm;
    for (const char letter : wanted) perm.push_back(static_cast<int64_t>(order.find(letter)));
    const ir::ValueId made =
        add(ir::Op::Transpose, {from}, sizes(wanted, order, ir::dims_of(value(from).shape)));
    nodes_.back().attributes = ir::TransposeAttributes{std::move(perm)};
    return made;
  }

  ir::ValueId reshaped(ir::ValueId from, const ir::Dims& dims) {
    const ir::ValueId shape =
        graph_.add_constant(format("{}.shape{}", einsum_.name, nodes_.size()),
                            ir::Tensor::of({std::ssize(dims)}, std::vector<int64_t>(dims)));
    return add(ir::Op::Reshape, {from, shape}, dims);
  }

  ir::ValueId arranged(ir::ValueId from, const std::string& term, const std::string& order,
                       const ir::Dims& matrix) {
    return reshaped(transposed(from, term, order), matrix);
  }

  ir::Graph& graph_;
  const ir::Node& einsum_;
  std::vector<ir::Node> nodes_;
};

/// True if the axes that letters share are known and as long in both tensors.
bool fits(const ir::Graph& graph, const ir::Node& node, const Letters& letters) {
  const ir::Shape &left = graph.value(node.inputs[0]).shape,
                  &right = graph.value(node.inputs[1]).shape;
  if (!ir::is_static(left) || !ir::is_static(right) || letters.left.size() != left.size() ||
      letters.right.size() != right.size())
    return false;
  const std::string shared = letters.batch + letters.summed;
  return sizes(shared, letters.left, ir::dims_of(left)) ==
             sizes(shared, letters.right, ir::dims_of(right)) &&
         ir::is_float(graph.value(node.inputs[0]).type);
}

}  // namespace

bool multiply_einsum(ir::Graph& graph) {
  bool changed = false;
  std::vector<ir::Node> before = std::move(graph.nodes);
  graph.nodes.clear();
  for (ir::Node& node : before) {
    const std::optional<Letters> letters =
        node.op == ir::Op::Einsum ? letters_of(node) : std::nullopt;
    if (!letters || !fits(graph, node, *letters)) {
      graph.nodes.push_back(std::move(node));
      continue;
    }
    for (ir::Node& made : Product(graph, node).nodes(*letters))
      graph.nodes.push_back(std::move(made));
    changed = true;
  }
  return changed;
}

}  // namespace dlaexec::passes
