// The last resort: the definition of the op in ref/ runs the node.
#include <cstring>
#include <memory>

#include "cpu/catalog.h"
#include "ref/evaluate.h"

namespace dlaexec::cpu {
namespace {

/// A graph that holds one node and what it uses.
struct Single {
  ir::Graph graph;
  std::vector<std::optional<ir::Tensor>> constants;  ///< by input
  std::vector<std::optional<ir::Dims>> input_dims;   ///< by input; nothing where data decides
  std::vector<ir::DataType> input_types;
};

Single single_of(const Request& request) {
  Single single;
  ir::Node node = request.node;
  for (ir::ValueId& id : node.inputs) {
    std::optional<ir::Tensor> constant;
    std::optional<ir::Dims> dims;
    ir::DataType type = ir::DataType::Float32;
    if (id != ir::kNoValue) {
      const ir::Value& value = request.graph.value(id);
      constant = value.constant;
      type = value.type;
      if (ir::is_static(value.shape)) dims = ir::dims_of(value.shape);
      single.graph.values.push_back(value);
      id = static_cast<ir::ValueId>(single.graph.values.size()) - 1;
    }
    single.constants.push_back(std::move(constant));
    single.input_dims.push_back(std::move(dims));
    single.input_types.push_back(type);
  }
  for (ir::ValueId& id : node.outputs) {
    if (id == ir::kNoValue) continue;
    single.graph.values.push_back(request.graph.value(id));
    id = static_cast<ir::ValueId>(single.graph.values.size()) - 1;
  }
  single.graph.nodes.push_back(std::move(node));
  return single;
}

ir::Tensor tensor_of(const Single& single, size_t input, const Operand& operand) {
  if (single.constants[input]) return *single.constants[input];
  if (operand.tensor != nullptr) return *operand.tensor;
  if (operand.data == nullptr) return {};
  ir::Tensor sized(
      single.input_types[input], *single.input_dims[input],
      {operand.data, static_cast<size_t>(size_bytes(*single.input_dims[input],
                                                    {single.input_types[input], Order::Linear}))},
      nullptr);
  return sized;
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
    std::vector<ir::Tensor> inputs;
    for (size_t i = 0; i < call.inputs.size(); ++i)
      inputs.push_back(tensor_of(*single, i, call.inputs[i]));
    const std::vector<ir::Tensor> results =
        ref::evaluate(single->graph, single->graph.nodes[0], inputs);
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
