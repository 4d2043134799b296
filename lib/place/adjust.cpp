#include "place/adjust.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "ir/rule.h"
#include "place/replacement.h"

namespace dlaexec::place {
namespace {

using namespace ir;

using Result = std::optional<ValueId>;

// ---- global average ----

bool averages_pictures(const Replacement& to) {
  const auto* reduce = std::get_if<ReduceAttributes>(&to.old().attributes);
  return reduce && reduce->kind == ReduceKind::Mean && reduce->axes == Ints{2, 3} &&
         reduce->keep_dims && to.dims(to.input(0)).size() == 4;
}

ValueId average(Replacement& to, std::string_view suffix, ValueId x, int64_t h, int64_t w) {
  PoolAttributes pool;
  pool.kind = PoolKind::Average;
  pool.kernel = pool.stride = {h, w};
  pool.pads = {0, 0, 0, 0};
  pool.dilation = {1, 1};
  return to.layer(suffix, Op::Pool, {x}, pool);
}

Result one_pool(Replacement& to) {
  if (!averages_pictures(to)) return std::nullopt;
  const Dims dims = to.dims(to.input(0));
  return average(to, "pool", to.input(0), dims[2], dims[3]);
}

/// The largest divisor of @p side that a pooling window can be, if the rest is one, too.
std::optional<int64_t> split(int64_t side) {
  for (int64_t window = 8; window >= 1; --window)
    if (side % window == 0 && side / window <= 8) return window;
  return std::nullopt;
}

Result two_pools(Replacement& to) {
  if (!averages_pictures(to)) return std::nullopt;
  const Dims dims = to.dims(to.input(0));
  const auto h = split(dims[2]), w = split(dims[3]);
  if (!h || !w) return std::nullopt;
  const ValueId first = average(to, "pool1", to.input(0), *h, *w);
  return average(to, "pool2", first, dims[2] / *h, dims[3] / *w);
}

Result average_by_convolution(Replacement& to) {
  if (!averages_pictures(to)) return std::nullopt;
  const Dims dims = to.dims(to.input(0));
  const Dims shape{dims[1], 1, dims[2], dims[3]};
  const float share = 1.0f / static_cast<float>(dims[2] * dims[3]);
  const std::vector<float> elements(static_cast<size_t>(volume(shape)), share);
  ConvAttributes conv;
  conv.stride = conv.dilation = {1, 1};
  conv.pads = {0, 0, 0, 0};
  conv.groups = dims[1];
  const ValueId weights = to.constant("weights", Tensor::of(shape, elements));
  return to.layer("conv", Op::Conv, {to.input(0), weights}, conv);
}

// ---- fully connected ----

/// The 4-D tensor that a flatten or reshape before the layer turned into rows, or nothing.
Result picture_before(const Replacement& to) {
  for (const Node& node : to.graph().nodes) {
    if (node.outputs[0] != to.input(0)) continue;
    const bool flattens =
        node.op == Op::Flatten || node.op == Op::Reshape || node.op == Op::Squeeze;
    if (!flattens) return std::nullopt;
    const Dims picture = to.dims(node.inputs[0]), rows = to.dims(to.input(0));
    if (picture.size() != 4 || rows.size() != 2 || rows[0] != picture[0]) return std::nullopt;
    return node.inputs[0];
  }
  return std::nullopt;
}

/// What a product with a constant matrix multiplies and adds, as one row per output.
struct Rows {
  std::vector<float> weights, bias;
  int64_t outputs = 0;
};

std::optional<Rows> rows_of(const Replacement& to) {
  const Tensor* matrix = to.floats(1);
  if (!matrix || matrix->rank() != 2) return std::nullopt;
  const auto* gemm = std::get_if<GemmAttributes>(&to.old().attributes);
  if (gemm && gemm->transpose_a) return std::nullopt;
  const bool by_output = gemm && gemm->transpose_b;
  const int64_t outputs = matrix->dims()[by_output ? 0 : 1];
  const int64_t inputs = matrix->dims()[by_output ? 1 : 0];
  const float factor = gemm ? gemm->scale_ab : 1;
  const auto elements = matrix->as<float>();
  Rows rows;
  rows.outputs = outputs;
  rows.weights.resize(elements.size());
  for (int64_t k = 0; k < outputs; ++k)
    for (int64_t c = 0; c < inputs; ++c) {
      const int64_t from = by_output ? k * inputs + c : c * outputs + k;
      rows.weights[static_cast<size_t>(k * inputs + c)] =
          factor * elements[static_cast<size_t>(from)];
    }
  if (to.input(2) == kNoValue) return rows;
  const Tensor* bias = to.floats(2);
  if (!bias || (bias->count() != 1 && bias->count() != outputs)) return std::nullopt;
  if (bias->count() == outputs && bias->rank() > 0 && bias->dims().back() != outputs)
    return std::nullopt;
  for (int64_t k = 0; k < outputs; ++k)
    rows.bias.push_back((gemm ? gemm->scale_c : 1) *
                        bias->as<float>()[static_cast<size_t>(bias->count() == 1 ? 0 : k)]);
  return rows;
}

Result convolution_of_product(Replacement& to) {
  if (to.old().op != Op::Gemm && to.old().op != Op::MatMul) return std::nullopt;
  const Result picture = picture_before(to);
  const std::optional<Rows> rows = picture ? rows_of(to) : std::nullopt;
  if (!rows) return std::nullopt;
  const Dims dims = to.dims(*picture);
  ConvAttributes conv;
  conv.stride = conv.dilation = {1, 1};
  conv.pads = {0, 0, 0, 0};
  std::vector<ValueId> inputs = {
      *picture, to.constant("weights", Tensor::of<float>({rows->outputs, dims[1], dims[2], dims[3]},
                                                         rows->weights))};
  if (!rows->bias.empty())
    inputs.push_back(to.constant("bias", Tensor::of<float>({rows->outputs}, rows->bias)));
  const ValueId maps = to.layer("conv", Op::Conv, inputs, conv);
  return to.layer("flatten", Op::Flatten, {maps}, AxisAttributes{1});
}

/// An activation behind a flatten that only drops 1x1 dimensions goes in front of it.
Result activation_before_flatten(Replacement& to) {
  if (to.old().op != Op::Activation) return std::nullopt;
  const Result picture = picture_before(to);
  if (!picture) return std::nullopt;
  const ValueId y = to.layer("act", Op::Activation, {*picture}, Attributes(to.old().attributes));
  return to.layer("flatten", Op::Flatten, {y}, AxisAttributes{1});
}

// ---- deconvolution ----

Result deconvolution_and_slice(Replacement& to) {
  const auto* old = std::get_if<DeconvAttributes>(&to.old().attributes);
  const Dims out = to.dims(to.old().outputs[0]);
  if (!old || out.size() != 4 || old->pads.size() != 4) return std::nullopt;
  DeconvAttributes unpadded = *old;
  unpadded.pads = {0, 0, 0, 0};
  unpadded.output_padding = {0, 0};
  std::vector<int64_t> ends;
  for (size_t axis = 0; axis < 2; ++axis) {
    const int64_t extra = old->output_padding.empty() ? 0 : old->output_padding[axis];
    if (extra > old->pads[axis + 2]) return std::nullopt;  // would need rows that nobody makes
    ends.push_back(old->pads[axis] + out[axis + 2]);
  }
  const ValueId whole = to.layer("deconv", Op::Deconv, to.old().inputs, unpadded);
  return to.layer("slice", Op::Slice,
                  {whole, to.numbers("starts", {old->pads[0], old->pads[1]}),
                   to.numbers("ends", ends), to.numbers("axes", {2, 3})},
                  NoAttributes{});
}

// ---- slices of a convolution ----

/// The channels [first, last) that a slice takes, if that is all it does.
struct Channels {
  int64_t first = 0, last = 0;
};

std::optional<Channels> sliced_channels(const Replacement& to) {
  const auto number = [&](size_t input, int64_t otherwise) -> std::optional<int64_t> {
    if (to.input(input) == kNoValue) return otherwise;
    const Tensor* tensor = to.graph().constant(to.old(), input);
    if (!tensor || tensor->count() != 1 || tensor->type() != DataType::Int64) return std::nullopt;
    return tensor->as<int64_t>()[0];
  };
  const Dims in = to.dims(to.input(0)), out = to.dims(to.old().outputs[0]);
  const auto start = number(1, 0), axis = number(3, 0), step = number(4, 1);
  if (in.size() != 4 || out.size() != 4 || !start || axis != 1 || step != 1) return std::nullopt;
  const int64_t first = std::clamp<int64_t>(*start < 0 ? *start + in[1] : *start, 0, in[1]);
  return Channels{first, first + out[1]};
}

/// The first dimension of @p tensor from @p channels.
Tensor rows_of_first(const Tensor& tensor, const Channels& channels) {
  Dims dims = tensor.dims();
  const int64_t row = tensor.count() / dims[0];
  dims[0] = channels.last - channels.first;
  const auto elements = tensor.as<float>().subspan(static_cast<size_t>(channels.first * row),
                                                   static_cast<size_t>(dims[0] * row));
  return Tensor::of<float>(dims, std::vector<float>(elements.begin(), elements.end()));
}

const Node* producer_of(const Graph& graph, ValueId id) {
  const auto found = std::find_if(graph.nodes.begin(), graph.nodes.end(),
                                  [&](const Node& node) { return node.outputs[0] == id; });
  return found == graph.nodes.end() ? nullptr : &*found;
}

/// The kernels that make the channels, as a convolution of their own.
Result convolution_of_slice(Replacement& to) {
  const std::optional<Channels> channels = sliced_channels(to);
  const Node* before = channels ? producer_of(to.graph(), to.input(0)) : nullptr;
  if (!before || before->op != Op::Conv || before->get<ConvAttributes>().groups != 1)
    return std::nullopt;
  const Tensor* weights = to.graph().constant(*before, 1);
  const ValueId bias_id = Graph::input(*before, 2);
  const Tensor* bias = to.graph().constant(*before, 2);
  if (!weights || weights->type() != DataType::Float32 || (bias_id != kNoValue && !bias))
    return std::nullopt;
  const ConvAttributes attributes = before->get<ConvAttributes>();
  const ValueId x = before->inputs[0];
  // Constants that are added may move those that are there.
  Tensor kernels = rows_of_first(*weights, *channels);
  std::optional<Tensor> shifts;
  if (bias) shifts = rows_of_first(*bias, *channels);
  std::vector<ValueId> inputs = {x, to.constant("weights", std::move(kernels))};
  if (shifts) inputs.push_back(to.constant("bias", std::move(*shifts)));
  return to.layer("conv", Op::Conv, inputs, attributes);
}

// ---- activations and arithmetic ----

const ActivationAttributes* activation_of(const Replacement& to, ActivationKind kind) {
  const auto* activation = std::get_if<ActivationAttributes>(&to.old().attributes);
  return activation && activation->kind == kind ? activation : nullptr;
}

Result hard_swish(Replacement& to) {
  if (!activation_of(to, ActivationKind::HardSwish)) return std::nullopt;
  const ValueId x = to.input(0);
  const ValueId gate =
      to.activation("clip", to.scale("shift", x, 1, 3), ActivationKind::Clip, 0, 6);
  return to.scale("sixth", to.product("gate", x, gate), 1.0f / 6, 0);
}

Result hard_sigmoid(Replacement& to) {
  const auto* old = activation_of(to, ActivationKind::HardSigmoid);
  if (!old) return std::nullopt;
  const ValueId line = to.scale("line", to.input(0), old->alpha, old->beta);
  return to.activation("clip", line, ActivationKind::Clip, 0, 1);
}

Result silu(Replacement& to) {
  const auto* old = activation_of(to, ActivationKind::Silu);
  if (!old) return std::nullopt;
  ValueId x = to.input(0);
  const ValueId inner = old->alpha == 1 ? x : to.scale("alpha", x, old->alpha, 0);
  return to.product("gate", x, to.activation("sigmoid", inner, ActivationKind::Sigmoid));
}

Result division_by_constant(Replacement& to) {
  const auto* old = std::get_if<ElementwiseAttributes>(&to.old().attributes);
  const Tensor* divisor = to.floats(1);
  if (!old || old->kind != ElementwiseKind::Div || !divisor || divisor->count() != 1)
    return std::nullopt;
  return to.scale("scale", to.input(0), 1.0f / divisor->as<float>()[0], 0);
}

Result square(Replacement& to) {
  const auto* old = std::get_if<ElementwiseAttributes>(&to.old().attributes);
  const Tensor* exponent = to.floats(1);
  const bool squares = old && old->kind == ElementwiseKind::Pow && exponent &&
                       exponent->count() == 1 && exponent->as<float>()[0] == 2;
  if (!squares) return std::nullopt;
  return to.product("square", to.input(0), to.input(0));
}

Result negation(Replacement& to) {
  const auto* old = std::get_if<UnaryAttributes>(&to.old().attributes);
  if (!old || old->kind != UnaryKind::Neg) return std::nullopt;
  return to.scale("scale", to.input(0), -1, 0);
}

struct RewriteRow {
  std::string_view id;
  OpSet ops;                     ///< that it can stand for
  Result (*make)(Replacement&);  ///< the value that stands for the old output
  std::string_view change;
};

// In order of preference where several speak of one layer.
constexpr RewriteRow kRewrites[] = {
    {"average-pool",
     {Op::Reduce},
     one_pool,
     "write the global average as an AveragePool of its picture's size"},
    {"average-pools",
     {Op::Reduce},
     two_pools,
     "write the global average as two AveragePools, one on the other"},
    {"average-conv",
     {Op::Reduce},
     average_by_convolution,
     "write the global average as a depthwise convolution with constant weights"},
    {"fc-conv",
     {Op::Gemm, Op::MatMul},
     convolution_of_product,
     "write the product as a convolution of the picture, before it is flattened"},
    {"activation-first",
     {Op::Activation},
     activation_before_flatten,
     "activate before the flatten, in 4 dimensions"},
    {"deconv-slice",
     {Op::Deconv},
     deconvolution_and_slice,
     "deconvolve without padding and slice the borders off"},
    {"slice-conv",
     {Op::Slice},
     convolution_of_slice,
     "make the slice's channels by a convolution with its part of the weights"},
    {"hard-swish", {Op::Activation}, hard_swish, "write HardSwish as x * Clip(x + 3, 0, 6) / 6"},
    {"hard-sigmoid",
     {Op::Activation},
     hard_sigmoid,
     "write HardSigmoid as a scale and a Clip to [0, 1]"},
    {"silu", {Op::Activation}, silu, "write SiLU as x * Sigmoid(x)"},
    {"reciprocal",
     {Op::Elementwise},
     division_by_constant,
     "multiply by the reciprocal of the constant"},
    {"square", {Op::Elementwise}, square, "write the square as a product"},
    {"negate", {Op::Unary}, negation, "write the negation as a scale by -1"},
};

bool is_flatten(const Node& node) { return node.op == Op::Flatten; }

/// True if every layer made is taken; a flatten behind them is left to the GPU, as it was.
bool all_taken(const Graph& graph, const std::vector<Node>& made, const dla::Target& target) {
  std::unordered_set<ValueId> results;
  for (const Node& node : made) results.insert(node.outputs[0]);
  return std::none_of(graph.nodes.begin(), graph.nodes.end(), [&](const Node& node) {
    return results.contains(node.outputs[0]) && !is_flatten(node) &&
           refuses(dla::check(graph, node, target));
  });
}

}  // namespace

std::optional<Rewrite> adjust_layer(Graph& graph, size_t index, const dla::Target& target) {
  for (const RewriteRow& row : kRewrites) {
    if (!row.ops.contains(graph.nodes[index].op)) continue;
    Replacement to(graph, index);
    const Result result = row.make(to);
    if (!result) continue;
    Graph adjusted = to.finish(*result);
    if (!all_taken(adjusted, to.made(), target)) continue;
    Rewrite rewrite{graph.nodes[index].name, row.id, row.change};
    graph = std::move(adjusted);
    return rewrite;
  }
  return std::nullopt;
}

std::vector<Rewrite> adjust_for_dla(Graph& graph, const dla::Target& target) {
  std::vector<Rewrite> done;
  std::unordered_set<std::string> tried;
  // A convolution made of a product lets the activation behind it follow, so look on from there.
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (node.device != Device::Dla || node.outputs.size() != 1) continue;
    const bool product = node.op == Op::Gemm || node.op == Op::MatMul;  // better as a convolution
    if (!product && !refuses(dla::check(graph, node, target))) continue;
    if (!tried.insert(node.name).second) continue;
    if (auto rewrite = adjust_layer(graph, i, target)) done.push_back(*rewrite);
  }
  remove_unused(graph);
  return done;
}

}  // namespace dlaexec::place
