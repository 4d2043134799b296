#include "build/shapes.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/log.h"
#include "ir/infer.h"

namespace dlaexec::build {
namespace {

const ir::Value& input_named(const ir::Graph& graph, const std::string& name) {
  for (const ir::ValueId id : graph.inputs)
    if (graph.value(id).name == name) return graph.value(id);
  fail("Cannot find input tensor with name \"{}\" in the network inputs! They are: {}", name,
       join(graph.inputs, ", ", [&](ir::ValueId id) { return graph.value(id).name; }));
}

/// The sizes must agree with what the model knows of the input.
void require_fit(const ir::Value& input, const ir::Dims& dims) {
  bool fits = dims.size() == input.shape.size();
  for (size_t i = 0; fits && i < dims.size(); ++i)
    fits = dims[i] >= 0 && (!input.shape[i].is_known() || input.shape[i].value == dims[i]);
  if (!fits)
    fail("input '{}' is {} in the model; the shape {} does not fit it{}", input.name,
         ir::to_text(input.shape), ir::to_text(dims),
         ir::is_static(input.shape) ? ". A static model does not take other shapes: export it with "
                                      "that size, or with open sizes"
                                    : "");
}

void require_ordered(const InputShape& shape) {
  for (size_t i = 0; i < shape.opt.size(); ++i)
    if (shape.min[i] > shape.opt[i] || shape.opt[i] > shape.max[i])
      fail("the shapes of input '{}' must not fall from min to opt to max; they are {}, {}, {}",
           shape.input, ir::to_text(shape.min), ir::to_text(shape.opt), ir::to_text(shape.max));
}

/// Each symbol that @p dims give a value; a second value for the same symbol is an Error.
void learn(const ir::Value& input, const ir::Dims& dims, std::map<std::string, int64_t>& symbols) {
  for (size_t i = 0; i < dims.size(); ++i) {
    const ir::Dim& dim = input.shape[i];
    if (dim.is_known()) continue;
    const auto [at, fresh] = symbols.try_emplace(dim.symbol, dims[i]);
    if (!fresh && at->second != dims[i])
      fail("dimension {} of input '{}' is {}, but another input makes '{}' {}; they must be equal",
           i, input.name, dims[i], dim.symbol, at->second);
  }
}

/// 1 for every unknown size, as trtexec does.
ir::Dims ones(const ir::Value& input) {
  ir::Dims dims;
  for (const ir::Dim& dim : input.shape) dims.push_back(dim.is_known() ? dim.value : 1);
  log::warning(
      "Dynamic dimensions required for input: {}, but no shapes were provided. Automatically "
      "overriding shape to: {}",
      input.name, ir::to_text(dims));
  return dims;
}

/// Profiles are numbered from 0 without gaps.
void require_counted(const std::set<int>& profiles) {
  int next = 0;
  for (const int profile : profiles)
    if (profile != next++)
      fail("optimization profile {} is given and profile {} is not; number them from 0", profile,
           next - 1);
}

/// The one shape that every profile gives the input; null when it may differ.
const ir::Dims* only_shape(const std::vector<plan::ShapeRange>& ranges, const std::string& input) {
  const ir::Dims* only = nullptr;
  for (const plan::ShapeRange& range : ranges) {
    if (range.input != input) continue;
    if (range.min != range.max || (only != nullptr && *only != range.opt)) return nullptr;
    only = &range.opt;
  }
  return only;
}

}  // namespace

std::vector<plan::ShapeRange> apply_shapes(ir::Graph& graph,
                                           const std::vector<InputShape>& shapes) {
  std::map<std::pair<int, std::string>, InputShape> wanted;
  std::set<int> profiles;
  if (shapes.empty()) profiles = {0};
  for (const InputShape& shape : shapes) {
    const ir::Value& input = input_named(graph, shape.input);
    for (const ir::Dims* dims : {&shape.min, &shape.opt, &shape.max}) require_fit(input, *dims);
    require_ordered(shape);
    wanted[{shape.profile, shape.input}] = shape;
    profiles.insert(shape.profile);
  }
  require_counted(profiles);
  std::vector<plan::ShapeRange> ranges;
  for (const int profile : profiles)
    for (const ir::ValueId id : graph.inputs) {
      const ir::Value& input = graph.value(id);
      const auto found = wanted.find({profile, input.name});
      if (found == wanted.end() && ir::is_static(input.shape)) continue;
      if (found != wanted.end()) {
        const InputShape& shape = found->second;
        ranges.push_back({shape.input, shape.min, shape.opt, shape.max, profile});
      } else {
        const ir::Dims dims = ones(input);
        ranges.push_back({input.name, dims, dims, dims, profile});
      }
    }
  std::map<std::string, int64_t> fixed;
  for (const ir::ValueId id : graph.inputs)
    if (const ir::Dims* dims = only_shape(ranges, graph.value(id).name))
      learn(graph.value(id), *dims, fixed);
  if (!fixed.empty()) graph = ir::specialize(graph, fixed);
  return ranges;
}

}  // namespace dlaexec::build
