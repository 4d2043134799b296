#include "build/segments.h"

#include <map>

#include "base/log.h"
#include "base/progress.h"
#include "passes/rewrite.h"

namespace dlaexec::build {
namespace {

double mebibytes(int64_t bytes) { return static_cast<double>(bytes) / (1024.0 * 1024.0); }

plan::Loadable as_plan_loadable(const dla::Loadable& loadable, std::string name) {
  auto bytes = std::make_shared<std::string>(dla::serialize(loadable));
  const std::span<const std::byte> view = std::as_bytes(std::span(bytes->data(), bytes->size()));
  return {std::move(name), view, std::move(bytes)};
}

/// The values of @p graph that have the names of those of @p part.
std::vector<ir::ValueId> in_whole(const ir::Graph& graph, const ir::Graph& part,
                                  const std::vector<ir::ValueId>& ids) {
  std::vector<ir::ValueId> found;
  for (const ir::ValueId id : ids) found.push_back(graph.find_value(part.value(id).name).value());
  return found;
}

ir::Node foreign_node(const ir::Graph& graph, const ir::Graph& segment, const std::string& name,
                      size_t loadable) {
  ir::Node node;
  node.op = ir::Op::ForeignNode;
  node.name = name;
  node.inputs = in_whole(graph, segment, segment.inputs);
  node.outputs = in_whole(graph, segment, segment.outputs);
  node.attributes = ir::ForeignNodeAttributes{static_cast<int64_t>(loadable)};
  for (const ir::Node& inside : segment.nodes)
    node.origins.insert(node.origins.end(), inside.origins.begin(), inside.origins.end());
  node.device = ir::Device::Dla;
  return node;
}

/// The compiler settles the formats of tensors at the segment's edge.
void take_formats(ir::Graph& graph, const ir::Node& node, const dla::Loadable& loadable) {
  for (size_t i = 0; i < node.inputs.size(); ++i)
    graph.value(node.inputs[i]).format = loadable.cube(loadable.inputs[i]).format;
  for (size_t i = 0; i < node.outputs.size(); ++i)
    graph.value(node.outputs[i]).format = loadable.cube(loadable.outputs[i]).format;
}

/// Reformats that feed or follow a segment are known to people by the segment's name.
void rename_reformats(ir::Graph& graph) {
  const std::vector<int> made_by = ir::producers(graph);
  const std::vector<std::vector<int>> used_by = ir::uses(graph);
  const auto rename = [&](int index, std::string_view side, size_t position,
                          const std::string& foreign) {
    if (index < 0 || graph.nodes[static_cast<size_t>(index)].op != ir::Op::Reformat) return;
    graph.nodes[static_cast<size_t>(index)].name =
        format("Reformatting CopyNode for {} Tensor {} to {}", side, position, foreign);
  };
  for (const ir::Node& node : graph.nodes) {
    if (node.op != ir::Op::ForeignNode) continue;
    for (size_t i = 0; i < node.inputs.size(); ++i)
      if (used_by[static_cast<size_t>(node.inputs[i])].size() == 1)
        rename(made_by[static_cast<size_t>(node.inputs[i])], "Input", i, node.name);
    for (size_t i = 0; i < node.outputs.size(); ++i)
      for (const int user : used_by[static_cast<size_t>(node.outputs[i])])
        if (graph.is_output(graph.nodes[static_cast<size_t>(user)].outputs[0]))
          rename(user, "Output", i, node.name);
  }
}

std::string pools_text(const dla::Pools& pools) {
  return format("Managed SRAM = {:.6g} MiB, Local DRAM = {:.6g} MiB, Global DRAM = {:.6g} MiB",
                mebibytes(pools.sram), mebibytes(pools.local), mebibytes(pools.global));
}

}  // namespace

std::vector<plan::Loadable> compile_segments(ir::Graph& graph,
                                             const std::vector<std::string>& names,
                                             const dla::CompileOptions& options) {
  std::map<int, std::vector<int>> members;
  for (size_t i = 0; i < graph.nodes.size(); ++i)
    if (graph.nodes[i].device == ir::Device::Dla)
      members[graph.nodes[i].segment].push_back(static_cast<int>(i));
  if (members.empty()) return {};

  log::verbose("DLA Memory Pool Sizes: {}",
               pools_text({options.pools.sram, options.pools.local, options.pools.global}));
  dla::Pools total;
  const progress::Scope compiling("compiling loadables", std::ssize(members));
  std::vector<plan::Loadable> loadables;
  std::vector<std::pair<int, ir::Node>> foreign;
  std::vector<int> replaced;
  for (const auto& [number, nodes] : members) {
    const std::string& name = names.at(static_cast<size_t>(number));
    const ir::Graph segment = ir::extract(graph, nodes, name);
    const dla::Loadable loadable = dla::compile(segment, options);
    foreign.emplace_back(nodes.front(), foreign_node(graph, segment, name, loadables.size()));
    take_formats(graph, foreign.back().second, loadable);
    log::verbose("{} successfully offloaded to DLA.", name);
    log::verbose("Memory consumption: {}", pools_text(loadable.pools));
    total = {total.sram + loadable.pools.sram, total.local + loadable.pools.local,
             total.global + loadable.pools.global};
    loadables.push_back(as_plan_loadable(loadable, name));
    replaced.insert(replaced.end(), nodes.begin() + 1, nodes.end());
    progress::advance();
  }
  log::verbose("Memory required by accepted candidates: {}", pools_text(total));
  for (auto& [index, node] : foreign) graph.nodes[static_cast<size_t>(index)] = std::move(node);
  passes::erase_nodes(graph, replaced);
  ir::sort_topologically(graph);
  rename_reformats(graph);
  return loadables;
}

}  // namespace dlaexec::build
