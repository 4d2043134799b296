// One ONNX node on its way into the graph: what operator functions read and write.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"
#include "ir/infer.h"

namespace dlaexec::onnx_file {
class AttributeProto;
class NodeProto;
}  // namespace dlaexec::onnx_file

namespace dlaexec::onnx {

using ir::ActivationKind;
using ir::ElementwiseKind;
using ir::kNoValue;
using ir::Op;
using ir::UnaryKind;
using ir::ValueId;
using ValueIds = std::vector<ValueId>;

class Scope;

/// Attributes are asked for by name; what nobody asked for is reported as ignored. Nodes that are
/// added belong to this ONNX node; the results are given ONNX's names by the caller.
class Node {
 public:
  Node(Scope& scope, const onnx_file::NodeProto& proto, int64_t opset);

  const std::string& op() const;
  const std::string& name() const { return name_; }
  int64_t opset() const { return opset_; }

  // Attributes, with their defaults.
  bool has_attribute(std::string_view name) const;
  int64_t integer(std::string_view name, int64_t otherwise) const;
  int64_t required_integer(std::string_view name) const;
  bool flag(std::string_view name, bool otherwise) const { return integer(name, otherwise) != 0; }
  float real(std::string_view name, float otherwise) const;
  std::string text(std::string_view name, std::string_view otherwise) const;
  ir::Ints ints(std::string_view name, const ir::Ints& otherwise = {}) const;
  ir::Floats reals(std::string_view name) const;
  ir::Strings texts(std::string_view name) const;
  std::optional<ir::Tensor> tensor(std::string_view name) const;
  /// A type by its ONNX number.
  ir::DataType type(std::string_view name, ir::DataType otherwise) const;
  /// A body, imported into a graph of its own that may use this graph's values.
  ir::Subgraph body(std::string_view name) const;
  /// The results of a body without inputs whose nodes are put into this graph.
  ValueIds inline_body(std::string_view name);
  /// An attribute that means nothing here: not reported as ignored.
  void ignore(std::string_view name) const;
  /// The attributes that nobody asked for.
  std::vector<std::string> unread() const;

  // Inputs and outputs.
  size_t input_count() const { return inputs_.size(); }
  size_t output_count() const;
  bool has(size_t input) const { return optional(input) != kNoValue; }
  bool wants(size_t output) const;
  /// Throws an Error when the input is absent.
  ValueId in(size_t input) const;
  ValueId optional(size_t input) const {
    return input < inputs_.size() ? inputs_[input] : kNoValue;
  }
  const ValueIds& inputs() const { return inputs_; }
  /// The tensors of an input that is a sequence.
  const ValueIds& sequence(size_t input) const;

  // What is known of a value.
  const ir::Value& value(ValueId id) const;
  ir::DataType type_of(ValueId id) const { return value(id).type; }
  /// Throws an Error when the rank is not known.
  const ir::Shape& shape(ValueId id) const;
  /// One dimension; throws an Error when there are fewer.
  const ir::Dim& dim(ValueId id, int64_t axis) const;
  int64_t rank(ValueId id) const { return static_cast<int64_t>(shape(id).size()); }
  /// @p axis made non-negative; throws an Error when it is outside @p rank.
  int64_t axis_in(int64_t axis, int64_t rank) const;
  std::optional<ir::Ints> known(ValueId id) const;
  /// Elements that must be known; @p what names them in the Error.
  ir::Ints required(ValueId id, std::string_view what) const;
  const ir::Tensor* constant(ValueId id) const;

  // Adding to the graph.
  /// A result that stands for a sequence of tensors.
  ValueId add_sequence(ValueIds parts);
  /// What is added from now on computes in Float32 whatever the build allows: numbers that are
  /// integers do not fit halves.
  void hold_integers() { holds_integers_ = true; }
  ValueId add(Op op, ValueIds inputs, ir::Attributes attributes);
  ValueId add(Op op, ValueIds inputs) { return add(op, std::move(inputs), default_of(op)); }
  ValueIds add_several(Op op, ValueIds inputs, ir::Attributes attributes, size_t outputs);
  ValueId constant(ir::Tensor tensor);
  ValueId ints_constant(const ir::Ints& ints) {
    return constant(ir::Tensor::of<int64_t>({static_cast<int64_t>(ints.size())}, ints));
  }
  /// One number in the type of @p like.
  ValueId number(double number, ValueId like);
  ValueId binary(ElementwiseKind kind, ValueId a, ValueId b);
  ValueId unary(UnaryKind kind, ValueId a);
  ValueId activation(ActivationKind kind, ValueId a, float alpha = 0, float beta = 0);
  ValueId cast(ValueId a, ir::DataType type);
  ValueId reshape(ValueId a, const ir::Ints& shape);
  ValueId reshape_to(ValueId a, ValueId shape);
  ValueId transpose(ValueId a, const ir::Ints& perm);
  ValueId unsqueeze(ValueId a, const ir::Ints& axes);
  ValueId squeeze(ValueId a, const ir::Ints& axes);
  ValueId reduce(ir::ReduceKind kind, ValueId a, const ir::Ints& axes, bool keep_dims);
  ValueId concat(const ValueIds& parts, int64_t axis);
  /// Elements [start, end) of one axis.
  ValueId slice(ValueId a, int64_t axis, int64_t start, int64_t end);
  ValueId shape_of(ValueId a, int64_t start = 0, int64_t end = INT64_MAX);

 private:
  static ir::Attributes default_of(Op op) { return ir::default_attributes(op); }
  /// The attribute, through the references of a function's body; null when absent.
  const onnx_file::AttributeProto* find(std::string_view name) const;
  const onnx_file::AttributeProto* find(std::string_view name, int type,
                                        std::string_view kind) const;

  Scope& scope_;
  const onnx_file::NodeProto& proto_;
  int64_t opset_;
  std::string name_;
  ValueIds inputs_;
  bool holds_integers_ = false;
  mutable std::vector<std::string> asked_;
};

}  // namespace dlaexec::onnx
