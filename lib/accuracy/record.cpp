#include "accuracy/record.h"

#include <iterator>
#include <set>

#include "base/log.h"
#include "build/model.h"
#include "build/shapes.h"
#include "dla/loadable.h"

namespace dlaexec::accuracy {
namespace {

std::vector<MadeTensor> made_by(const ir::Graph& graph, const ir::Node& node) {
  std::vector<MadeTensor> made;
  if (node.op == ir::Op::Reformat) return made;
  for (const ir::ValueId id : node.outputs)
    if (id != ir::kNoValue) made.push_back({graph.value(id).name, join(node.origins, "+")});
  return made;
}

/// What the hardware operations of a DLA step make, each tensor once.
std::vector<MadeTensor> made_by(const dla::Loadable& loadable) {
  std::vector<MadeTensor> made;
  std::set<std::string> met;
  for (const dla::Operation& operation : loadable.operations) {
    const std::string& name = loadable.cube(operation.output).name;
    if (met.insert(name).second) made.push_back({name, join(operation.origins, "+")});
  }
  return made;
}

std::vector<MadeTensor> made_by(const plan::Plan& plan, const ir::Node& node) {
  if (node.op != ir::Op::ForeignNode) return made_by(plan.graph, node);
  const auto index = static_cast<size_t>(node.get<ir::ForeignNodeAttributes>().loadable);
  return made_by(dla::deserialize(plan.loadables[index].bytes));
}

void append(std::vector<MadeTensor>& all, std::vector<MadeTensor> more) {
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

std::vector<build::InputShape> shapes_of(const plan::Plan& plan) {
  std::vector<build::InputShape> shapes;
  for (const plan::ShapeRange& range : plan.metadata.shapes)
    shapes.push_back({range.input, range.min, range.opt, range.max, range.profile});
  return shapes;
}

void require_same_inputs(const ir::Graph& network, const plan::Plan& plan,
                         const std::string& model_path) {
  for (const ir::ValueId id : plan.graph.inputs) {
    const std::string& name = plan.graph.value(id).name;
    const auto found = network.find_value(name);
    if (!found || !network.is_input(*found))
      fail(
          "the plan has an input '{}' and '{}' has none of that name; give the model that the "
          "plan was made of ('{}')",
          name, model_path, plan.metadata.model);
  }
}

}  // namespace

void BuildRecord::listen(build::Options& options) {
  options.on_stage = [this, before = options.on_stage](std::string_view stage,
                                                       const ir::Graph& graph) {
    if (stage == "import") network = graph;
    if (stage == "types") {
      typed = graph;
      for (const ir::Node& node : graph.nodes) append(made, made_by(graph, node));
    }
    if (before) before(stage, graph);
  };
  options.on_quantized = [this, before = options.on_quantized](const quant::Report& report) {
    ranges = report;
    if (before) before(report);
  };
}

BuildRecord record_of(const plan::Plan& plan) {
  BuildRecord record;
  record.typed = plan.graph;
  for (const ir::Node& node : plan.graph.nodes) append(record.made, made_by(plan, node));
  record.network = plan.graph;
  record.network.nodes.clear();
  for (const auto* ids : {&plan.graph.inputs, &plan.graph.outputs})
    for (const ir::ValueId id : *ids) {
      ir::Value& value = record.network.value(id);
      if (value.type == ir::DataType::Int8 && !value.quantization.is_known()) continue;
      if (ir::is_float(value.type) || value.type == ir::DataType::Int8)
        value.type = ir::DataType::Float32;
    }
  return record;
}

ir::Graph network_of(const plan::Plan& plan, const std::string& model_path) {
  build::Options options;
  options.model_path = model_path;
  build::Model model = build::read_model(options);
  if (model.hash != plan.metadata.model_hash)
    log::warning("the plan was made of '{}', which is not the same file as '{}'",
                 plan.metadata.model, model_path);
  require_same_inputs(model.graph, plan, model_path);
  build::apply_shapes(model.graph, shapes_of(plan));
  return std::move(model.graph);
}

}  // namespace dlaexec::accuracy
