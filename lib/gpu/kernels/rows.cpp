// Launches of rows.cu: reductions, softmax and norms along one run of axes.
#include <algorithm>
#include <optional>

#include "base/error.h"
#include "gpu/families.h"
#include "gpu/groups.h"
#include "gpu/kernels/reduction.h"
#include "gpu/kernels/rows_params.h"

namespace dlaexec::gpu {
namespace {

using ir::Op;

/// A view seen as [outer][length][inner] around a run of its axes.
struct Rows {
  int64_t outer = 1, length = 1, inner = 1;
  int64_t outer_step = 1, step = 1;
};

/// Dense axes [first, last] of @p view.
Rows dense_rows(const View& view, size_t first, size_t last) {
  Rows rows;
  for (size_t i = 0; i < view.dims.size(); ++i)
    (i < first ? rows.outer : i <= last ? rows.length : rows.inner) *= view.dims[i];
  rows.step = rows.inner;
  rows.outer_step = rows.length * rows.inner;
  return rows;
}

std::string_view reduction_name(ir::ReduceKind kind) {
  using Kind = ir::ReduceKind;
  switch (kind) {
    case Kind::Sum:
      return "Sum";
    case Kind::Mean:
      return "Mean";
    case Kind::Max:
      return "Max";
    case Kind::Min:
      return "Min";
    case Kind::Prod:
      return "Prod";
    case Kind::L1:
      return "L1";
    case Kind::L2:
      return "L2";
    case Kind::LogSum:
      return "LogSum";
    case Kind::SumSquare:
      return "SumSquare";
    case Kind::LogSumExp:
      return {};
  }
  return {};
}

RowsParams parameters(const View& x, const View& y, const Rows& in, const Rows& out) {
  RowsParams p{};
  p.outer = static_cast<int>(in.outer);
  p.length = static_cast<int>(in.length);
  p.inner = static_cast<int>(in.inner);
  p.x_outer = in.outer_step;
  p.x_step = in.step;
  p.y_outer = out.outer_step;
  p.y_step = out.step;
  p.x_scale = x.scale;
  p.y_inverse = 1 / y.scale;
  return p;
}

void finish(Step& step, const View& x, const View& y) {
  patch(step, &RowsParams::x, x.place);
  patch(step, &RowsParams::y, y.place);
  step.bytes = static_cast<double>(span_bytes(x) + span_bytes(y));
}

int block_for(int64_t length) {
  return static_cast<int>(std::clamp(round_up(ceil_div(length, 4), 32), int64_t{32}, int64_t{256}));
}

/// @p rounded: ", Read, Made" of reduce_columns, where those are types of their own.
void add_reduction(Lowering& lowering, const ir::Node& node, const View& x, const View& y,
                   const Rows& in, const Rows& out, std::string_view rounded = "") {
  const std::string_view kind = reduction_name(node.get<ir::ReduceAttributes>().kind);
  const RowsParams p = parameters(x, y, in, out);
  const Launch a_block_a_row{{in.outer * in.inner, 1, 1}, {block_for(in.length), 1, 1}};
  if (kind.empty()) {  // the exponentials need the largest element first
    const Kernel kernel{"rows.cu",
                        format("log_sum_exp<{}, {}>", device_type(x.type), device_type(y.type))};
    return finish(lowering.add(node, "", kernel, a_block_a_row, p), x, y);
  }
  const int64_t vec = vector_elements(x.type);
  const bool wide = in.inner % vec == 0 && in.inner > 1;
  if (in.inner > 1 && in.outer <= 65535) {
    const Kernel kernel{"rows.cu",
                        format("reduce_columns<{}, {}, {}, {}{}>", kind, device_type(x.type),
                               device_type(y.type), wide ? vec : 1, rounded)};
    // Few vectors side by side leave more threads for the length.
    const int64_t vectors = ceil_div(in.inner, wide ? vec : 1);
    int across = 1;
    while (across < 32 && across < vectors) across *= 2;
    // 4 or more elements a thread along the length; 8 floats of 512 threads are 16 kB.
    int along = 1;
    while (across * along < 512 && 8 * along < in.length) along *= 2;
    const Launch launch{{ceil_div(vectors, across), in.outer, 1}, {across, along, 1}};
    finish(lowering.add(node, "", kernel, launch, p), x, y);
    return;
  }
  const Kernel kernel{
      "rows.cu", format("reduce_rows<{}, {}, {}>", kind, device_type(x.type), device_type(y.type))};
  finish(lowering.add(node, "", kernel, a_block_a_row, p), x, y);
}

/// True if no axis that stays lies between those of @p axes.
bool are_neighbours(const ir::Ints& axes) {
  return axes.back() - axes.front() + 1 == std::ssize(axes);
}

/// Dense @p x as [kept axes][reduced axes], moved.
View reduced_last(Lowering& lowering, const ir::Node& node, const View& x, const ir::Ints& axes) {
  View from = x;
  from.dims.clear();
  from.strides.clear();
  for (const bool reduced : {false, true})
    for (size_t i = 0; i < x.dims.size(); ++i) {
      if ((std::find(axes.begin(), axes.end(), static_cast<int64_t>(i)) != axes.end()) != reduced)
        continue;
      from.dims.push_back(x.dims[i]);
      from.strides.push_back(x.strides[i]);
    }
  const View to = lowering.scratch_view(x.type, x.scale, from.dims, Arrangement::Dense);
  lowering.copy(node, "order", from, to);
  return to;
}

void lower_reduce(Lowering& lowering, const ir::Node& node) {
  const auto& attributes = node.get<ir::ReduceAttributes>();
  const View x = lowering.view(node.inputs[0]);
  const bool spatial = x.arrangement == Arrangement::Pixels && attributes.axes == ir::Ints{2, 3};
  if (spatial) {
    View y = lowering.target_view(node.outputs[0]);
    // [N, C, 1, 1] as pixels, or [N, C], lies as channels of one pixel; padding comes along.
    const int64_t y_row = y.arrangement == Arrangement::Pixels ? y.pixel() : y.strides[0];
    const int64_t inner = round_up(x.dims[1], vector_elements(x.type));
    if (y_row == inner || (y_row > inner && y.type == ir::DataType::Int8)) {
      const Rows in{x.dims[0], x.dims[2] * x.dims[3], inner, x.strides[0], x.pixel()};
      return add_reduction(lowering, node, x, y, in, {in.outer, 1, inner, y_row, inner});
    }
  }
  View dense = lowering.dense(node.inputs[0]);
  const View y = lowering.target_dense(node.outputs[0]);
  size_t first = static_cast<size_t>(attributes.axes.front());
  if (!are_neighbours(attributes.axes)) {
    dense = reduced_last(lowering, node, dense, attributes.axes);
    first = dense.dims.size() - attributes.axes.size();
  }
  const Rows in = dense_rows(dense, first, first + attributes.axes.size() - 1);
  add_reduction(lowering, node, dense, y, in, {in.outer, 1, in.inner, in.inner, in.inner});
}

Reduction reduction_in(const ir::Graph& graph, const Group& group) {
  const Links links(graph);
  for (const int node : group.nodes)
    if (const auto found = reduction_of(links, graph.nodes[static_cast<size_t>(node)]))
      return *found;
  fail("'{}' is no reduction", graph.nodes[static_cast<size_t>(group.at)].name);
}

/// With the changes of type around it.
void lower_reduction(Lowering& lowering, const Group& group) {
  const ir::Graph& graph = lowering.graph();
  const Reduction parts = reduction_in(graph, group);
  const View x = lowering.pixels(parts.x());
  const View y = lowering.target_view(parts.last().outputs[0]);
  const int64_t channels = x.dims[1];
  const Rows in{x.dims[0], x.dims[2] * x.dims[3], channels, x.strides[0], x.pixel()};
  const std::string rounded =
      format(", {}, {}", device_type(graph.value(parts.reduce->inputs[0]).type),
             device_type(graph.value(parts.reduce->outputs[0]).type));
  add_reduction(lowering, *parts.reduce, x, y, in, {in.outer, 1, channels, y.strides[0], channels},
                rounded);
}

void lower_softmax(Lowering& lowering, const ir::Node& node) {
  const auto& attributes = node.get<ir::SoftmaxAttributes>();
  const View x = lowering.dense(node.inputs[0]);
  const View y = lowering.target_dense(node.outputs[0]);
  const size_t axis = static_cast<size_t>(attributes.axis);
  const Rows rows = dense_rows(x, axis, attributes.flatten ? x.dims.size() - 1 : axis);
  const RowsParams p = parameters(x, y, rows, rows);
  const std::string types = format("{}, {}", device_type(x.type), device_type(y.type));
  const bool log = attributes.kind == ir::SoftmaxKind::LogSoftmax;
  const Kernel kernel{"rows.cu", attributes.kind == ir::SoftmaxKind::Hardmax
                                     ? format("hardmax<{}>", types)
                                     : format("softmax<{}, {}>", types, log)};
  const Launch launch{{rows.outer * rows.inner, 1, 1}, {block_for(rows.length), 1, 1}};
  finish(lowering.add(node, "", kernel, launch, p), x, y);
}

void lower_norm(Lowering& lowering, const ir::Node& node) {
  const auto& attributes = node.get<ir::NormAttributes>();
  const View x = lowering.dense(node.inputs[0]);
  const View y = lowering.target_dense(node.outputs[0]);
  const int64_t axis = attributes.axis < 0 ? attributes.axis + x.rank() : attributes.axis;
  const Rows rows = dense_rows(x, static_cast<size_t>(axis), x.dims.size() - 1);
  RowsParams p = parameters(x, y, rows, rows);
  p.epsilon = attributes.epsilon;
  Kernel kernel{"rows.cu", format("normalize<{}, {}, {}>", device_type(x.type), device_type(y.type),
                                  node.op == Op::LayerNorm)};
  Launch launch{{rows.outer, 1, 1}, {block_for(rows.length), 1, 1}};
  const int64_t vec = std::min(vector_elements(x.type), vector_elements(y.type));
  const int64_t passes = ceil_div(rows.length, 32 * vec);
  if (rows.length % vec == 0 && passes <= 6) {
    kernel.expression = format("normalize_in_registers<{}, {}, {}, {}>", device_type(x.type),
                               device_type(y.type), node.op == Op::LayerNorm, passes);
    launch = {{ceil_div(rows.outer, 4), 1, 1}, {128, 1, 1}};
    launch.runs_on = true;
  }
  const Place gain = lowering.constant_floats(lowering.graph().constant(node, 1)->to_floats());
  const ir::Tensor* shift = lowering.graph().constant(node, 2);
  const Place shifts = shift ? lowering.constant_floats(shift->to_floats()) : Place{};
  Step& step = lowering.add(node, "", kernel, launch, p);
  patch(step, &RowsParams::gain, gain);
  patch(step, &RowsParams::shift, shifts);
  finish(step, x, y);
}

}  // namespace

std::optional<Group> reduction_around(const Links& links, const ir::Node& node, const Target&) {
  const std::optional<Reduction> parts = reduction_of(links, node);
  if (!parts || (!parts->before && !parts->after)) return std::nullopt;
  const ir::Graph& graph = links.graph();
  const ir::Value &x = graph.value(node.inputs[0]), &y = graph.value(node.outputs[0]);
  // int8 would need a scale of its own to be rounded to on the way.
  if ((parts->before && x.type == ir::DataType::Int8) ||
      (parts->after && y.type == ir::DataType::Int8) ||
      reduction_name(node.get<ir::ReduceAttributes>().kind).empty() ||
      ir::dims_of(x.shape)[0] > 65535)
    return std::nullopt;
  Group group;
  for (const ir::Node* part : parts->nodes()) group.nodes.push_back(links.index(*part));
  group.at = group.nodes.back();
  group.lower = lower_reduction;
  return group;
}

std::optional<std::string> why_not_rows(const ir::Graph& graph, const ir::Node& node,
                                        const Target&) {
  const ir::Value& x = graph.value(node.inputs[0]);
  const ir::Value& y = graph.value(node.outputs[0]);
  if (!is_device_type(x.type) || !is_device_type(y.type))
    return format("elements of type {}", ir::text(is_device_type(x.type) ? y.type : x.type));
  if (node.op == Op::Reduce) {
    const auto& attributes = node.get<ir::ReduceAttributes>();
    if (attributes.axes.empty()) return std::string("a reduction over no axes");
  }
  if (node.op == Op::LayerNorm || node.op == Op::RmsNorm)
    for (size_t i = 1; i < node.inputs.size(); ++i)
      if (node.inputs[i] != ir::kNoValue && !graph.constant(node, i))
        return std::string("a gain or shift that is no constant");
  return std::nullopt;
}

void lower_rows(Lowering& lowering, const ir::Node& node) {
  if (node.op == Op::Reduce) return lower_reduce(lowering, node);
  if (node.op == Op::Softmax) return lower_softmax(lowering, node);
  lower_norm(lowering, node);
}

}  // namespace dlaexec::gpu
