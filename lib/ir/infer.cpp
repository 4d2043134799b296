#include "ir/infer.h"

#include <algorithm>

#include "ir/infer/site.h"

namespace dlaexec::ir {
namespace {

/// Constants with more elements are data, not shapes.
constexpr int64_t kMostConstantElements = 1024;

std::unique_ptr<Contents> given_contents(const Value& value) {
  if (is_float(value.type)) return nullptr;
  auto contents = std::make_unique<Contents>();
  if (is_static(value.shape) && volume(dims_of(value.shape)) == 0) {
    contents->dims = dims_of(value.shape);  // an empty one is known by its shape
    return contents;
  }
  if (!value.constant || value.constant->count() > kMostConstantElements) return nullptr;
  contents->dims = value.constant->dims();
  for (const int64_t element : value.constant->to_ints()) contents->elements.emplace_back(element);
  return contents;
}

bool has_bodies(Op op) { return op == Op::If || op == Op::Loop || op == Op::Scan; }

bool inputs_are_ranked(const Site& site) {
  for (size_t i = 0; i < site.input_count(); ++i)
    if (site.has(i) && !is_ranked(site.shape(i))) return false;
  return true;
}

}  // namespace

void Inference::visit(Node& node) {
  if (node.op == Op::ForeignNode) return;  // carries its own types and shapes
  in_context(
      [&] {
        const std::string_view op = info(node.op).text;
        if (node.name.empty()) return format("inferring the shapes of its {}", op);
        return format("inferring the shapes of node '{}' ({})", node.name, op);
      },
      [&] {
        BodyResult result;
        const Site site(graph_, node, *this);
        if (has_bodies(node.op)) {
          result = infer_bodies(graph_, node, types_);
        } else {
          // A reformat is what its output says it is.
          const bool fixed = types_ == Types::Keep || node.op == Op::Reformat;
          if (!fixed) result.types = result_types(site);
          result.shapes = inputs_are_ranked(site) ? result_shapes(site)
                                                  : Shapes(node.outputs.size(), unranked());
        }
        DLAEXEC_CHECK(result.shapes.size() >= node.outputs.size());
        for (size_t i = 0; i < node.outputs.size(); ++i) {
          if (node.outputs[i] == kNoValue) continue;
          Value& value = graph_.value(node.outputs[i]);
          value.shape = result.shapes[i];
          if (!result.types.empty() && types_ == Types::Infer) value.type = result.types[i];
        }
        if (const auto contents = result_contents(site))
          contents_[node.outputs[0]] = std::make_unique<Contents>(*contents);
      });
}

const Contents* Inference::contents(ValueId id) const {
  const auto found = contents_.find(id);
  if (found != contents_.end()) return found->second.get();
  return contents_.emplace(id, given_contents(graph_.value(id))).first->second.get();
}

std::optional<Ints> Inference::known_ints(ValueId id) const {
  const Contents* known = contents(id);
  if (!known) return std::nullopt;
  Ints ints;
  for (const Dim& element : known->elements) {
    if (!element.is_known()) return std::nullopt;
    ints.push_back(element.value);
  }
  return ints;
}

void infer(Graph& graph) {
  Inference inference(graph, Inference::Types::Infer);
  for (Node& node : graph.nodes) inference.visit(node);
}

void infer_shapes(Graph& graph) {
  Inference inference(graph, Inference::Types::Keep);
  for (Node& node : graph.nodes) inference.visit(node);
}

std::vector<std::string> symbols(const Graph& graph) {
  std::vector<std::string> found;
  for (const ValueId id : graph.inputs)
    for (const Dim& dim : graph.value(id).shape)
      if (!dim.is_known() && std::find(found.begin(), found.end(), dim.symbol) == found.end())
        found.push_back(dim.symbol);
  return found;
}

Graph specialize(const Graph& graph, const std::map<std::string, int64_t>& sizes) {
  const std::vector<std::string> known = symbols(graph);
  for (const auto& [name, size] : sizes) {
    if (std::find(known.begin(), known.end(), name) == known.end())
      fail("no input has a dimension called '{}'; {}", name,
           known.empty() ? "all dimensions are fixed" : "there is: " + join(known, ", "));
    if (size < 0) fail("dimension '{}' is {}; it must be 0 or more", name, size);
  }
  Graph result = graph;
  for (const ValueId id : result.inputs)
    for (Dim& dim : result.value(id).shape)
      if (const auto at = sizes.find(dim.symbol); !dim.is_known() && at != sizes.end())
        dim = at->second;
  infer_shapes(result);
  return result;
}

}  // namespace dlaexec::ir
