// Layers that move elements: concat, slice, reshape, transpose, resize.
#include <algorithm>

#include "dla/compile/lower.h"

namespace dlaexec::dla {
namespace {

void require_kept(const Builder& builder, CubeId input, CubeId output) {
  const Cube& from = builder.cube(input);
  const Cube& to = builder.cube(output);
  if (from.type != to.type || from.scale != to.scale)
    fail("its input is {} scale {:.6g}, its output {} scale {:.6g}; the DLA keeps both here",
         ir::text(from.type), from.scale, ir::text(to.type), to.scale);
}

bool is_product_with_constant(const ir::Graph& graph, const ir::Node& node, ir::ValueId left) {
  return (node.op == ir::Op::Gemm || node.op == ir::Op::MatMul) && node.inputs[0] == left &&
         graph.value(node.inputs[1]).constant.has_value();
}

/// Whether everything that reads @p flat is a product, whose kernel can cover H and W itself.
bool feeds_products_alone(const ir::Graph& graph, ir::ValueId flat) {
  if (graph.is_output(flat)) return false;
  return std::ranges::all_of(graph.nodes, [&](const ir::Node& node) {
    return std::ranges::count(node.inputs, flat) == 0 ||
           is_product_with_constant(graph, node, flat);
  });
}

std::vector<int64_t> constant_ints(const ir::Graph& graph, const ir::Node& node, size_t index,
                                   std::string_view what) {
  const ir::ValueId id = ir::Graph::input(node, index);
  if (id == ir::kNoValue) return {};
  const ir::Tensor* constant = graph.constant(node, index);
  if (constant == nullptr) fail("its {} are not constant", what);
  return constant->to_ints();
}

void add_copy(Builder& builder, const ir::Node& node, CubeId input, CubeId output, const Nchw& from,
              const Nchw& to, const Nchw& extent) {
  RubikParameters copy;
  copy.kind = RubikKind::Copy;
  copy.from = from;
  copy.to = to;
  copy.extent = extent;
  builder.add(node, builder.cube(input).type, input, output, copy);
}

/// One input of a concat, already computed, to its channels of the output.
void append_part(Builder& builder, const ir::Node& node, CubeId input, CubeId output,
                 int64_t first) {
  const Cube from = builder.cube(input);
  const Cube to = builder.cube(output);
  const bool is_aligned = first % to.layout.lanes == 0;
  const bool is_same = from.type == to.type && from.scale == to.scale;
  if (is_aligned) {
    const CubeId part = builder.add_part(from.name + ".part", output, first, from.dims);
    if (is_same)
      builder.add(node, from.type, input, part, BdmaParameters{});
    else
      add_conversion(builder, node, input, part);
    return;
  }
  CubeId same = input;
  if (!is_same) {
    same = builder.add_cube(from.name + ".rescaled", from.dims, to.type, to.scale);
    add_conversion(builder, node, input, same);
  }
  add_copy(builder, node, same, output, {0, 0, 0, 0}, {0, first, 0, 0}, from.dims);
}

}  // namespace

// Inputs that can be written in place already lie inside the output: see place_parts.
void lower_concat(Builder& builder, const ir::Node& node) {
  if (node.get<ir::AxisAttributes>().axis != 1) fail("the DLA concatenates channels alone");
  const CubeId output = builder.cube_of(node.outputs[0]);
  int64_t first = 0;
  for (const ir::ValueId id : node.inputs) {
    const CubeId input = builder.cube_of(id);
    const Nchw dims = builder.cube(input).dims;
    if (!builder.is_inside(input, output, first)) append_part(builder, node, input, output, first);
    first += dims.c;
  }
}

// Concats in reverse, so that the inputs of one that is itself an input of another lie in the
// outermost.
void place_parts(Builder& builder) {
  const ir::Graph& graph = builder.graph();
  const std::vector<int> made_by = ir::producers(graph);
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    if (node->op != ir::Op::Concat || node->get<ir::AxisAttributes>().axis != 1) continue;
    const CubeId whole = builder.cube_of(node->outputs[0]);
    int64_t first = 0;
    for (const ir::ValueId id : node->inputs) {
      const int64_t start = first;
      const ir::Value& value = graph.value(id);
      first += nchw_of(ir::dims_of(value.shape)).c;
      const int producer = made_by[static_cast<size_t>(id)];
      if (builder.is_bound(id) || producer < 0 || graph.is_output(id)) continue;
      const Cube& to = builder.cube(whole);
      const bool is_same =
          value.type == to.type &&
          (value.type != ir::DataType::Int8 ||
           (value.quantization.scales.size() == 1 && value.quantization.scales[0] == to.scale));
      if (is_same && start % to.layout.lanes == 0) builder.place_inside(id, whole, start);
    }
  }
}

