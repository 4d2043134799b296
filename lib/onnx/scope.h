// A graph being filled from ONNX: the model's graph, a body, or a function put in place.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "ir/infer.h"
#include "onnx/node.h"
#include "onnx/tensor_data.h"

namespace dlaexec::onnx_file {
class FunctionProto;
class GraphProto;
class ModelProto;
class ValueInfoProto;
}  // namespace dlaexec::onnx_file

namespace dlaexec::onnx {

/// What all scopes of a model share.
struct Model {
  TensorReader tensors;
  std::map<std::string, int64_t> opsets;  ///< by domain, "" being the standard one
  /// Functions of the model, by domain and name.
  std::map<std::pair<std::string, std::string>, const onnx_file::FunctionProto*> functions;
  int depth = 0;  ///< of nested bodies and functions, to stop a function that calls itself
};

class Scope {
 public:
  /// A scope that fills @p graph. @p around is where a body finds values it does not make.
  Scope(Model& model, ir::Graph& graph, Scope* around)
      : model_(model), graph_(graph), inference_(graph), around_(around) {}

  /// Fills the graph with inputs, initializers, nodes and outputs of @p proto.
  void import_graph(onnx_file::GraphProto& proto);

  /// Puts the nodes of a body without inputs into this graph; gives its results. Names of nodes
  /// begin with that of @p owner, whose body it is.
  ValueIds inline_graph(onnx_file::GraphProto& body, const std::string& owner);

  Model& model() { return model_; }
  ir::Graph& graph() { return graph_; }
  const ir::Inference& inference() const { return inference_; }

  /// The value called @p name here or around. Throws an Error when there is none.
  ValueId find(const std::string& name);
  std::optional<ValueId> find_optional(const std::string& name);
  /// Adds a value under a name that is free, made from @p name.
  ValueId add_value(std::string name, std::optional<ir::Tensor> constant);
  /// Adds a value that no node reads: it stands for a sequence of tensors.
  ValueId add_sequence(std::string name, ValueIds parts);
  /// The tensors of a sequence; null for other values.
  const ValueIds* sequence(ValueId id) const;
  /// Adds a node and infers its outputs.
  void add_node(Op op, ValueIds inputs, ValueIds outputs, ir::Attributes attributes);
  const onnx_file::AttributeProto* function_attribute(const std::string& name) const;
  /// The opset of @p domain; throws an Error when the model imports none.
  int64_t opset(const std::string& domain) const;

 private:
  /// While a function's body is put in place: names are its own.
  struct Frame {
    std::unordered_map<std::string, ValueId> names;
    std::map<std::string, const onnx_file::AttributeProto*> attributes;
    std::map<std::string, int64_t> opsets;
    std::string prefix;
    bool sees_around = true;  ///< the body of a function sees nothing but its inputs
  };

  void add_initializers(onnx_file::GraphProto& proto);
  void add_input(const onnx_file::ValueInfoProto& info);
  void import_nodes(std::vector<onnx_file::NodeProto*> nodes);
  void import_node(onnx_file::NodeProto& proto);
  void inline_function(const onnx_file::NodeProto& call, const onnx_file::FunctionProto& function,
                       const std::string& name);
  void add_outputs(const onnx_file::GraphProto& proto);
  /// Throws an Error when @p id is a sequence.
  void require_tensor(ValueId id) const;
  void define(const std::string& name, ValueId id);
  /// Gives the results of a node ONNX's names; one that is no new value gets an identity.
  void bind_results(const onnx_file::NodeProto& proto, const ValueIds& results, size_t first_value);
  void name_nodes(const std::string& name, size_t first_node);
  std::string free_name(std::string wanted, std::unordered_set<std::string>& taken) const;

  Model& model_;
  ir::Graph& graph_;
  ir::Inference inference_;
  Scope* around_;
  std::vector<Frame> frames_ = std::vector<Frame>(1);
  std::unordered_map<ValueId, ValueId>
      captured_;  ///< values of the scope around, by their ids there
  std::unordered_map<ValueId, ValueIds> sequences_;
  std::unordered_set<std::string> value_names_;
  std::unordered_set<std::string> node_names_;
};

/// The text by which messages call a node.
std::string node_title(const onnx_file::NodeProto& proto);

}  // namespace dlaexec::onnx
