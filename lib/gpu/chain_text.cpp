#include "gpu/chain_text.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "gpu/lowering.h"

namespace dlaexec::gpu {
namespace {

using ir::DataType;
using ir::Op;

/// The type that a value's elements are stored in; empty when kernels do not know it.
std::string_view stored_type(DataType type) {
  switch (type) {
    case DataType::Float32:
      return "float";
    case DataType::Float16:
      return "half";
    case DataType::Int8:
      return "signed char";
    case DataType::UInt8:
      return "unsigned char";
    case DataType::Int32:
      return "int";
    case DataType::Int64:
      return "long long";
    case DataType::Bool:
      return "bool";
    case DataType::BFloat16:
      return {};
  }
  return {};
}

bool is_scaled(const ir::Value& value) {
  return value.type == DataType::Int8 && value.quantization.is_known();
}

/// True if the elements are integers that mean themselves.
bool is_integer(const ir::Value& value) { return !ir::is_float(value.type) && !is_scaled(value); }

/// A float literal that reads back as the same number.
std::string literal(float value) {
  if (value != value) return "__int_as_float(0x7fc00000)";
  if (value - value != 0)
    return value > 0 ? "__int_as_float(0x7f800000)" : "__int_as_float(0xff800000)";
  std::string text = format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text + "f";
}

/// An expression of device code and what it computes.
struct Expression {
  std::string text;
  bool integer = false;
};

/// What is done with @p x, a real.
std::string real_unary(const ir::UnaryAttributes& attributes, const std::string& x) {
  using Kind = ir::UnaryKind;
  const auto call = [&](std::string_view name) { return format("{}({})", name, x); };
  switch (attributes.kind) {
    case Kind::Exp:
      return call("expf");
    case Kind::Log:
      return call("logf");
    case Kind::Sqrt:
      return call("sqrtf");
    case Kind::Reciprocal:
      return "1.0f / " + x;
    case Kind::Abs:
      return call("fabsf");
    case Kind::Neg:
      return "-" + x;
    case Kind::Sin:
      return call("sinf");
    case Kind::Cos:
      return call("cosf");
    case Kind::Tan:
      return call("tanf");
    case Kind::Sinh:
      return call("sinhf");
    case Kind::Cosh:
      return call("coshf");
    case Kind::Asin:
      return call("asinf");
    case Kind::Acos:
      return call("acosf");
    case Kind::Atan:
      return call("atanf");
    case Kind::Asinh:
      return call("asinhf");
    case Kind::Acosh:
      return call("acoshf");
    case Kind::Atanh:
      return call("atanhf");
    case Kind::Ceil:
      return call("ceilf");
    case Kind::Floor:
      return call("floorf");
    case Kind::Round:
      return call("rintf");
    case Kind::Sign:
      return call("pointwise::sign");
    case Kind::Erf:
      return call("erff");
    case Kind::IsNan:
      return format("static_cast<long long>({0} != {0})", x);
    case Kind::IsInf: {
      const std::string low = literal(-std::numeric_limits<float>::infinity());
      const std::string high = literal(std::numeric_limits<float>::infinity());
      return format("static_cast<long long>({} | {})",
                    attributes.detect_negative ? format("({} == {})", x, low) : "false",
                    attributes.detect_positive ? format("({} == {})", x, high) : "false");
    }
    case Kind::Not:
    case Kind::BitwiseNot:
      return {};
  }
  return {};
}

/// The same of an integer; empty where it is computed in reals.
std::string integer_unary(ir::UnaryKind kind, const std::string& x) {
  using Kind = ir::UnaryKind;
  switch (kind) {
    case Kind::Abs:
      return format("({0} < 0 ? pointwise::difference(0, {0}) : {0})", x);
    case Kind::Neg:
      return format("pointwise::difference(0, {})", x);
    case Kind::Sign:
      return format("static_cast<long long>(({0} > 0) - ({0} < 0))", x);
    case Kind::Not:
      return format("static_cast<long long>({} == 0)", x);
    case Kind::BitwiseNot:
      return "~" + x;
    case Kind::Ceil:
    case Kind::Floor:
    case Kind::Round:
      return x;
    default:
      return {};
  }
}

/// The symbol of a comparison; empty for other kinds.
std::string_view comparison(ir::ElementwiseKind kind) {
  using Kind = ir::ElementwiseKind;
  switch (kind) {
    case Kind::Equal:
      return "==";
    case Kind::Less:
      return "<";
    case Kind::Greater:
      return ">";
    case Kind::LessOrEqual:
      return "<=";
    case Kind::GreaterOrEqual:
      return ">=";
    default:
      return {};
  }
}

std::string real_binary(ir::ElementwiseKind kind, const std::string& a, const std::string& b) {
  using Kind = ir::ElementwiseKind;
  switch (kind) {
    case Kind::Sum:
      return format("__fadd_rn({}, {})", a, b);
    case Kind::Sub:
      return format("__fsub_rn({}, {})", a, b);
    case Kind::Prod:
      return format("__fmul_rn({}, {})", a, b);
    case Kind::Div:
      return format("{} / {}", a, b);
    case Kind::Pow:
      return format("powf({}, {})", a, b);
    case Kind::Min:
      return format("pointwise::least({}, {})", a, b);
    case Kind::Max:
      return format("pointwise::largest({}, {})", a, b);
    case Kind::Mod:
      return format("pointwise::floor_mod({}, {})", a, b);
    case Kind::Fmod:
      return format("fmodf({}, {})", a, b);
    default:
      return {};
  }
}

std::string integer_binary(ir::ElementwiseKind kind, const std::string& a, const std::string& b) {
  using Kind = ir::ElementwiseKind;
  const auto call = [&](std::string_view name) {
    return format("pointwise::{}({}, {})", name, a, b);
  };
  const auto test = [&](std::string_view symbol) {
    return format("static_cast<long long>(({} != 0) {} ({} != 0))", a, symbol, b);
  };
  switch (kind) {
    case Kind::Sum:
      return call("sum");
    case Kind::Sub:
      return call("difference");
    case Kind::Prod:
      return call("product");
    case Kind::Div:
      return call("quotient");
    case Kind::Pow:
      return call("power");
    case Kind::Min:
      return call("least");
    case Kind::Max:
      return call("largest");
    case Kind::Mod:
      return call("floor_rest");
    case Kind::Fmod:
      return call("rest");
    case Kind::And:
      return test("&&");
    case Kind::Or:
      return test("||");
    case Kind::Xor:
      return test("!=");
    case Kind::BitwiseAnd:
      return format("({} & {})", a, b);
    case Kind::BitwiseOr:
      return format("({} | {})", a, b);
    case Kind::BitwiseXor:
      return format("({} ^ {})", a, b);
    case Kind::ShiftLeft:
      return call("shift_left");
    case Kind::ShiftRight:
      return call("shift_right");
    default:
      return {};
  }
}

std::string activated(ir::ActivationKind kind, float alpha, float beta, const std::string& x) {
  if (kind == ir::ActivationKind::None) return x;
  return format("{}::of({}, {}, {})", device_name(kind), x, literal(alpha), literal(beta));
}

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
  static std::string as_real(const Expression& e) {
    return e.integer ? format("static_cast<float>({})", e.text) : e.text;
  }

