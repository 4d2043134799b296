#include "onnx/scope.h"

#include <algorithm>
#include <array>

#include "base/log.h"
#include "dlaexec_onnx.pb.h"
#include "ir/dim_math.h"
#include "onnx/operators.h"
#include "onnx/order.h"

namespace dlaexec::onnx {
namespace {

using onnx_file::AttributeProto;
using onnx_file::GraphProto;
using onnx_file::NodeProto;

/// Bodies and functions inside each other; deeper is a function that calls itself.
constexpr int kDeepest = 60;

/// Ops that carry the name when an ONNX node becomes several.
constexpr std::array kMainOps = {Op::Conv,   Op::Deconv, Op::Gemm, Op::MatMul, Op::Pool,
                                 Op::Resize, Op::Lstm,   Op::Gru,  Op::Rnn};

ir::Shape shape_of(const onnx_file::TypeProto::Tensor& tensor, const std::string& name) {
  if (!tensor.has_shape()) return ir::unranked();
  ir::Shape shape;
  for (const auto& dim : tensor.shape().dim()) {
    if (dim.has_dim_value() && dim.dim_value() >= 0)
      shape.emplace_back(dim.dim_value());
    else if (!dim.dim_param().empty() && dim.dim_param() != "...")
      shape.emplace_back(dim.dim_param());
    else
      shape.push_back(ir::Dim(format("{}.{}", name, shape.size())));
  }
  return shape;
}

std::vector<std::string> made_names(const GraphProto& graph) {
  std::vector<std::string> names;
  for (const auto& tensor : graph.initializer()) names.push_back(tensor.name());
  for (const NodeProto& node : graph.node())
    names.insert(names.end(), node.output().begin(), node.output().end());
  return names;
}

/// Which of several nodes of one ONNX node carries its name.
size_t main_node(const std::vector<ir::Node>& nodes, const std::vector<size_t>& candidates) {
  for (const size_t i : candidates)
    if (std::find(kMainOps.begin(), kMainOps.end(), nodes[i].op) != kMainOps.end()) return i;
  return candidates.back();
}

}  // namespace

std::string node_title(const NodeProto& proto) {
  if (!proto.name().empty()) return proto.name();
  for (const std::string& output : proto.output())
    if (!output.empty()) return "node_of_" + output;
  return proto.op_type();
}

std::optional<ValueId> Scope::find_optional(const std::string& name) {
  const Frame& frame = frames_.back();
  const auto at = frame.names.find(name);
  if (at != frame.names.end()) return at->second;
  if (!frame.sees_around || around_ == nullptr) return std::nullopt;
  const auto outer = around_->find_optional(name);
  if (!outer || *outer == kNoValue) return outer;
  around_->require_tensor(*outer);
  const auto [known, is_new] =
      captured_.try_emplace(*outer, static_cast<ValueId>(graph_.values.size()));
  if (is_new) {  // a stand-in of the same name
    value_names_.insert(around_->graph().value(*outer).name);
    graph_.values.push_back(around_->graph().value(*outer));
  }
  frames_.back().names.emplace(name, known->second);
  return known->second;
}

ValueId Scope::find(const std::string& name) {
  const auto id = find_optional(name);
  if (!id) fail("nothing makes the input '{}'", name);
  return *id;
}

std::string Scope::free_name(std::string wanted, std::unordered_set<std::string>& taken) const {
  const auto is_taken = [&](const std::string& name) {
    if (taken.contains(name)) return true;
    if (&taken != &value_names_) return false;
    for (const Scope* scope = around_; scope != nullptr; scope = scope->around_)
      if (scope->value_names_.contains(name)) return true;
    return false;
  };
  std::string name = wanted;
  for (int suffix = 1; is_taken(name); ++suffix) name = format("{}_{}", wanted, suffix);
  taken.insert(name);
  return name;
}

ValueId Scope::add_value(std::string name, std::optional<ir::Tensor> constant) {
  ir::Value value;
  value.name = free_name(std::move(name), value_names_);
  if (constant) {
    value.type = constant->type();
    value.shape = ir::shape_of(constant->dims());
  }
  value.constant = std::move(constant);
  graph_.values.push_back(std::move(value));
  return static_cast<ValueId>(graph_.values.size()) - 1;
}

ValueId Scope::add_sequence(std::string name, ValueIds parts) {
  const ValueId id = add_value(std::move(name), std::nullopt);
  sequences_.emplace(id, std::move(parts));
  return id;
}

const ValueIds* Scope::sequence(ValueId id) const {
  const auto at = sequences_.find(id);
  return at == sequences_.end() ? nullptr : &at->second;
}

void Scope::require_tensor(ValueId id) const {
  if (sequence(id)) fail("'{}' is a sequence; a tensor is needed", graph_.value(id).name);
}

void Scope::add_node(Op op, ValueIds inputs, ValueIds outputs, ir::Attributes attributes) {
  ir::Node node;
  node.op = op;
  node.inputs = std::move(inputs);
  node.outputs = std::move(outputs);
  node.attributes = std::move(attributes);
  for (const ValueId input : node.inputs) require_tensor(input);
  const auto count = static_cast<int>(node.inputs.size());
  const ir::OpInfo& info = ir::info(op);
  if (count < info.least_inputs || count > info.most_inputs)
    fail("{} inputs are given; {} takes {} to {}", count, info.text, info.least_inputs,
         info.most_inputs);
  graph_.nodes.push_back(std::move(node));
  inference_.visit(graph_.nodes.back());
}

const AttributeProto* Scope::function_attribute(const std::string& name) const {
  const auto& attributes = frames_.back().attributes;
  const auto at = attributes.find(name);
  return at == attributes.end() ? nullptr : at->second;
}

int64_t Scope::opset(const std::string& domain) const {
  const auto& own = frames_.back().opsets;
  const auto& opsets = own.empty() ? model_.opsets : own;
  const auto at = opsets.find(domain == "ai.onnx" ? "" : domain);
  return at == opsets.end() ? 1 : at->second;
}

void Scope::define(const std::string& name, ValueId id) {
  if (!frames_.back().names.emplace(name, id).second)
    fail("two values are called '{}'; each name must be made once", name);
}

void Scope::add_input(const onnx_file::ValueInfoProto& info) {
  if (!info.type().has_tensor_type() && info.has_type() && around_ == nullptr)
    fail("the input '{}' is no tensor; sequences, maps and optional values are not supported",
         info.name());
  const ValueId id = add_value(info.name(), std::nullopt);
  ir::Value& value = graph_.value(id);
  value.shape = ir::unranked();
  // Inputs of bodies may leave their types out: the node around gives them.
  if (info.type().has_tensor_type() &&
      (around_ == nullptr || info.type().tensor_type().elem_type() != 0)) {
    value.type = data_type(info.type().tensor_type().elem_type(), info.name());
    value.shape = shape_of(info.type().tensor_type(), info.name());
  }
  define(info.name(), id);
  graph_.inputs.push_back(id);
}

void Scope::add_initializers(GraphProto& proto) {
  for (onnx_file::TensorProto& tensor : *proto.mutable_initializer()) {
    if (tensor.name().empty()) fail("an initializer has no name");
    ir::Tensor elements =
        in_context([&] { return format("reading initializer '{}'", tensor.name()); },
                   [&] { return model_.tensors.read(tensor); });
    define(tensor.name(), add_value(frames_.back().prefix + tensor.name(), std::move(elements)));
  }
  if (proto.sparse_initializer_size() > 0)
    fail("the initializer '{}' is sparse; dense ones are supported",
         proto.sparse_initializer(0).values().name());
}

ValueIds Scope::inline_graph(GraphProto& body, const std::string& owner) {
  if (++model_.depth > kDeepest) fail("bodies and functions lie more than {} deep", kDeepest);
  Frame frame = frames_.back();  // a body sees what its node sees
  for (const std::string& name : made_names(body)) frame.names.erase(name);
  frame.prefix += owner + "/";
  frames_.push_back(std::move(frame));
  add_initializers(body);
  std::vector<NodeProto*> nodes;
  for (NodeProto& node : *body.mutable_node()) nodes.push_back(&node);
  import_nodes(std::move(nodes));
  ValueIds results;
  for (const auto& output : body.output()) results.push_back(find(output.name()));
  frames_.pop_back();
  --model_.depth;
  return results;
}

void Scope::import_graph(GraphProto& proto) {
  if (++model_.depth > kDeepest) fail("bodies and functions lie more than {} deep", kDeepest);
  graph_.name = proto.name();
  if (around_ != nullptr) {  // a body inside a function sees the function's attributes
    frames_.front().attributes = around_->frames_.back().attributes;
    frames_.front().opsets = around_->frames_.back().opsets;
  }
  add_initializers(proto);
  for (const auto& input : proto.input())
    if (!frames_.back().names.contains(input.name())) add_input(input);
  std::vector<NodeProto*> nodes;
  for (NodeProto& node : *proto.mutable_node()) nodes.push_back(&node);
  import_nodes(std::move(nodes));
  add_outputs(proto);
  --model_.depth;
}

void Scope::import_nodes(std::vector<NodeProto*> nodes) {
  for (NodeProto* node :
       in_order(nodes, [&](const std::string& name) { return find_optional(name).has_value(); })) {
    in_context(
        [&] { return format("importing node '{}' ({})", node_title(*node), node->op_type()); },
        [&] { import_node(*node); });
  }
}

void Scope::import_node(NodeProto& proto) {
  const std::string domain = proto.domain() == "ai.onnx" ? "" : proto.domain();
  const std::string name = free_name(frames_.back().prefix + node_title(proto), node_names_);
  const auto function = model_.functions.find({domain, proto.op_type()});
  if (function != model_.functions.end()) return inline_function(proto, *function->second, name);
  const int64_t version = opset(domain);
  const Operator* row = find_operator(domain, proto.op_type(), version);
  if (row == nullptr) fail("the operator is not supported");
  const size_t first_node = graph_.nodes.size();
  Node node(*this, proto, version);
  const size_t first_value = graph_.values.size();
  const ValueIds results = row->import(node);
  for (const std::string& attribute : node.unread())
    log::warning("node '{}' ({}): the attribute '{}' is not known and is ignored", name,
                 proto.op_type(), attribute);
  bind_results(proto, results, first_value);
  name_nodes(name, first_node);
}

void Scope::bind_results(const NodeProto& proto, const ValueIds& results, size_t first_value) {
  std::vector<ValueId> bound;
  for (size_t i = 0; i < static_cast<size_t>(proto.output_size()); ++i) {
    const std::string& name = proto.output(static_cast<int>(i));
    if (name.empty()) continue;
    if (i >= results.size() || results[i] == kNoValue)
      fail("output {} ('{}') is not supported", i, name);
    ValueId id = results[i];
    const bool is_new = static_cast<size_t>(id) >= first_value && !graph_.value(id).constant &&
                        std::find(bound.begin(), bound.end(), id) == bound.end();
    const bool is_constant = static_cast<size_t>(id) >= first_value && graph_.value(id).constant;
    if (!is_new && !is_constant) {
      const ValueId copy = add_value(name, std::nullopt);
      add_node(Op::Identity, {id}, {copy}, ir::NoAttributes{});
      id = copy;
    } else if (std::find(bound.begin(), bound.end(), id) == bound.end()) {
      graph_.value(id).name = free_name(frames_.back().prefix + name, value_names_);
    }
    bound.push_back(id);
    define(name, id);
  }
}

void Scope::name_nodes(const std::string& name, size_t first_node) {
  std::vector<size_t> unnamed;  // nodes of a body put in place have their names
  for (size_t i = first_node; i < graph_.nodes.size(); ++i)
    if (graph_.nodes[i].name.empty()) unnamed.push_back(i);
  if (unnamed.empty()) return;
  const size_t main = main_node(graph_.nodes, unnamed);
  for (const size_t i : unnamed) {
    ir::Node& node = graph_.nodes[i];
    node.name =
        i == main ? name : free_name(format("{}/{}", name, ir::info(node.op).text), node_names_);
    node.origins = {name};
  }
}

void Scope::inline_function(const NodeProto& call, const onnx_file::FunctionProto& function,
                            const std::string& name) {
  if (++model_.depth > kDeepest) fail("the function '{}' calls itself", function.name());
  Frame frame;
  frame.prefix = name + "/";
  frame.sees_around = false;
  for (const auto& opset : function.opset_import())
    frame.opsets[opset.domain() == "ai.onnx" ? "" : opset.domain()] = opset.version();
  for (int i = 0; i < function.input_size(); ++i) {
    const bool given = i < call.input_size() && !call.input(i).empty();
    frame.names[function.input(i)] = given ? find(call.input(i)) : kNoValue;
  }
  for (const AttributeProto& attribute : call.attribute())
    frame.attributes[attribute.name()] = attribute.ref_attr_name().empty()
                                             ? &attribute
                                             : function_attribute(attribute.ref_attr_name());
  frames_.push_back(std::move(frame));
  onnx_file::FunctionProto body = function;
  std::vector<NodeProto*> nodes;
  for (NodeProto& node : *body.mutable_node()) nodes.push_back(&node);
  import_nodes(std::move(nodes));
  ValueIds results;
  for (const std::string& output : function.output()) results.push_back(find(output));
  frames_.pop_back();
  --model_.depth;
  for (int i = 0; i < call.output_size(); ++i) {
    if (call.output(i).empty()) continue;
    if (static_cast<size_t>(i) >= results.size())
      fail("the function '{}' has {} outputs", function.name(), results.size());
    define(call.output(i), results[static_cast<size_t>(i)]);
  }
}

void Scope::add_outputs(const GraphProto& proto) {
  for (const auto& output : proto.output()) {
    const auto found = find_optional(output.name());
    if (!found || *found == kNoValue) fail("nothing makes the output '{}'", output.name());
    require_tensor(*found);
    ValueId id = *found;
    const bool has_own = around_ != nullptr || (!graph_.is_input(id) && !graph_.is_output(id));
    // A network's output is the result of a layer, whatever the file says.
    if (!has_own || (around_ == nullptr && graph_.value(id).constant)) {
      const ValueId copy = add_value(output.name() + "/output", std::nullopt);
      const size_t first_node = graph_.nodes.size();
      add_node(Op::Identity, {id}, {copy}, ir::NoAttributes{});
      name_nodes(free_name(output.name() + "/output", node_names_), first_node);
      id = copy;
    }
    if (around_ == nullptr && graph_.value(id).name != output.name() && has_own) {
      // The output of an inlined function: users know it by the graph's name for it.
      graph_.value(id).name = free_name(output.name(), value_names_);
    }
    graph_.outputs.push_back(id);
  }
}

}  // namespace dlaexec::onnx
