#include "dla/compile/builder.h"

#include <algorithm>

#include "ir/dla_formats.h"

namespace dlaexec::dla {
Builder::Builder(const ir::Graph& graph, Generation generation) : graph_(graph) {
  loadable_.name = graph.name;
  loadable_.generation = generation;
}

Cube Builder::describe(ir::ValueId id) const {
  const ir::Value& value = graph_.value(id);
  if (value.type != ir::DataType::Float16 && value.type != ir::DataType::Int8)
    fail("tensor '{}' is {}; the DLA computes f16 and i8", value.name, ir::text(value.type));
  if (!ir::is_static(value.shape))
    fail("tensor '{}' has shape {}; the DLA takes static shapes", value.name,
         ir::to_text(value.shape));
  Cube cube;
  cube.name = value.name;
  cube.dims = nchw_of(ir::dims_of(value.shape));
  cube.type = value.type;
  cube.format = ir::cut_format(value.type);
  if (value.type == ir::DataType::Int8) {
    if (value.quantization.scales.size() != 1 || !(value.quantization.scales[0] > 0))
      fail("tensor '{}' is i8 with {} scales; the DLA takes one positive scale per tensor",
           value.name, value.quantization.scales.size());
    cube.scale = value.quantization.scales[0];
  }
  return cube;
}

CubeId Builder::append(Cube cube) {
  if (cube.part_of < 0)
    cube.layout = layout_of(cube.format, cube.type, cube.dims, loadable_.generation);
  loadable_.cubes.push_back(std::move(cube));
  return static_cast<CubeId>(loadable_.cubes.size()) - 1;
}

CubeId Builder::cube_of(ir::ValueId value) {
  const auto found = cubes_.find(value);
  if (found != cubes_.end()) return found->second;
  const CubeId id = append(describe(value));
  cubes_[value] = id;
  return id;
}

CubeId Builder::add_cube(std::string name, const Nchw& dims, ir::DataType type, float scale) {
  Cube cube;
  cube.name = std::move(name);
  cube.dims = dims;
  cube.type = type;
  cube.format = ir::cut_format(type);
  cube.scale = scale;
  return append(std::move(cube));
}

CubeId Builder::add_part(std::string name, CubeId whole, int64_t first, const Nchw& dims) {
  Cube part = cube(whole);
  DLAEXEC_CHECK(first % part.layout.lanes == 0);
  part.name = std::move(name);
  part.dims = dims;
  part.place.offset += part.layout.offset(0, first, 0, 0);
  if (part.part_of < 0) part.part_of = whole;
  return append(std::move(part));
}

void Builder::place_inside(ir::ValueId value, CubeId whole, int64_t first) {
  const Nchw dims = nchw_of(ir::dims_of(graph_.value(value).shape));
  const CubeId part = add_part(graph_.value(value).name, whole, first, dims);
  inside_.insert({part, whole, first});
  bind(value, part);
}

/// HWC4 saves a first convolution the padding of 3 channels to 16 or 32.
bool Builder::suits_hwc4(ir::ValueId id) const {
  const Nchw dims = nchw_of(ir::dims_of(graph_.value(id).shape));
  if (dims.c != 1 && dims.c != 3 && dims.c != 4) return false;
  return std::all_of(graph_.nodes.begin(), graph_.nodes.end(), [&](const ir::Node& node) {
    const auto uses = std::count(node.inputs.begin(), node.inputs.end(), id);
    return uses == 0 || (uses == 1 && node.op == ir::Op::Conv && node.inputs[0] == id &&
                         node.get<ir::ConvAttributes>().groups <= 4);
  });
}

ir::Format Builder::input_format(ir::ValueId id) const {
  const ir::Value& value = graph_.value(id);
  if (value.format == ir::Format::DlaHwc4 && !suits_hwc4(id))
    fail("input '{}' is dla_hwc4; only convolutions of at most 4 groups read that format",
         value.name);
  if (ir::is_dla_format(value.format, value.type)) return value.format;
  if (value.format != ir::Format::Linear)
    fail("input '{}' is {} of {}; the DLA reads dla_linear, dla_hwc4, chw16 of f16 and chw32 of i8",
         value.name, ir::text(value.format), ir::text(value.type));
  return suits_hwc4(id) ? ir::Format::DlaHwc4 : ir::cut_format(value.type);
}

ir::Node Builder::edge_node(const char* what, ir::ValueId id) const {
  ir::Node node;
  node.name = format("{} of {}", what, graph_.value(id).name);
  node.origins = {node.name};
  return node;
}

void Builder::bind_inputs() {
  for (const ir::ValueId id : graph_.inputs) {
    Cube cube = describe(id);
    cube.format = input_format(id);
    cube.place = {Region::Input, static_cast<int32_t>(loadable_.inputs.size()), 0};
    const CubeId input = append(cube);
    loadable_.inputs.push_back(input);
    cubes_[id] = input;
    if (cube.format != ir::Format::DlaLinear) continue;
    const CubeId features = add_cube(cube.name + ".features", cube.dims, cube.type, cube.scale);
    add(edge_node("input format", id), cube.type, input, features, RubikParameters{});
    cubes_[id] = features;
  }
}

void Builder::bind_outputs() {
  for (const ir::ValueId id : graph_.outputs) {
    const ir::Value& value = graph_.value(id);
    const bool is_native = ir::is_dla_format(value.format, value.type, ir::Edge::Output);
    if (value.format == ir::Format::DlaHwc4)
      fail("output '{}' is dla_hwc4; that format exists for inputs only", value.name);
    if (!is_native && value.format != ir::Format::Linear)
      fail("output '{}' is {} of {}; the DLA writes dla_linear, chw16 of f16 and chw32 of i8",
           value.name, ir::text(value.format), ir::text(value.type));
    const Place place{Region::Output, static_cast<int32_t>(loadable_.outputs.size()), 0};
    CubeId result = cube_of(id);
    const bool is_own = cube(result).place.region == Region::Local && cube(result).part_of < 0;
    const bool is_linear = value.format == ir::Format::DlaLinear;
    if (!is_own || is_linear) {
      Cube output = describe(id);
      if (is_linear) output.format = ir::Format::DlaLinear;
      const CubeId copy = append(std::move(output));
      if (is_linear)
        add(edge_node("output format", id), value.type, result, copy, RubikParameters{});
      else
        add(edge_node("output copy", id), value.type, result, copy, BdmaParameters{});
      result = copy;
    } else if (is_native && value.format != cube(result).format) {
      fail("output '{}' is {} of {}; the DLA writes {} or dla_linear", value.name,
           ir::text(value.format), ir::text(value.type), ir::text(cube(result).format));
    }
    loadable_.cube(result).place = place;
    loadable_.outputs.push_back(result);
  }
}

Loadable Builder::finish() && {
  loadable_.weights = ir::Tensor(ir::DataType::Int8, {static_cast<int64_t>(blob_.size())});
  std::memcpy(loadable_.weights.mutable_bytes().data(), blob_.data(), blob_.size());
  return std::move(loadable_);
}

}  // namespace dlaexec::dla