void lower_slice(Builder& builder, const ir::Node& node) {
  if (builder.generation() == Generation::Xavier) fail("Xavier's DLA has no slice");
  const ir::Graph& graph = builder.graph();
  const CubeId input = builder.cube_of(node.inputs[0]);
  const CubeId output = builder.cube_of(node.outputs[0]);
  require_kept(builder, input, output);
  const std::vector<int64_t> starts = constant_ints(graph, node, 1, "starts");
  std::vector<int64_t> axes = constant_ints(graph, node, 3, "axes");
  const std::vector<int64_t> steps = constant_ints(graph, node, 4, "steps");
  if (std::ranges::any_of(steps, [](int64_t step) { return step != 1; }))
    fail("the DLA slices with steps of 1");
  if (axes.empty())
    for (size_t i = 0; i < starts.size(); ++i) axes.push_back(static_cast<int64_t>(i));
  if (graph.value(node.inputs[0]).shape.size() != 4) fail("the DLA slices tensors of 4 dimensions");
  const Nchw& dims = builder.cube(input).dims;
  const int64_t sizes[] = {dims.n, dims.c, dims.h, dims.w};
  int64_t from[4] = {};
  for (size_t i = 0; i < axes.size(); ++i) {
    const int64_t axis = axes[i] < 0 ? axes[i] + 4 : axes[i];
    const int64_t size = sizes[axis];
    from[axis] = std::clamp<int64_t>(starts[i] < 0 ? starts[i] + size : starts[i], 0, size);
  }
  if (builder.cube(output).dims.n != dims.n) fail("the DLA does not slice the batch");
  add_copy(builder, node, input, output, {from[0], from[1], from[2], from[3]}, {0, 0, 0, 0},
           builder.cube(output).dims);
}

void lower_reshape(Builder& builder, const ir::Node& node) {
  const ir::Graph& graph = builder.graph();
  const ir::ValueId to = node.outputs[0];
  const CubeId input = builder.cube_of(node.inputs[0]);
  const Nchw from = builder.cube(input).dims;
  const Nchw dims = nchw_of(ir::dims_of(graph.value(to).shape));
  const bool is_features = builder.cube(input).format != ir::Format::DlaHwc4;
  const bool is_flat = dims.h == 1 && dims.w == 1 && from.h <= 32 && from.w <= 32;
  const bool is_alias = from == dims || (is_flat && is_features && feeds_products_alone(graph, to));
  if (is_alias && !builder.is_bound(to)) return builder.bind(to, input);
  const CubeId output = builder.cube_of(to);
  require_kept(builder, input, output);
  if (from == dims) {
    builder.add(node, builder.cube(input).type, input, output, BdmaParameters{});
    return;
  }
  if (builder.generation() == Generation::Xavier) fail("Xavier's DLA has no reshape");
  if (from.n != dims.n) fail("the DLA's reshape leaves the batch alone");
  RubikParameters reshape;
  reshape.kind = RubikKind::Reshape;
  builder.add(node, builder.cube(input).type, input, output, reshape);
}

void lower_transpose(Builder& builder, const ir::Node& node) {
  if (builder.generation() == Generation::Xavier) fail("Xavier's DLA has no transpose");
  const ir::Ints& perm = node.get<ir::TransposeAttributes>().perm;
  const CubeId input = builder.cube_of(node.inputs[0]);
  const CubeId output = builder.cube_of(node.outputs[0]);
  require_kept(builder, input, output);
  if (perm.size() != 4 || perm[0] != 0) fail("the DLA transposes C, H and W of 4 dimensions");
  RubikParameters transpose;
  transpose.kind = RubikKind::Transpose;
  transpose.order = {perm[0], perm[1], perm[2], perm[3]};
  builder.add(node, builder.cube(input).type, input, output, transpose);
}

void lower_resize(Builder& builder, const ir::Node& node) {
  const auto& attributes = node.get<ir::ResizeAttributes>();
  const CubeId input = builder.cube_of(node.inputs[0]);
  const CubeId output = builder.cube_of(node.outputs[0]);
  require_kept(builder, input, output);
  const Nchw& in = builder.cube(input).dims;
  const Nchw& out = builder.cube(output).dims;
  if (out.h % in.h != 0 || out.w % in.w != 0 || out.c != in.c || out.n != in.n)
    fail("it resizes {} to {}; the DLA enlarges H and W by whole factors", to_text(in),
         to_text(out));
  RubikParameters resize;
  resize.factor = {out.h / in.h, out.w / in.w};
  using Coordinates = ir::CoordinateMode;
  if (attributes.mode == ir::ResizeMode::Nearest) {
    // For whole factors half-pixel rounding of either kind is the floor of asymmetric.
    const bool is_floor = attributes.coordinates == Coordinates::Asymmetric &&
                          attributes.nearest == ir::NearestMode::Floor;
    const bool is_half = attributes.coordinates == Coordinates::HalfPixel &&
                         (attributes.nearest == ir::NearestMode::RoundPreferFloor ||
                          attributes.nearest == ir::NearestMode::RoundPreferCeil);
    if (!is_floor && !is_half)
      fail("the DLA resizes by nearest with asymmetric floor or half-pixel rounding");
    resize.kind = RubikKind::ResizeNearest;
  } else if (attributes.mode == ir::ResizeMode::Linear &&
             attributes.coordinates == Coordinates::HalfPixel && !attributes.antialias) {
    resize.kind = RubikKind::ResizeLinear;
  } else {
    fail("the DLA resizes by nearest, or bilinear with half-pixel centres");
  }
  builder.add(node, builder.cube(input).type, input, output, resize);
}

}  // namespace dlaexec::dla
