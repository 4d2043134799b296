// The mean over images and the layer after it as one launch of mean_layer.cu.
#include <algorithm>
#include <cstring>

#include "gpu/families.h"
#include "gpu/groups.h"
#include "gpu/kernels/conv_problem.h"
#include "gpu/kernels/mean_layer_params.h"
#include "gpu/kernels/reduction.h"

namespace dlaexec::gpu {
namespace {

using ir::DataType;
using ir::Op;

constexpr int64_t kWarps = kMeanLayerThreads / 32, kMostPairs = 8;
constexpr int64_t kColumns = 8;  // of a block

/// The nodes of one mean with its layer; the last reformat may be missing.
struct Parts {
  Reduction mean;
  const ir::Node* layer = nullptr;
  const ir::Node* out = nullptr;

  std::vector<const ir::Node*> nodes() const {
    std::vector<const ir::Node*> all = mean.nodes();
    all.push_back(layer);
    if (out) all.push_back(out);
    return all;
  }
  ir::ValueId y() const { return (out ? out : layer)->outputs[0]; }
};

/// A layer of one pixel an image: a 1 x 1 convolution, or a product with a constant, as one.
struct Layer : Conv {
  bool turned = false;  ///< weights are [c][k] instead of [k][c]
};

/// A product of [N, C] with constant weights; @p turned when they are [k][c].
template <class Attributes>
Layer product_as_layer(const ir::Graph& graph, const ir::Node& node, const Attributes& a,
                       bool rows_of_weights) {
  Layer layer{};
  layer.activation = a.activation;
  layer.alpha = a.alpha;
  layer.beta = a.beta;
  layer.residual = a.residual;
  layer.turned = !rows_of_weights;
  layer.x = node.inputs[0];
  layer.weights = node.inputs[1];
  layer.bias = node.inputs.size() > 2 && !a.residual ? node.inputs[2] : ir::kNoValue;
  layer.y = node.outputs[0];
  layer.in = graph.value(layer.x).type;
  layer.out = graph.value(layer.y).type;
  layer.c = ir::dims_of(graph.value(layer.x).shape)[1];
  layer.k = ir::dims_of(graph.value(layer.y).shape)[1];
  return layer;
}

/// Nothing when @p node is no layer, or one with more than a bias and an activation.
std::optional<Layer> layer_of(const ir::Graph& graph, const ir::Node* node) {
  if (!node) return std::nullopt;
  const ir::Tensor* weights = graph.constant(*node, 1);
  if (!weights) return std::nullopt;
  std::optional<Layer> layer;
  if (node->op == Op::Conv) {
    layer = Layer{conv_of(graph, *node)};
    if (layer->groups != 1 || layer->taps_h * layer->taps_w != 1 || !reads_rows(*layer) ||
        layer->h * layer->w != 1)
      return std::nullopt;
  } else if (weights->rank() == 2 && graph.value(node->inputs[0]).shape.size() == 2) {
    if (node->op == Op::Gemm) {
      const auto& a = node->get<ir::GemmAttributes>();
      if (a.transpose_a || a.scale_ab != 1 || a.scale_c != 1) return std::nullopt;
      layer = product_as_layer(graph, *node, a, a.transpose_b);
    } else if (node->op == Op::MatMul) {
      const auto& a = node->get<ir::MatMulAttributes>();
      layer = product_as_layer(graph, *node, a, false);
    }
  }
  if (!layer || layer->residual || weights->type() != layer->in) return std::nullopt;
  if (layer->bias != ir::kNoValue) {
    const ir::Tensor* bias = graph.constant(*node, 2);
    if (!bias || (bias->count() != 1 && bias->count() != layer->k)) return std::nullopt;
  }
  return layer;
}

/// True if the numbers on the layer's way are of types that the kernel rounds to.
bool has_types(const ir::Graph& graph, const Parts& parts, const Layer& layer) {
  const auto is_narrow = [](DataType type) {
    return type == DataType::Float16 || type == DataType::Int8;
  };
  const auto has_scales = [&](ir::ValueId id) {
    const ir::Value& value = graph.value(id);
    return value.type != DataType::Int8 || !value.quantization.scales.empty();
  };
  return is_narrow(graph.value(parts.mean.x()).type) && is_narrow(layer.in) &&
         graph.value(parts.mean.reduce->inputs[0]).type != DataType::Int8 &&
         graph.value(parts.mean.reduce->outputs[0]).type != DataType::Int8 &&
         is_device_type(layer.out) && is_device_type(graph.value(parts.y()).type) &&
         has_scales(layer.x) && has_scales(layer.weights) && has_scales(layer.y);
}

std::optional<Parts> parts_from(const Links& links, const ir::Node& node) {
  const ir::Graph& graph = links.graph();
  const std::optional<Reduction> mean = reduction_of(links, node);
  if (!mean || node.get<ir::ReduceAttributes>().kind != ir::ReduceKind::Mean) return std::nullopt;
  Parts parts{*mean, links.only_user(mean->last().outputs[0])};
  const std::optional<Layer> layer = layer_of(graph, parts.layer);
  if (!layer || graph.value(layer->x).shape != graph.value(mean->last().outputs[0]).shape)
    return std::nullopt;
  const ir::Node* out = links.only_user(layer->y);
  if (out && out->op == Op::Reformat && is_device_type(graph.value(out->outputs[0]).type) &&
      graph.value(out->outputs[0]).quantization.scales.size() <= 1)
    parts.out = out;
  return has_types(graph, parts, *layer) ? std::optional(parts) : std::nullopt;
}

/// One way to run it: so many blocks share the means.
struct Form {
  std::string tactic;
  int64_t blocks;
};

/// Of 32 bytes along the sum.
int64_t steps_of(const Layer& layer) {
  return ceil_div(layer.c * static_cast<int64_t>(ir::size_bytes(layer.in)), 32);
}

/// Steps of the block that has most.
int64_t steps_of_block(const Layer& layer, int64_t blocks) {
  return ceil_div(steps_of(layer), blocks);
}

/// Of steps, that a warp multiplies.
int64_t pairs_of(const Layer& layer, int64_t blocks) {
  return ceil_div(steps_of_block(layer, blocks), 2 * (kWarps / blocks));
}

/// 16 bytes keep banks apart.
int64_t pitch_of(const Layer& layer, int64_t blocks) {
  return steps_of_block(layer, blocks) * 32 + 16;
}

int64_t shared_bytes(const Layer& layer, int64_t images, int64_t blocks) {
  const int64_t width = steps_of_block(layer, blocks) * 2 * vector_elements(layer.in);
  return images * pitch_of(layer, blocks) +
         std::max(kMeanLayerThreads * kColumns, images * width) * 4;
}

/// Every cluster reads the images: that must take less than a launch of its own would.
std::vector<Form> forms_of(const ir::Value& x, const Layer& layer, const Target& target) {
  constexpr int64_t kMostBytes = 64 << 10;  // that a block reads
  const ir::Dims dims = ir::dims_of(x.shape);
  std::vector<Form> forms;
  for (const int64_t blocks : {8, 16}) {
    const int64_t bytes =
        ceil_div(ir::volume(dims), blocks) * static_cast<int64_t>(ir::size_bytes(x.type));
    const int64_t shared = shared_bytes(layer, dims[0], blocks) + kMeanLayerImages * 1024;
    if (dims[0] <= kMeanLayerImages && pairs_of(layer, blocks) <= kMostPairs &&
        bytes <= kMostBytes && shared <= target.shared_bytes)
      forms.push_back({format("cluster {}", blocks), blocks});
  }
  return forms;
}

/// The weights as tensor cores read them, [cluster][block][warp][pair of steps][lane] of four
/// words. A block has its steps of the sum, for all columns of its cluster.
std::vector<std::byte> pack_weights(const ir::Tensor& weights, const Layer& layer, int64_t blocks,
                                    int64_t clusters) {
  const int64_t size = static_cast<int64_t>(ir::size_bytes(layer.in));
  const int64_t pairs = pairs_of(layer, blocks), steps = steps_of(layer);
  std::vector<std::byte> packed(static_cast<size_t>(clusters * blocks * kWarps * pairs * 512));
  const std::byte* from = weights.bytes().data();
  for (int64_t k = 0; k < layer.k; ++k)
    for (int64_t c = 0; c < layer.c; ++c) {
      const int64_t step = c * size / 32, in_step = c * size % 32;
      const int64_t block = ((step + 1) * blocks - 1) / steps, own = step - steps * block / blocks;
      const int64_t cluster = k / (kColumns * blocks), owner = k / kColumns % blocks;
      const int64_t warp = own / (2 * pairs) * blocks + owner, pair = own % (2 * pairs) / 2;
      // Word 0 of a step holds its first 16 bytes, word 1 the others, four bytes a lane.
      const int64_t lane = k % kColumns * 4 + in_step % 16 / 4, word = own % 2 * 2 + in_step / 16;
      const int64_t row = ((cluster * blocks + block) * kWarps + warp) * pairs + pair;
      std::memcpy(packed.data() + (row * 32 + lane) * 16 + word * 4 + in_step % 4,
                  from + (layer.turned ? c * layer.k + k : k * layer.c + c) * size,
                  static_cast<size_t>(size));
    }
  return packed;
}

MeanLayerParams parameters(const Lowering& lowering, const Layer& layer, int64_t blocks,
                           const View& x, const View& y) {
  const bool pixels = y.arrangement == Arrangement::Pixels;
  MeanLayerParams p{};
  p.images = static_cast<int>(x.dims[0]);
  p.pixels = static_cast<int>(x.dims[2] * x.dims[3]);
  p.channels = static_cast<int>(x.pixel());
  p.steps = static_cast<int>(steps_of(layer));
  p.pitch = static_cast<int>(pitch_of(layer, blocks));
  p.columns = static_cast<int>(pixels ? y.pixel() : layer.k);
  p.y_row = y.strides[0];
  p.y_column = y.strides[1];
  p.x_scale = x.scale;
  p.in_inverse =
      layer.in == DataType::Int8 ? 1 / lowering.value(layer.x).quantization.scales[0] : 1;
  p.out_scale = layer.out == DataType::Int8 ? lowering.value(layer.y).quantization.scales[0] : 1;
  p.out_inverse = 1 / p.out_scale;
  p.y_inverse = 1 / y.scale;
  p.alpha = layer.alpha;
  p.beta = layer.beta;
  return p;
}

/// What elements are rounded to, one after the other.
std::string types_of(const ir::Graph& graph, const Parts& parts, const Layer& layer) {
  const auto type = [&](ir::ValueId id) { return device_type(graph.value(id).type); };
  return format("{}, {}, {}, {}, {}, {}", type(parts.mean.x()), type(parts.mean.reduce->inputs[0]),
                type(parts.mean.reduce->outputs[0]), type(layer.x), type(layer.y), type(parts.y()));
}

Parts parts_of(const ir::Graph& graph, const Group& group) {
  const Links links(graph);
  for (const int node : group.nodes)
    if (const auto parts = parts_from(links, graph.nodes[static_cast<size_t>(node)])) return *parts;
  fail("'{}' is no mean with a layer", graph.nodes[static_cast<size_t>(group.at)].name);
}

/// Adds the launch of @p form.
Step& add_mean_layer(Lowering& lowering, const ir::Node& node, const Parts& parts,
                     const Layer& layer, const Form& form) {
  const View x = lowering.pixels(parts.mean.x()), y = lowering.target_view(parts.y());
  const MeanLayerParams p = parameters(lowering, layer, form.blocks, x, y);
  const int64_t blocks = form.blocks, clusters = ceil_div(p.columns, kColumns * blocks);
  const int64_t pairs = pairs_of(layer, blocks);
  const ir::Tensor weights = *lowering.value(layer.weights).constant;
  const Place packed = lowering.constant(clusters * blocks * kWarps * pairs * 512, [=] {
    return pack_weights(weights, layer, blocks, clusters);
  });
  const Place bias = lowering.constant_floats(padded_bias(lowering, layer.bias, layer.k));
  Place multiplier;
  if (layer.in == DataType::Int8)
    multiplier = lowering.constant_floats(multipliers(lowering, layer));
  Launch launch{{clusters, 1, blocks},
                {kMeanLayerThreads, 1, 1},
                static_cast<int>(shared_bytes(layer, x.dims[0], blocks))};
  launch.cluster = static_cast<int>(blocks);
  const Kernel kernel{"mean_layer.cu",
                      format("mean_layer<{}, {}, {}>", types_of(lowering.graph(), parts, layer),
                             device_name(layer.activation), pairs)};
  Step& step = lowering.add(node, "", kernel, launch, p);
  patch(step, &MeanLayerParams::x, x.place);
  patch(step, &MeanLayerParams::weights, packed);
  patch(step, &MeanLayerParams::bias, bias);
  patch(step, &MeanLayerParams::multiplier, multiplier);
  patch(step, &MeanLayerParams::y, y.place);
  step.operations = 2.0 * static_cast<double>(x.dims[0] * layer.c * layer.k);
  step.bytes =
      static_cast<double>(span_bytes(x) + span_bytes(y) +
                          layer.c * p.columns * static_cast<int64_t>(ir::size_bytes(layer.in)));
  return step;
}

void lower_mean_layer(Lowering& lowering, const Group& group) {
  const ir::Graph& graph = lowering.graph();
  const Parts parts = parts_of(graph, group);
  const Layer layer = *layer_of(graph, parts.layer);
  const ir::Value& x = graph.value(parts.mean.x());
  const std::string problem =
      format("mean layer {} k{} of {} {}", join(ir::dims_of(x.shape), "x"), layer.k,
             types_of(graph, parts, layer), ir::text(layer.activation));
  const std::vector<Form> forms = forms_of(x, layer, lowering.target());
  const Form& form = choose_form(lowering, problem, forms);
  Step& step =
      add_mean_layer(lowering, graph.nodes[static_cast<size_t>(group.at)], parts, layer, form);
  step.problem = problem;
  step.tactic = form.tactic;
}

}  // namespace

std::optional<Group> mean_layer_around(const Links& links, const ir::Node& node,
                                       const Target& target) {
  if (!target.is_hopper()) return std::nullopt;  // without clusters nobody waits for the others
  const std::optional<Parts> parts = parts_from(links, node);
  if (!parts) return std::nullopt;
  const ir::Graph& graph = links.graph();
  if (forms_of(graph.value(parts->mean.x()), *layer_of(graph, parts->layer), target).empty())
    return std::nullopt;
  Group group;
  for (const ir::Node* part : parts->nodes()) group.nodes.push_back(links.index(*part));
  group.at = group.nodes.back();
  group.lower = lower_mean_layer;
  return group;
}

}  // namespace dlaexec::gpu
