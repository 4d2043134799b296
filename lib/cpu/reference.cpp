// The last resort: the definition of the op in ref/ runs the node.
#include <cstring>
#include <memory>

#include "cpu/catalog.h"
#include "ir/captures.h"
#include "ref/call.h"

namespace dlaexec::cpu {
namespace {

/// A value that is given to the node: at run time, or now if it is constant.
struct Given {
  ir::ValueId id = ir::kNoValue;  ///< in the graph of one node
  std::optional<ir::Tensor> constant;
  std::optional<ir::Dims> dims;  ///< nothing where data decides
  ir::DataType type = ir::DataType::Float32;
};

/// A graph that holds one node and what it uses.
struct Single {
  ir::Graph graph;
  std::vector<Given> given;  ///< the inputs, then what bodies capture
};

Given add_given(ir::Graph& single, const ir::Graph& graph, ir::ValueId id) {
  if (id == ir::kNoValue) return {};
  const ir::Value& value = graph.value(id);
  single.values.push_back(value);
  Given given{static_cast<ir::ValueId>(single.values.size()) - 1, value.constant, {}, value.type};
  if (ir::is_static(value.shape)) given.dims = ir::dims_of(value.shape);
  return given;
}

Single single_of(const Request& request) {
  Single single;
  ir::Node node = request.node;
  for (ir::ValueId& id : node.inputs) {
    single.given.push_back(add_given(single.graph, request.graph, id));
    id = single.given.back().id;
  }
  for (const ir::ValueId id : ir::captured_values(request.graph, request.node))
    single.given.push_back(add_given(single.graph, request.graph, id));
  for (ir::ValueId& id : node.outputs) {
    if (id == ir::kNoValue) continue;
    single.graph.values.push_back(request.graph.value(id));
    id = static_cast<ir::ValueId>(single.graph.values.size()) - 1;
  }
  single.graph.nodes.push_back(std::move(node));
  return single;
}

ir::Tensor tensor_of(const Given& given, const Operand& operand) {
  if (given.constant) return *given.constant;
  if (operand.tensor != nullptr) return *operand.tensor;
  if (operand.data == nullptr) return {};
  const int64_t bytes = size_bytes(*given.dims, {given.type, Order::Linear});
  return {given.type, *given.dims, {operand.data, static_cast<size_t>(bytes)}, nullptr};
}

/// The node's results.
ref::Tensors evaluate(const Single& single, const Call& call) {
  const ir::Node& node = single.graph.nodes[0];
  ref::Tensors inputs, values(single.graph.values.size());
  for (size_t i = 0; i < call.inputs.size(); ++i) {
    ir::Tensor tensor = tensor_of(single.given[i], call.inputs[i]);
    if (i < node.inputs.size()) inputs.push_back(tensor);
    const ir::ValueId id = single.given[i].id;
    if (id != ir::kNoValue) values[static_cast<size_t>(id)] = std::move(tensor);
  }
  return ref::evaluate(single.graph, node, inputs, ref::Scope{&single.graph, &values, nullptr});
}

}  // namespace

Kernel make_reference(const Request& request) {
  Kernel kernel;
  kernel.name = "ref." + std::string(ir::info(request.node.op).text);
  for (size_t i = 0; i < request.node.inputs.size(); ++i) {
    const bool computed = request.has_input(i) && request.constant(i) == nullptr;
    kernel.inputs.push_back(computed ? std::optional<Layout>({request.input(i).type, Order::Linear})
                                     : std::nullopt);
  }
  for (const ir::ValueId id : request.node.outputs) {
    const ir::DataType type =
        id == ir::kNoValue ? ir::DataType::Float32 : request.graph.value(id).type;
    kernel.outputs.push_back({type, Order::Linear});
  }
  kernel.rounds = Rounds::Itself;
  kernel.run = [single = std::make_shared<const Single>(single_of(request))](const Call& call) {
    const ref::Tensors results = evaluate(*single, call);
    for (size_t i = 0; i < call.outputs.size(); ++i) {
      if (call.outputs[i].tensor != nullptr)
        *call.outputs[i].tensor = results[i];
      else if (call.outputs[i].data != nullptr)
        std::memcpy(call.outputs[i].data, results[i].bytes().data(), results[i].size_bytes());
    }
  };
  return kernel;
}

}  // namespace dlaexec::cpu
