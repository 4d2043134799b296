#include "gpu/chain_text.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "gpu/chain_expression.h"
#include "gpu/families.h"

namespace dlaexec::gpu {
namespace {

using ir::DataType;
using ir::Op;

bool is_scaled(const ir::Value& value) {
  return value.type == DataType::Int8 && value.quantization.is_known();
}

/// True if the elements are integers that mean themselves.
bool is_integer(const ir::Value& value) { return !ir::is_float(value.type) && !is_scaled(value); }

/// Writes one kernel, a statement a value.
class Writer {
 public:
  Writer(const ir::Graph& graph, const ChainShape& shape) : graph_(graph), shape_(shape) {}

  std::string write(const std::vector<int>& nodes) {
    for (size_t i = 0; i < shape_.inputs.size(); ++i) {
      const std::string element = shape_.single[i] ? format("x{}", i) : format("x{}.at[i]", i);
      define(shape_.inputs[i], element);
    }
    for (const int index : nodes) compute(graph_.nodes[static_cast<size_t>(index)]);
    return head() + body_ + tail();
  }

 private:
  /// From now on the value is known by a name; @p element is what is stored of it.
  void define(ir::ValueId id, const std::string& element) {
    const ir::Value& value = graph_.value(id);
    const size_t number = names_.size();
    names_[id] = format("v{}", number);
    const std::string read =
        is_scaled(value)    ? format("real({}, {})", element, literal(value.quantization.scales[0]))
        : is_integer(value) ? format("static_cast<long long>({})", element)
                            : format("to_float({})", element);
    body_ += format("        const {} v{} = {};\n", is_integer(value) ? "long long" : "float",
                    number, read);
  }

  Expression known(ir::ValueId id) const { return {names_.at(id), is_integer(graph_.value(id))}; }

  /// The zero point that @p node quantizes with.
  Expression zero_of(const ir::Node& node) const {
    if (node.inputs.size() > 2 && node.inputs[2] != ir::kNoValue) return known(node.inputs[2]);
    return {"0ll", true};
  }

  Expression result(const ir::Node& node) const {
    const Expression x = known(node.inputs[0]);
    switch (node.op) {
      case Op::Activation: {
        const auto& a = node.get<ir::ActivationAttributes>();
        return {activated(a.kind, a.alpha, a.beta, as_real(x))};
      }
      case Op::Unary:
        return unary(node.get<ir::UnaryAttributes>(), x);
      case Op::Elementwise:
        return binary(node.get<ir::ElementwiseAttributes>(), x, known(node.inputs[1]));
      case Op::PRelu: {
        const std::string a = as_real(x), slope = as_real(known(node.inputs[1]));
        return {format("{0} < 0.0f ? {0} * {1} : {0}", a, slope)};
      }
      case Op::Scale:
        return {format("__fadd_rn(__fmul_rn({}, {}), {})", as_real(x),
                       as_real(known(node.inputs[1])), as_real(known(node.inputs[2])))};
      case Op::Where: {
        const Expression a = known(node.inputs[1]), b = known(node.inputs[2]);
        const bool integer = a.integer && b.integer;
        return {format("{} != 0 ? {} : {}", x.text, integer ? a.text : as_real(a),
                       integer ? b.text : as_real(b)),
                integer};
      }
      case Op::Quantize:
        return quantized(x, known(node.inputs[1]), zero_of(node),
                         node.get<ir::QuantizeAttributes>().to);
      case Op::Dequantize:
        return dequantized(x, known(node.inputs[1]), zero_of(node));
      default:  // cast, reformat, identity: another type, or none
        return x;
    }
  }

  /// @p e as what is stored of @p value: the one rounding.
  static std::string stored(const ir::Value& value, const Expression& e) {
    const std::string_view type = stored_type(value.type);
    if (is_scaled(value))
      return format("stored<signed char>({}, {})", as_real(e),
                    literal(1 / value.quantization.scales[0]));
    if (value.type == DataType::Bool) return format("({}) != {}", e.text, e.integer ? "0" : "0.0f");
    if (is_integer(value))
      return format("static_cast<{}>({})", type,
                    e.integer ? e.text : format("pointwise::integer({})", e.text));
    return format("from_float<{}>({})", type, as_real(e));
  }

  void compute(const ir::Node& node) {
    const ir::ValueId id = node.outputs[0];
    const ir::Value& value = graph_.value(id);
    const size_t number = names_.size();
    body_ += format("        const {} s{} = {};  // {}\n", stored_type(value.type), number,
                    stored(value, result(node)), ir::info(node.op).text);
    define(id, format("s{}", number));
    for (size_t i = 0; i < shape_.outputs.size(); ++i)
      if (shape_.outputs[i] == id) body_ += format("        y{}.at[i] = s{};\n", i, number);
  }