  Expression result(const ir::Node& node) const {
    const Expression x = known(node.inputs[0]);
    switch (node.op) {
      case Op::Activation: {
        const auto& a = node.get<ir::ActivationAttributes>();
        return {activated(a.kind, a.alpha, a.beta, as_real(x))};
      }
      case Op::Unary: {
        const auto& a = node.get<ir::UnaryAttributes>();
        const bool tests = a.kind == ir::UnaryKind::IsNan || a.kind == ir::UnaryKind::IsInf;
        if (x.integer)
          if (const std::string text = integer_unary(a.kind, x.text); !text.empty())
            return {text, true};
        return {real_unary(a, as_real(x)), tests};
      }
      case Op::Elementwise:
        return combined(node.get<ir::ElementwiseAttributes>(), x, known(node.inputs[1]));
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
      default:  // cast, reformat, identity: another type, or none
        return x;
    }
  }

  static Expression combined(const ir::ElementwiseAttributes& attributes, const Expression& a,
                             const Expression& b) {
    const bool integers =
        a.integer && b.integer && attributes.activation == ir::ActivationKind::None;
    const std::string_view symbol = comparison(attributes.kind);
    if (!symbol.empty())
      return {format("static_cast<long long>({} {} {})", integers ? a.text : as_real(a), symbol,
                     integers ? b.text : as_real(b)),
              true};
    if (integers) return {integer_binary(attributes.kind, a.text, b.text), true};
    return {activated(attributes.activation, attributes.alpha, attributes.beta,
                      real_binary(attributes.kind, as_real(a), as_real(b)))};
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

std::optional<std::string> why_not_kind(const ir::Graph& graph, const ir::Node& node) {
  const ir::Value& x = graph.value(node.inputs[0]);
  if (node.op == Op::Unary) {
    const auto& a = node.get<ir::UnaryAttributes>();
    if (!is_integer(x) && real_unary(a, "x").empty())
      return format("unary '{}' of reals", ir::text(a.kind));
  }
  if (node.op == Op::Elementwise) {
    const auto& a = node.get<ir::ElementwiseAttributes>();
    const bool integers = is_integer(x) && is_integer(graph.value(node.inputs[1])) &&
                          a.activation == ir::ActivationKind::None;
    if (comparison(a.kind).empty() &&
        (integers ? integer_binary(a.kind, "a", "b") : real_binary(a.kind, "a", "b")).empty())
      return format("elementwise '{}' of reals", ir::text(a.kind));
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> why_not_chain(const ir::Graph& graph, const ir::Node& node) {
  switch (node.op) {
    case Op::Activation:
    case Op::Unary:
    case Op::Elementwise:
    case Op::PRelu:
    case Op::Scale:
    case Op::Where:
    case Op::Cast:
    case Op::Reformat:
    case Op::Identity:
      break;
    default:
      return format("op '{}'", ir::info(node.op).text);
  }
  for (const auto* list : {&node.inputs, &node.outputs})
    for (const ir::ValueId id : *list) {
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
