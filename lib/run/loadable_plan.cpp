#include "run/loadable_plan.h"

#include "dla/loadable.h"
#include "dla/platform.h"

namespace dlaexec::run {
namespace {

std::string_view board_of(dla::Generation generation) {
  return generation == dla::Generation::Orin ? dla::kDefaultPlatform : "agx-xavier";
}

ir::Value value_of(const dla::Cube& cube) {
  ir::Value value;
  value.name = cube.name;
  value.type = cube.type;
  value.shape = ir::shape_of({cube.dims.n, cube.dims.c, cube.dims.h, cube.dims.w});
  value.format = cube.format;
  if (cube.type == ir::DataType::Int8) value.quantization = {{cube.scale}, 0};
  return value;
}

}  // namespace

plan::Plan plan_of_loadable(std::span<const std::byte> bytes, std::shared_ptr<const void> owner) {
  const dla::Loadable loadable = dla::deserialize(bytes, owner);
  plan::Plan plan;
  plan.graph.name = loadable.name;
  for (const dla::CubeId id : loadable.inputs)
    plan.graph.inputs.push_back(plan.graph.add_value(value_of(loadable.cube(id))));
  for (const dla::CubeId id : loadable.outputs)
    plan.graph.outputs.push_back(plan.graph.add_value(value_of(loadable.cube(id))));
  ir::Node& node = plan.graph.add_node(ir::Op::ForeignNode, loadable.name, plan.graph.inputs,
                                       plan.graph.outputs);
  node.device = ir::Device::Dla;
  node.origins.clear();
  for (const dla::Operation& operation : loadable.operations)
    node.origins.insert(node.origins.end(), operation.origins.begin(), operation.origins.end());
  plan.loadables.push_back({loadable.name, bytes, std::move(owner)});
  plan.metadata.platform = board_of(loadable.generation);
  plan.metadata.dla_core = 0;
  return plan;
}

}  // namespace dlaexec::run
