#include "onnx/node.h"

#include <algorithm>

#include "dlaexec_onnx.pb.h"
#include "onnx/scope.h"

namespace dlaexec::onnx {

using onnx_file::AttributeProto;

Node::Node(Scope& scope, const onnx_file::NodeProto& proto, int64_t opset)
    : scope_(scope), proto_(proto), opset_(opset), name_(node_title(proto)) {
  for (const std::string& input : proto.input())
    inputs_.push_back(input.empty() ? kNoValue : scope.find(input));
}

const std::string& Node::op() const { return proto_.op_type(); }

const AttributeProto* Node::find(std::string_view name) const {
  asked_.emplace_back(name);
  for (const AttributeProto& attribute : proto_.attribute()) {
    if (attribute.name() != name) continue;
    if (attribute.ref_attr_name().empty()) return &attribute;
    return scope_.function_attribute(attribute.ref_attr_name());
  }
  return nullptr;
}

const AttributeProto* Node::find(std::string_view name, int type, std::string_view kind) const {
  const AttributeProto* attribute = find(name);
  // Files of the first IR versions leave the type out.
  if (attribute && attribute->type() != type && attribute->type() != AttributeProto::UNDEFINED)
    fail("attribute '{}' must be {}", name, kind);
  return attribute;
}

bool Node::has_attribute(std::string_view name) const { return find(name) != nullptr; }

int64_t Node::integer(std::string_view name, int64_t otherwise) const {
  const AttributeProto* attribute = find(name, AttributeProto::INT, "an integer");
  return attribute ? attribute->i() : otherwise;
}

int64_t Node::required_integer(std::string_view name) const {
  const AttributeProto* attribute = find(name, AttributeProto::INT, "an integer");
  if (!attribute) fail("attribute '{}' is required", name);
  return attribute->i();
}

float Node::real(std::string_view name, float otherwise) const {
  const AttributeProto* attribute = find(name, AttributeProto::FLOAT, "a number");
  return attribute ? attribute->f() : otherwise;
}

std::string Node::text(std::string_view name, std::string_view otherwise) const {
  const AttributeProto* attribute = find(name, AttributeProto::STRING, "a text");
  return attribute ? attribute->s() : std::string(otherwise);
}

ir::Ints Node::ints(std::string_view name, const ir::Ints& otherwise) const {
  const AttributeProto* attribute = find(name, AttributeProto::INTS, "a list of integers");
  if (!attribute) return otherwise;
  return {attribute->ints().begin(), attribute->ints().end()};
}

ir::Floats Node::reals(std::string_view name) const {
  const AttributeProto* attribute = find(name, AttributeProto::FLOATS, "a list of numbers");
  if (!attribute) return {};
  return {attribute->floats().begin(), attribute->floats().end()};
}

ir::Strings Node::texts(std::string_view name) const {
  const AttributeProto* attribute = find(name, AttributeProto::STRINGS, "a list of texts");
  if (!attribute) return {};
  return {attribute->strings().begin(), attribute->strings().end()};
}

std::optional<ir::Tensor> Node::tensor(std::string_view name) const {
  const AttributeProto* attribute = find(name, AttributeProto::TENSOR, "a tensor");
  if (!attribute) return std::nullopt;
  onnx_file::TensorProto copy = attribute->t();
  if (copy.name().empty()) copy.set_name(name_ + "." + std::string(name));
  return scope_.model().tensors.read(copy);
}

ir::DataType Node::type(std::string_view name, ir::DataType otherwise) const {
  const AttributeProto* attribute = find(name);
  if (!attribute) return otherwise;
  if (attribute->type() != AttributeProto::STRING && attribute->s().empty())
    return data_type(static_cast<int>(attribute->i()), name_);
  onnx_file::TensorProto::DataType parsed{};  // Cast before opset 6 names the type
  if (!onnx_file::TensorProto::DataType_Parse(attribute->s(), &parsed))
    fail("attribute '{}' names the type '{}', which is none", name, attribute->s());
  return data_type(parsed, name_);
}

ir::Subgraph Node::body(std::string_view name) const {
  const AttributeProto* attribute = find(name, AttributeProto::GRAPH, "a graph");
  if (!attribute) fail("attribute '{}' is required", name);
  auto graph = std::make_shared<ir::Graph>();
  onnx_file::GraphProto copy = attribute->g();
  Scope scope(scope_.model(), *graph, &scope_);
  in_context([&] { return format("importing the body '{}' of node '{}'", name, name_); },
             [&] { scope.import_graph(copy); });
  return graph;
}

ValueIds Node::inline_body(std::string_view name) {
  const AttributeProto* attribute = find(name, AttributeProto::GRAPH, "a graph");
  if (!attribute) fail("attribute '{}' is required", name);
  onnx_file::GraphProto copy = attribute->g();
  return scope_.inline_graph(copy, name_);
}

void Node::ignore(std::string_view name) const { asked_.emplace_back(name); }

std::vector<std::string> Node::unread() const {
  std::vector<std::string> names;
  for (const AttributeProto& attribute : proto_.attribute())
    if (std::find(asked_.begin(), asked_.end(), attribute.name()) == asked_.end())
      names.push_back(attribute.name());
  return names;
}

size_t Node::output_count() const { return static_cast<size_t>(proto_.output_size()); }

bool Node::wants(size_t output) const {
  return output < output_count() && !proto_.output(static_cast<int>(output)).empty();
}

ValueId Node::in(size_t input) const {
  if (!has(input)) fail("input {} is absent; it is required", input);
  return inputs_[input];
}

const ValueIds& Node::sequence(size_t input) const {
  const ValueIds* parts = scope_.sequence(in(input));
  if (!parts)
    fail("'{}' is no sequence that is known while the file is read", value(in(input)).name);
  return *parts;
}

ValueId Node::add_sequence(ValueIds parts) {
  return scope_.add_sequence(name_ + "/sequence", std::move(parts));
}

const ir::Value& Node::value(ValueId id) const { return scope_.graph().value(id); }

const ir::Shape& Node::shape(ValueId id) const {
  const ir::Value& found = value(id);
  if (found.shape.size() == 1 && found.shape[0].symbol == "...")
    fail("the number of dimensions of '{}' depends on data; it must be known", found.name);
  return found.shape;
}

const ir::Dim& Node::dim(ValueId id, int64_t axis) const {
  const ir::Shape& dims = shape(id);
  if (axis < 0 || axis >= std::ssize(dims))
    fail("'{}' has {} dimensions; at least {} are needed", value(id).name, dims.size(),
         std::max<int64_t>(axis, 0) + 1);
  return dims[static_cast<size_t>(axis)];
}

int64_t Node::axis_in(int64_t axis, int64_t rank) const {
  if (axis < -rank || axis >= rank)
    fail("axis is {}; an input of {} dimensions allows {} to {}", axis, rank, -rank, rank - 1);
  return axis < 0 ? axis + rank : axis;
}

std::optional<ir::Ints> Node::known(ValueId id) const {
  return id == kNoValue ? std::nullopt : scope_.inference().known_ints(id);
}

ir::Ints Node::required(ValueId id, std::string_view what) const {
  if (id == kNoValue) fail("{} are absent; they are required", what);
  const auto ints = known(id);
  if (!ints) fail("{} ('{}') depend on data; they must be constant", what, value(id).name);
  return *ints;
}

const ir::Tensor* Node::constant(ValueId id) const {
  if (id == kNoValue || !value(id).constant) return nullptr;
  return &*value(id).constant;
}

ValueId Node::add(Op op, ValueIds inputs, ir::Attributes attributes) {
  return add_several(op, std::move(inputs), std::move(attributes), 1)[0];
}

ValueIds Node::add_several(Op op, ValueIds inputs, ir::Attributes attributes, size_t outputs) {
  ValueIds results;
  for (size_t i = 0; i < outputs; ++i)
    results.push_back(scope_.add_value(name_ + "/" + std::string(ir::info(op).text), std::nullopt));
  scope_.add_node(op, std::move(inputs), results, std::move(attributes));
  if (holds_integers_) scope_.graph().nodes.back().precision = ir::DataType::Float32;
  return results;
}

ValueId Node::constant(ir::Tensor tensor) {
  return scope_.add_value(name_ + "/constant", std::move(tensor));
}

ValueId Node::number(double number, ValueId like) {
  const ir::DataType type = type_of(like);
  if (ir::is_float(type))
    return constant(ir::Tensor::scalar(static_cast<float>(number)).converted(type));
  return constant(ir::Tensor::scalar(static_cast<int64_t>(number)).converted(type));
}

ValueId Node::binary(ElementwiseKind kind, ValueId a, ValueId b) {
  ir::ElementwiseAttributes attributes;
  attributes.kind = kind;
  return add(Op::Elementwise, {a, b}, attributes);
}

ValueId Node::unary(UnaryKind kind, ValueId a) {
  ir::UnaryAttributes attributes;
  attributes.kind = kind;
  return add(Op::Unary, {a}, attributes);
}

ValueId Node::activation(ActivationKind kind, ValueId a, float alpha, float beta) {
  return add(Op::Activation, {a}, ir::ActivationAttributes{kind, alpha, beta});
}

ValueId Node::cast(ValueId a, ir::DataType type) {
  if (type_of(a) == type) return a;
  return add(Op::Cast, {a}, ir::CastAttributes{type});
}

ValueId Node::reshape(ValueId a, const ir::Ints& shape) {
  return reshape_to(a, ints_constant(shape));
}

ValueId Node::reshape_to(ValueId a, ValueId shape) { return add(Op::Reshape, {a, shape}); }

ValueId Node::transpose(ValueId a, const ir::Ints& perm) {
  return add(Op::Transpose, {a}, ir::TransposeAttributes{perm});
}

ValueId Node::unsqueeze(ValueId a, const ir::Ints& axes) {
  return add(Op::Unsqueeze, {a}, ir::AxesAttributes{axes});
}

ValueId Node::squeeze(ValueId a, const ir::Ints& axes) {
  return add(Op::Squeeze, {a}, ir::AxesAttributes{axes});
}

ValueId Node::reduce(ir::ReduceKind kind, ValueId a, const ir::Ints& axes, bool keep_dims) {
  return add(Op::Reduce, {a}, ir::ReduceAttributes{kind, axes, keep_dims});
}

ValueId Node::concat(const ValueIds& parts, int64_t axis) {
  return add(Op::Concat, parts, ir::AxisAttributes{axis});
}

ValueId Node::slice(ValueId a, int64_t axis, int64_t start, int64_t end) {
  return add(Op::Slice, {a, ints_constant({start}), ints_constant({end}), ints_constant({axis})});
}

ValueId Node::shape_of(ValueId a, int64_t start, int64_t end) {
  return add(Op::Shape, {a}, ir::ShapeAttributes{start, end});
}

}  // namespace dlaexec::onnx
