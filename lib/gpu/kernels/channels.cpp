// Launches of channels.cu: instance, group and lp norm, local response.
#include "base/error.h"
#include "gpu/families.h"
#include "gpu/kernels/channels_params.h"

namespace dlaexec::gpu {
namespace {

using ir::Op;

int64_t volume_after(const View& view, size_t axis) {
  int64_t volume = 1;
  for (size_t d = axis + 1; d < view.dims.size(); ++d) volume *= view.dims[d];
  return volume;
}

ChannelsParams parameters(const View& x, const View& y) {
  ChannelsParams p{};
  p.count = ir::volume(x.dims);
  p.inner = volume_after(x, 1);
  p.channels = static_cast<int>(x.dims[1]);
  p.x_scale = x.scale;
  p.y_inverse = 1 / y.scale;
  return p;
}

Step& add(Lowering& lowering, const ir::Node& node, std::string expression, int64_t blocks,
          const ChannelsParams& p, const View& x, const View& y) {
  Step& step = lowering.add(node, "", {"channels.cu", std::move(expression)},
                            {{blocks, 1, 1}, {256, 1, 1}}, p);
  patch(step, &ChannelsParams::x, x.place);
  patch(step, &ChannelsParams::y, y.place);
  step.bytes = static_cast<double>(span_bytes(x) + span_bytes(y));
  return step;
}

void lower_group_norm(Lowering& lowering, const ir::Node& node, const View& x, const View& y) {
  const auto& attributes = node.get<ir::NormAttributes>();
  ChannelsParams p = parameters(x, y);
  const int64_t groups = node.op == Op::GroupNorm ? attributes.groups : x.dims[1];
  p.run = x.dims[1] / groups * p.inner;
  p.epsilon = attributes.epsilon;
  const Place gain = lowering.constant_floats(lowering.graph().constant(node, 1)->to_floats());
  const Place shift = lowering.constant_floats(lowering.graph().constant(node, 2)->to_floats());
  Step& step =
      add(lowering, node, format("group_norm<{}, {}>", device_type(x.type), device_type(y.type)),
          p.count / p.run, p, x, y);
  patch(step, &ChannelsParams::gain, gain);
  patch(step, &ChannelsParams::shift, shift);
}

void lower_local_response(Lowering& lowering, const ir::Node& node, const View& x, const View& y) {
  const auto& attributes = node.get<ir::LrnAttributes>();
  ChannelsParams p = parameters(x, y);
  p.before = static_cast<int>((attributes.size - 1) / 2);
  p.after = static_cast<int>(attributes.size - 1) - p.before;
  p.epsilon = attributes.bias;
  p.alpha = attributes.alpha / static_cast<float>(attributes.size);
  p.beta = attributes.beta;
  add(lowering, node, format("local_response<{}, {}>", device_type(x.type), device_type(y.type)),
      ceil_div(p.count, 256), p, x, y);
}

void lower_unit_length(Lowering& lowering, const ir::Node& node, const View& x, const View& y) {
  const auto& attributes = node.get<ir::NormAttributes>();
  const size_t axis =
      static_cast<size_t>(attributes.axis < 0 ? attributes.axis + x.rank() : attributes.axis);
  ChannelsParams p{};
  p.count = ir::volume(x.dims);
  p.inner = volume_after(x, axis);
  p.run = x.dims[axis];
  p.x_scale = x.scale;
  p.y_inverse = 1 / y.scale;
  add(lowering, node,
      format("unit_length<{}, {}, {}>", device_type(x.type), device_type(y.type),
             attributes.p == 1),
      p.count / p.run, p, x, y);
}

}  // namespace

std::optional<std::string> why_not_channels(const ir::Graph& graph, const ir::Node& node,
                                            const Target&) {
  for (const ir::ValueId id : {node.inputs[0], node.outputs[0]})
    if (!is_device_type(graph.value(id).type))
      return format("elements of type {}", ir::text(graph.value(id).type));
  if (node.op == Op::LpNorm) return std::nullopt;
  if (graph.value(node.inputs[0]).shape.size() < 2) return std::string("no channels");
  if (node.op == Op::Lrn) return std::nullopt;
  for (const size_t i : {size_t{1}, size_t{2}})
    if (!graph.constant(node, i)) return std::string("a gain or shift that is no constant");
  return std::nullopt;
}

void lower_channels(Lowering& lowering, const ir::Node& node) {
  const View x = lowering.dense(node.inputs[0]);
  const View y = lowering.target_dense(node.outputs[0]);
  if (node.op == Op::Lrn) return lower_local_response(lowering, node, x, y);
  if (node.op == Op::LpNorm) return lower_unit_length(lowering, node, x, y);
  lower_group_norm(lowering, node, x, y);
}

}  // namespace dlaexec::gpu
