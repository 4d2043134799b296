#include "gpu/kernels/map.h"

#include <algorithm>

#include "base/error.h"
#include "gpu/chain_text.h"
#include "gpu/families.h"
#include "gpu/kernels/chain.h"
#include "gpu/kernels/conv.h"
#include "gpu/kernels/image_params.h"
#include "gpu/kernels/map_params.h"
#include "gpu/kernels/word.h"
#include "gpu/walk.h"

namespace dlaexec::gpu {
namespace {

using ir::Op;

/// The type that map.cu calls the elements of @p view: integers that only move are words.
std::string_view element_type(const View& view) {
  if (is_device_type(view.type)) return device_type(view.type);
  return word_type(static_cast<int64_t>(ir::size_bytes(view.type)));
}

std::string in_type(std::span<const View> in, size_t index) {
  return index < in.size() ? std::string(element_type(in[index])) : "Nothing";
}

std::string activation_functor(ir::ActivationKind kind) {
  return format("Apply<{}>", device_name(kind));
}

/// The functor of a binary op in map.cu; empty when there is none.
std::string_view binary_name(ir::ElementwiseKind kind) {
  using Kind = ir::ElementwiseKind;
  switch (kind) {
    case Kind::Sum:
      return "Sum";
    case Kind::Sub:
      return "Sub";
    case Kind::Prod:
      return "Prod";
    case Kind::Div:
      return "Div";
    case Kind::Pow:
      return "Pow";
    case Kind::Min:
      return "Min";
    case Kind::Max:
      return "Max";
    default:
      return {};
  }
}

std::string_view unary_name(ir::UnaryKind kind) {
  using Kind = ir::UnaryKind;
  switch (kind) {
    case Kind::Exp:
      return "Exp";
    case Kind::Log:
      return "Log";
    case Kind::Sqrt:
      return "Sqrt";
    case Kind::Reciprocal:
      return "Reciprocal";
    case Kind::Abs:
      return "Abs";
    case Kind::Neg:
      return "Neg";
    case Kind::Sin:
      return "Sin";
    case Kind::Cos:
      return "Cos";
    case Kind::Ceil:
      return "Ceil";
    case Kind::Floor:
      return "Floor";
    case Kind::Round:
      return "Round";
    case Kind::Erf:
      return "Erf";
    default:
      return {};
  }
}

MapFunction function_of(const ir::Node& node) {
  MapFunction function;
  switch (node.op) {
    case Op::Activation: {
      const auto& a = node.get<ir::ActivationAttributes>();
      return {activation_functor(a.kind), a.alpha, a.beta};
    }
    case Op::Unary: {
      const auto kind = node.get<ir::UnaryAttributes>().kind;
      return {std::string(unary_name(kind)), 0, 0, kind == ir::UnaryKind::Abs};
    }
    case Op::Elementwise: {
      const auto& a = node.get<ir::ElementwiseAttributes>();
      const bool finite = a.kind != ir::ElementwiseKind::Div && a.kind != ir::ElementwiseKind::Pow;
      return {format("{}<{}>", binary_name(a.kind), device_name(a.activation)), a.alpha, a.beta,
              finite};
    }
    case Op::PRelu:
      return {"PRelu"};
    case Op::Scale:
      return {"ScaleShift"};
    default:
      return {activation_functor(ir::ActivationKind::None)};
  }
}

/// Per-channel operands of Scale and PRelu as views that broadcast along the other dimensions.
View per_channel(View view, int64_t rank) {
  if (view.rank() != 1 || rank < 2) return view;
  view.dims.resize(static_cast<size_t>(rank - 1), 1);
  view.strides.resize(static_cast<size_t>(rank - 1), 0);
  return view;
}

/// NCHW to NHWC or back, where threads that follow pixels read and write better than a walk.
bool add_image(Lowering& lowering, const ir::Node& node, std::string_view suffix, const View& from,
               const View& to) {
  const bool in = to.arrangement == Arrangement::Pixels && from.arrangement == Arrangement::Dense;
  const bool out = from.arrangement == Arrangement::Pixels && to.arrangement == Arrangement::Dense;
  if ((!in && !out) || from.rank() != 4 || from.dims[0] > 65535) return false;
  const View& planar = in ? from : to;
  const View& pixels = in ? to : from;
  ImageParams p{};
  p.channels = static_cast<int>(planar.dims[1]);
  p.height = p.pixels_h = static_cast<int>(planar.dims[2]);
  p.width = p.pixels_w = static_cast<int>(planar.dims[3]);
  p.stride_n = planar.strides[0];
  p.stride_c = planar.strides[1];
  p.stride_h = planar.strides[2];
  p.stride_w = planar.strides[3];
  const int64_t vec = vector_elements(pixels.type);
  p.vectors = static_cast<int>(pixels.pixel() / vec);
  p.in_scale = from.scale;
  p.out_inverse = 1 / to.scale;
  const Kernel kernel{"image.cu", format("{}<{}, {}, {}>", in ? "to_pixels" : "to_planes",
                                         device_type(from.type), device_type(to.type), vec)};
  const Launch launch{{ceil_div(p.height * int64_t{p.width}, 256), p.vectors, from.dims[0]},
                      {256, 1, 1}};
  Step& step = lowering.add(node, suffix, kernel, launch, p);
  patch(step, &ImageParams::in, from.place);
  patch(step, &ImageParams::out, to.place);
  step.bytes = static_cast<double>(span_bytes(from) + span_bytes(to));
  return true;
}

}  // namespace

void add_map(Lowering& lowering, const ir::Node& node, std::string_view suffix,
             const MapFunction& function, const View& out, std::span<const View> in) {
  DLAEXEC_CHECK(in.size() <= 3);
  const Walk walk = walk_of({&out, 1}, in, function.keeps_finite);
  DLAEXEC_CHECK(walk.axes.size() <= kMapRank);
  const int vec = vector_of(walk, {&out, 1}, in);
  MapParams p{};
  std::fill(std::begin(p.dims), std::end(p.dims), 1);
  p.count = 1;
  const size_t skipped = kMapRank - walk.axes.size();
  for (size_t d = 0; d < walk.axes.size(); ++d) {
    p.count *= walk.axes[d].size;
    p.dims[skipped + d] = static_cast<int>(walk.axes[d].size);
    p.out_strides[skipped + d] = walk.axes[d].stride[0];
    for (size_t k = 0; k < in.size(); ++k)
      p.in_strides[k][skipped + d] = walk.axes[d].stride[k + 1];
  }
  p.count /= vec;
  p.inner_valid = static_cast<int>(walk.inner_valid);
  for (size_t k = 0; k < in.size(); ++k) p.in_scale[k] = in[k].scale;
  p.out_inverse = 1 / out.scale;
  p.alpha = function.alpha;
  p.beta = function.beta;
  const Kernel kernel{
      "map.cu", format("map<{}, {}, {}, {}, {}, {}, {}>", function.functor, element_type(out),
                       in_type(in, 0), in_type(in, 1), in_type(in, 2), walk.axes.size(), vec)};
  const int64_t most = int64_t{lowering.target().multiprocessors} * 16;
  Launch launch{{std::min(ceil_div(p.count, 256), most), 1, 1}, {256, 1, 1}};
  Step& step = lowering.add(node, suffix, kernel, launch, p);
  patch(step, &MapParams::out, out.place);
  for (size_t k = 0; k < in.size(); ++k) {
    const size_t at = offsetof(MapParams, in) + k * sizeof(void*);
    step.patches.push_back({at, in[k].place, std::nullopt});
    step.bytes += static_cast<double>(ir::volume(in[k].dims)) *
                  static_cast<double>(ir::size_bytes(in[k].type));
  }
  step.bytes += static_cast<double>(span_bytes(out));
}

void Lowering::copy(const ir::Node& node, std::string_view suffix, const View& from,
                    const View& to) {
  if (add_image(*this, node, suffix, from, to)) return;
  const bool computed = is_device_type(from.type);
  DLAEXEC_CHECK(computed || from.type == to.type);
  add_map(*this, node, suffix,
          {computed ? activation_functor(ir::ActivationKind::None) : std::string("Move")}, to,
          {&from, 1});
}

namespace {

/// Why map.cu does not run @p node, as a clause.
std::optional<std::string> why_not_functor(const ir::Graph& graph, const ir::Node& node) {
  if (node.op == Op::Quantize || node.op == Op::Dequantize) return std::string("a quantization");
  for (const auto* list : {&node.inputs, &node.outputs})
    for (const ir::ValueId id : *list) {
      const ir::Value& value = graph.value(id);
      if (!is_device_type(value.type)) return format("elements of type {}", ir::text(value.type));
      if (value.type == ir::DataType::Int8 && value.quantization.scales.size() != 1)
        return std::string("a scale per channel, or none");
    }
  if (node.op == Op::Where) return std::string("a choice");
  if (node.op == Op::Unary && unary_name(node.get<ir::UnaryAttributes>().kind).empty())
    return format("unary '{}'", ir::text(node.get<ir::UnaryAttributes>().kind));
  if (node.op == Op::Elementwise && binary_name(node.get<ir::ElementwiseAttributes>().kind).empty())
    return format("elementwise '{}'", ir::text(node.get<ir::ElementwiseAttributes>().kind));
  return std::nullopt;
}

}  // namespace

std::optional<std::string> why_not_map(const ir::Graph& graph, const ir::Node& node,
                                       const Target&) {
  for (const auto* list : {&node.inputs, &node.outputs})
    for (const ir::ValueId id : *list)
      if (id != ir::kNoValue && graph.value(id).shape.size() > kMapRank)
        return format("{} dimensions", graph.value(id).shape.size());
  return why_not_functor(graph, node) ? why_not_chain(graph, node) : std::nullopt;
}

void lower_map(Lowering& lowering, const ir::Node& node) {
  if (node.op == Op::Reformat && feeds_image(lowering.graph(), node, lowering.target()) &&
      lowering.alias(node.outputs[0], lowering.view(node.inputs[0])))
    return;  // the convolution reads what is there and changes the type itself
  if (why_not_functor(lowering.graph(), node))
    return add_chain(lowering, {static_cast<int>(&node - lowering.graph().nodes.data())});
  std::vector<View> in;
  for (const ir::ValueId id : node.inputs) in.push_back(lowering.view(id));
  const View out = lowering.target_view(node.outputs[0]);
  if (node.op == Op::Scale)
    for (size_t i = 1; i < in.size(); ++i) in[i] = per_channel(in[i], out.rank());
  const MapFunction function = function_of(node);
  if (in.size() == 1 && function.functor == "Apply<None>")
    lowering.copy(node, "", in[0], out);
  else
    add_map(lowering, node, "", function, out, in);
}

}  // namespace dlaexec::gpu