  std::string head() const {
    const size_t in = shape_.inputs.size(), out = shape_.outputs.size();
    std::string text = format(
        "#include \"chain.cuh\"\n\n"
        "extern \"C\" __global__ void __launch_bounds__(256)\n"
        "chain(const __grid_constant__ dlaexec::gpu::ChainParams p) {{\n"
        "  release_next();\n"
        "  wait_for_inputs();\n"
        "  for (long long index = blockIdx.x * 256ll + threadIdx.x; index < p.count;\n"
        "       index += gridDim.x * 256ll) {{\n"
        "    long long in[{}], out[{}];\n"
        "    {}pointwise::locate<{}, {}>(p, index, in, out);\n",
        in, out, shape_.padded ? "const int inner = " : "", shape_.rank, shape_.vec);
    for (size_t i = 0; i < out; ++i)
      text += format("    Vector<{}, {}> y{} = {{}};\n",
                     stored_type(graph_.value(shape_.outputs[i]).type), shape_.vec, i);
    text += shape_.padded ? "    if (inner < p.inner_valid) {\n" : "    {\n";
    for (size_t i = 0; i < in; ++i) {
      const std::string_view type = stored_type(graph_.value(shape_.inputs[i]).type);
      text +=
          shape_.single[i]
              ? format("      const {0} x{1} = pointwise::load_one<{0}>(p.in[{1}], in[{1}]);\n",
                       type, i)
              : format("      const auto x{1} = pointwise::load<{0}, {2}>(p.in[{1}], in[{1}]);\n",
                       type, i, shape_.vec);
    }
    text += format("#pragma unroll\n      for (int i = 0; i < {}; ++i) {{\n", shape_.vec);
    return shape_.padded ? text + "        if (inner + i >= p.inner_valid) continue;\n" : text;
  }

  std::string tail() const {
    std::string text = "      }\n    }\n";
    for (size_t i = 0; i < shape_.outputs.size(); ++i)
      text += format("    pointwise::store(p.out[{0}], out[{0}], y{0});\n", i);
    return text + "  }\n}\n";
  }

  const ir::Graph& graph_;
  const ChainShape& shape_;
  std::map<ir::ValueId, std::string> names_;
  std::string body_;
};

/// Why @p node does not quantize, or turn back, element by element, as a clause.
std::optional<std::string> why_not_quantized(const ir::Graph& graph, const ir::Node& node) {
  const bool back = node.op == Op::Dequantize;
  const ir::Value& integers = graph.value(back ? node.inputs[0] : node.outputs[0]);
  if (node.get<ir::QuantizeAttributes>().block > 0) return std::string("a scale per block");
  if (graph.value(node.inputs[1]).shape.size() > 1) return std::string("scales of several axes");
  if (integers.type != DataType::Int8 && integers.type != DataType::UInt8)
    return format("integers of type {}", ir::text(integers.type));
  if (is_scaled(integers)) return std::string("integers that have a scale already");
  if (!ir::is_float(graph.value(back ? node.outputs[0] : node.inputs[0]).type))
    return std::string("integers that are quantized again");
  return std::nullopt;
}

/// Why there is no expression for the kind of @p node, as a clause.
std::optional<std::string> why_not_kind(const ir::Graph& graph, const ir::Node& node) {
  const auto operand = [&](size_t i) {
    return Expression{"x", is_integer(graph.value(node.inputs[i]))};
  };
  if (node.op == Op::Unary) {
    const auto& a = node.get<ir::UnaryAttributes>();
    if (unary(a, operand(0)).text.empty()) return format("unary '{}' of reals", ir::text(a.kind));
  }
  if (node.op == Op::Elementwise) {
    const auto& a = node.get<ir::ElementwiseAttributes>();
    if (binary(a, operand(0), operand(1)).text.empty())
      return format("elementwise '{}' of reals", ir::text(a.kind));
  }
  if (node.op == Op::Quantize || node.op == Op::Dequantize) return why_not_quantized(graph, node);
  return std::nullopt;
}

}  // namespace

std::optional<std::string> why_not_chain(const ir::Graph& graph, const ir::Node& node) {
  if (!is_pointwise(node.op)) return format("op '{}'", ir::info(node.op).text);
  for (const auto* list : {&node.inputs, &node.outputs})
    for (const ir::ValueId id : *list) {
      if (id == ir::kNoValue) continue;
      const ir::Value& value = graph.value(id);
      if (stored_type(value.type).empty())
        return format("elements of type {}", ir::text(value.type));
      if (value.quantization.scales.size() > 1 && value.type == DataType::Int8)
        return std::string("a scale per channel");
    }
  return why_not_kind(graph, node);
}

std::string chain_text(const ir::Graph& graph, const std::vector<int>& nodes,
                       const ChainShape& shape) {
  return Writer(graph, shape).write(nodes);
}

}  // namespace dlaexec::gpu
