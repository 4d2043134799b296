#include <algorithm>
#include <cstring>

#include "base/hash.h"
#include "ir/text.h"

namespace dlaexec::ir {
namespace {

std::string quoted(std::string_view raw) {
  std::string result = "\"";
  for (const char c : raw) {
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      result += format("\\x{:02x}", static_cast<unsigned>(c));
    } else {
      result += c;
    }
  }
  return result + "\"";
}

bool is_plain(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || std::strchr("_./:-", c) != nullptr;
  });
}

std::string value_name(std::string_view name) {
  return "%" + (is_plain(name) ? std::string(name) : quoted(name));
}

std::string type_text(DataType type, const Shape& shape) {
  return format("{}[{}]", text(type), join(shape, ",", [](const Dim& dim) {
                  if (dim.is_known()) return std::to_string(dim.value);
                  return is_plain(dim.symbol) ? dim.symbol : quoted(dim.symbol);
                }));
}

/// Type, shape, and what else a value says of itself.
std::string value_type(const Value& value) {
  std::string result = type_text(value.type, value.shape);
  const Quantization& q = value.quantization;
  if (q.scales.size() == 1) result += format(" q({})", q.scales[0]);
  if (q.scales.size() > 1) result += format(" q(axis={}, {})", q.axis, join(q.scales, ", "));
  if (value.format != Format::Linear) result += format(" as {}", text(value.format));
  return result;
}

std::string element_list(const Tensor& tensor) {
  if (is_float(tensor.type())) return "[" + join(tensor.to_floats(), ", ") + "]";
  return "[" + join(tensor.to_ints(), ", ") + "]";
}

bool all_equal(const Tensor& tensor) {
  const auto bytes = tensor.bytes();
  const size_t size = size_bytes(tensor.type());
  return bytes.size() <= size ||
         std::memcmp(bytes.data(), bytes.data() + size, bytes.size() - size) == 0;
}

std::string hex(std::span<const std::byte> bytes) {
  std::string result;
  result.reserve(bytes.size() * 2);
  for (const std::byte byte : bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    result += kDigits[std::to_integer<int>(byte >> 4)];
    result += kDigits[std::to_integer<int>(byte & std::byte{15})];
  }
  return result;
}

std::string elements(const Tensor& tensor, Constants constants) {
  if (tensor.count() <= 16) return element_list(tensor);
  if (all_equal(tensor)) {
    const std::string list = element_list(Tensor(tensor.type(), {1}, tensor.bytes(), nullptr));
    return format("splat({})", list.substr(1, list.size() - 2));
  }
  if (constants == Constants::Hash) return format("blob(\"{}\")", hash128_hex(tensor.bytes()));
  return format("hex\"{}\"", hex(tensor.bytes()));
}

std::string indented(std::string_view body, std::string_view indent) {
  std::string result;
  size_t start = 0;
  while (start < body.size()) {
    const size_t end = body.find('\n', start);
    result += indent;
    result += body.substr(start, end - start);
    if (end == std::string_view::npos) break;
    result += '\n';
    start = end + 1;
  }
  return result;
}

struct FieldPrinter {
  std::vector<std::string> fields;
  Constants constants = Constants::Hash;

  void operator()(std::string_view name, bool value) { add(name, value ? "true" : "false"); }
  void operator()(std::string_view name, int64_t value) { add(name, std::to_string(value)); }
  void operator()(std::string_view name, float value) { add(name, format("{}", value)); }
  void operator()(std::string_view name, double value) { add(name, format("{}", value)); }
  void operator()(std::string_view name, const std::string& value) { add(name, quoted(value)); }
  void operator()(std::string_view name, const Ints& value) {
    add(name, "[" + join(value, ",") + "]");
  }
  void operator()(std::string_view name, const Floats& value) {
    add(name, "[" + join(value, ",") + "]");
  }
  void operator()(std::string_view name, const Strings& value) {
    add(name, "[" + join(value, ",", quoted) + "]");
  }
  void operator()(std::string_view name, const Subgraph& value) {
    add(name, value ? "\n" + indented(print(*value, constants), "    ") + "  " : "none");
  }
  template <TextEnum Enum>
  void operator()(std::string_view name, Enum value) {
    add(name, std::string(text(value)));
  }
  void add(std::string_view name, std::string value) {
    fields.push_back(format("{}={}", name, value));
  }
};

std::string attributes_text(const Node& node, Constants constants) {
  FieldPrinter printer{{}, constants};
  std::visit([&](const auto& attributes) { attributes.fields(attributes, printer); },
             node.attributes);
  return join(printer.fields, ", ");
}

std::string node_line(const Graph& graph, const Node& node, Constants constants) {
  const auto name_of = [&](ValueId id) {
    return id == kNoValue ? std::string("_") : value_name(graph.value(id).name);
  };
  const auto type_of = [&](ValueId id) {
    return id == kNoValue ? std::string("_") : value_type(graph.value(id));
  };
  std::string line = format("{} = {}({})", join(node.outputs, ", ", name_of), info(node.op).text,
                            join(node.inputs, ", ", name_of));
  const std::string attributes = attributes_text(node, constants);
  if (!attributes.empty()) line += " {" + attributes + "}";
  line += " : " + join(node.outputs, ", ", type_of);
  const bool named_as_output = !node.outputs.empty() && node.outputs[0] != kNoValue &&
                               graph.value(node.outputs[0]).name == node.name;
  if (!named_as_output) line += " " + quoted(node.name);
  if (node.origins != std::vector<std::string>{node.name})
    line += format(" from({})", join(node.origins, ", ", quoted));
  if (node.precision) line += format(" in {}", text(*node.precision));
  if (node.device == Device::Gpu) line += " on gpu";
  if (node.device == Device::Dla)
    line += node.segment < 0 ? " on dla" : format(" on dla{}", node.segment);
  return line;
}

}  // namespace

std::string print(const Graph& graph, Constants constants) {
  const auto parameter = [&](ValueId id) {
    return value_name(graph.value(id).name) + ": " + value_type(graph.value(id));
  };
  std::string result =
      format("graph @{}({}) {{\n", is_plain(graph.name) ? graph.name : quoted(graph.name),
             join(graph.inputs, ", ", parameter));
  const std::vector<int> made_by = producers(graph);
  for (size_t i = 0; i < graph.values.size(); ++i) {
    const Value& value = graph.values[i];
    if (value.constant) {
      result += format("  const {} = {} {}\n", value_name(value.name), value_type(value),
                       elements(*value.constant, constants));
    } else if (made_by[i] < 0 && !graph.is_input(static_cast<ValueId>(i))) {
      result += format("  outer {}: {}\n", value_name(value.name), value_type(value));
    }
  }
  for (const Node& node : graph.nodes) result += "  " + node_line(graph, node, constants) + "\n";
  result += format("  return {}\n}}\n", join(graph.outputs, ", ", [&](ValueId id) {
                     return value_name(graph.value(id).name);
                   }));
  return result;
}

std::string print_attributes(const Node& node) { return attributes_text(node, Constants::Hash); }

}  // namespace dlaexec::ir
