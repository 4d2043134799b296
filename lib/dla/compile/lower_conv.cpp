// Convolutions, deconvolutions and products with constant matrices: all of them the conv unit's.
#include <algorithm>

#include "dla/compile/lower.h"

namespace dlaexec::dla {
namespace {

/// Kernels in the order [K][C / groups][R][S], Int8 with a scale per kernel, or FP16.
struct Weights {
  int64_t kernels = 0, channels = 0;
  Hw kernel;
  std::vector<int8_t> int8;
  std::vector<Half> half;
  RealOperand scales{OperandExtent::PerLayer, {1}};

  int64_t taps() const { return channels * kernel.h * kernel.w; }
};

/// What the layer adds after the sum of products.
struct Tail {
  ir::ValueId residual = ir::kNoValue;
  Bend bend;
};

template <class Attributes>
Tail tail_of(const ir::Node& node, const Attributes& attributes) {
  return {attributes.residual ? node.inputs.back() : ir::kNoValue,
          {attributes.activation, attributes.alpha, attributes.beta}};
}

/// The bias input of a layer that may end in a residual.
ir::ValueId bias_input(const ir::Node& node, bool has_residual) {
  const size_t count = node.inputs.size() - (has_residual ? 1 : 0);
  return count > 2 ? node.inputs[2] : ir::kNoValue;
}

/// Where the weights of output k, channel c, row r, column s stand in the constant.
using WeightIndex = int64_t (*)(const Weights&, int64_t k, int64_t c, int64_t r, int64_t s);

int64_t index_kcrs(const Weights& w, int64_t k, int64_t c, int64_t r, int64_t s) {
  return ((k * w.channels + c) * w.kernel.h + r) * w.kernel.w + s;
}
int64_t index_ckrs(const Weights& w, int64_t k, int64_t c, int64_t r, int64_t s) {
  return ((c * w.kernels + k) * w.kernel.h + r) * w.kernel.w + s;
}

/// Fills the elements of @p weights, whose sizes are set, from a constant of the precision.
void read_weights(const ir::Graph& graph, ir::ValueId id, ir::DataType precision, WeightIndex index,
                  Weights& weights) {
  const ir::Value& value = graph.value(id);
  if (!value.constant) fail("its weights '{}' are not constant", value.name);
  if (value.constant->count() != weights.kernels * weights.taps())
    fail("its weights '{}' have shape {}, {} elements are needed", value.name,
         ir::to_text(value.shape), weights.kernels * weights.taps());
  const auto fill = [&](auto from, auto& to, auto&& convert) {
    to.resize(from.size());
    size_t next = 0;
    for (int64_t k = 0; k < weights.kernels; ++k)
      for (int64_t c = 0; c < weights.channels; ++c)
        for (int64_t r = 0; r < weights.kernel.h; ++r)
          for (int64_t s = 0; s < weights.kernel.w; ++s)
            to[next++] = convert(from[static_cast<size_t>(index(weights, k, c, r, s))]);
  };
  if (precision == ir::DataType::Int8) {
    if (value.type != ir::DataType::Int8 || !value.quantization.is_known())
      fail("its input is i8, its weights '{}' are {} {}; give i8 weights with scales", value.name,
           ir::text(value.type), value.quantization.is_known() ? "" : "without a scale");
    fill(value.constant->as<int8_t>(), weights.int8, [](int8_t w) { return w; });
    const std::vector<float>& scales = value.quantization.scales;
    if (scales.size() != 1 && static_cast<int64_t>(scales.size()) != weights.kernels)
      fail("its weights have {} scales for {} kernels", scales.size(), weights.kernels);
    weights.scales.extent =
        scales.size() == 1 ? OperandExtent::PerLayer : OperandExtent::PerChannel;
    weights.scales.values.assign(scales.begin(), scales.end());
    return;
  }
  if (value.type == ir::DataType::Float16)
    fill(value.constant->as<Half>(), weights.half,
         [](Half w) { return to_half(static_cast<float>(w)); });
  else if (value.type == ir::DataType::Float32)
    fill(value.constant->as<float>(), weights.half, [](float w) { return to_half(w); });
  else
    fail("its input is f16, its weights '{}' are {}", value.name, ir::text(value.type));
  if (std::ranges::any_of(weights.half, [](Half w) { return w.bits == kNanBits; }))
    fail("its weights '{}' hold NaN", value.name);
}

/// Hands the weights to the blob.
BlobSpan store(Builder& builder, const Weights& weights) {
  if (!weights.int8.empty()) return builder.add_constants<int8_t>(weights.int8);
  return builder.add_constants<Half>(weights.half);
}

int64_t dense_bytes(const Weights& weights, int64_t channels) {
  const int64_t element = weights.int8.empty() ? 2 : 1;
  const int64_t bytes = weights.kernels * channels * weights.kernel.h * weights.kernel.w * element;
  return (bytes + 127) / 128 * 128;
}

/// Scale, bias, residual and activation behind the sum. An INT8 sum that leaves as FP16 is scaled
/// in FP32.
std::optional<SdpParameters> epilogue_of(Builder& builder, const Weights& weights, CubeId input,
                                         CubeId output, const RealOperand& bias, const Tail& tail) {
  const bool is_sum_int8 = !weights.int8.empty();
  const bool is_integer = is_sum_int8 && builder.cube(output).type == ir::DataType::Int8;
  const CubeId residual = tail.residual == ir::kNoValue ? kNoCube : builder.cube_of(tail.residual);
  if (is_integer && residual != kNoCube && builder.cube(residual).type != ir::DataType::Int8)
    fail("it adds an f16 tensor to i8 ones; convert it");
  Epilogue epilogue(builder, is_integer ? ir::DataType::Int8 : ir::DataType::Float16);
  RealOperand units = weights.scales;
  if (is_sum_int8)
    for (double& unit : units.values) unit *= builder.cube(input).scale;
  if (is_integer)
    epilogue.enter_middle(units, builder.cube(output).scale,
                          residual == kNoCube ? 0 : builder.cube(residual).scale);
  const double base = units.largest();
  if (is_sum_int8 && !is_integer && units.extent == OperandExtent::PerChannel) {
    RealOperand relative = units;  // near 1, where FP16 is precise
    for (double& unit : relative.values) unit /= base;
    epilogue.multiply(relative);
  }
  if (!bias.values.empty() && bias.largest() != 0) epilogue.add(bias);
  if (residual != kNoCube) epilogue.combine(SdpAlu::Sum, residual, 1);
  epilogue.bend(tail.bend);
  if (!epilogue.fits()) return std::nullopt;
  SdpParameters sdp = std::move(epilogue).finish();
  if (is_sum_int8 && !is_integer) sdp.input = converter_of(base);
  if (!is_integer) sdp.output = scale_out(builder.cube(output));
  return sdp;
}

RealOperand bias_of(const Builder& builder, ir::ValueId id, int64_t kernels, double factor) {
  RealOperand bias;
  if (id == ir::kNoValue) return bias;
  bias = real_operand(builder.graph(), id, {1, kernels, 1, 1});
  for (double& value : bias.values) value *= factor;
  return bias;
}

/// A table follows as an operation of its own only where the SDP behind the sum cannot hold it; in
/// FP16 it can.
bool is_table(ir::ActivationKind kind) {
  return kind == ir::ActivationKind::Sigmoid || kind == ir::ActivationKind::Tanh;
}

/// The activation alone, from @p input to @p output.
void add_bend(Builder& builder, const ir::Node& node, CubeId input, CubeId output,
              const Bend& bend) {
  const ir::DataType precision = builder.cube(output).type;
  Epilogue epilogue(builder, precision);
  if (precision == ir::DataType::Int8) {
    const float scale = builder.cube(output).scale;
    epilogue.enter_middle({OperandExtent::PerLayer, {scale}}, scale, 0);
  }
  epilogue.bend(bend);
  builder.add(node, precision, input, output, std::move(epilogue).finish());
}

void add_conv(Builder& builder, const ir::Node& node, const Weights& weights, CubeId input,
              CubeId output, ConvParameters conv, const RealOperand& bias, Tail tail) {
  const Bend bend = tail.bend;
  if (is_table(bend.kind)) tail.bend = {};
  conv.kernel = weights.kernel;
  conv.dense_weight_bytes = dense_bytes(weights, weights.channels * conv.groups);
  conv.image_input = builder.cube(input).format == ir::Format::DlaHwc4;
  CubeId result = output;
  std::optional<SdpParameters> sdp = epilogue_of(builder, weights, input, output, bias, tail);
  if (!sdp) {  // the activation takes an operation of its own
    const Cube cube = builder.cube(output);
    tail.bend = {};
    result = builder.add_cube(cube.name + ".sum", cube.dims, cube.type, cube.scale);
    sdp = epilogue_of(builder, weights, input, output, bias, tail);
    DLAEXEC_CHECK(sdp.has_value());
  }
  conv.sdp = std::move(*sdp);
  if (is_table(bend.kind)) {
    if (!weights.int8.empty() && builder.cube(output).type == ir::DataType::Int8)
      fail("{} works in f16; give the convolution an f16 output", ir::text(bend.kind));
    conv.sdp.lut = activation_table(builder, bend.kind);
  }
  conv.weights = store(builder, weights);
  builder.add(node, builder.cube(input).type, input, result, std::move(conv));
  if (result != output) add_bend(builder, node, result, output, bend);
}

Hw pair_of(const ir::Ints& values) {
  return values.size() == 2 ? Hw{values[0], values[1]} : Hw{1, 1};
}

/// Padding at the end is what the output's size implies, which auto padding may round.
Padding padding_of(const ir::Ints& pads) {
  if (pads.size() != 4) return {};
  return {pads[0], pads[1], pads[2], pads[3]};
}

void require_two_spatial(const ir::Graph& graph, ir::ValueId weights) {
  if (graph.value(weights).shape.size() != 4)
    fail("its weights have shape {}; the DLA convolves in two dimensions",
         ir::to_text(graph.value(weights).shape));
}

}  // namespace

void lower_conv(Builder& builder, const ir::Node& node) {
  const auto& attributes = node.get<ir::ConvAttributes>();
  const ir::Graph& graph = builder.graph();
  require_two_spatial(graph, node.inputs[1]);
  const CubeId input = builder.cube_of(node.inputs[0]);
  const CubeId output = builder.cube_of(node.outputs[0]);
  const ir::Dims shape = ir::dims_of(graph.value(node.inputs[1]).shape);
  Weights weights;
  weights.kernels = shape[0];
  weights.channels = shape[1];
  weights.kernel = {shape[2], shape[3]};
  read_weights(graph, node.inputs[1], builder.cube(input).type, index_kcrs, weights);
  ConvParameters conv;
  conv.stride = pair_of(attributes.stride);
  conv.dilation = pair_of(attributes.dilation);
  conv.pad = padding_of(attributes.pads);
  conv.groups = attributes.groups;
  const RealOperand bias =
      bias_of(builder, bias_input(node, attributes.residual), weights.kernels, 1);
  add_conv(builder, node, weights, input, output, conv, bias, tail_of(node, attributes));
}

// A deconvolution without padding is stride^2 small convolutions side by side, each with every
// stride-th tap in reverse, whose outputs Rubik's contract interleaves.
void lower_deconv(Builder& builder, const ir::Node& node) {
  const auto& attributes = node.get<ir::DeconvAttributes>();
  const ir::Graph& graph = builder.graph();
  require_two_spatial(graph, node.inputs[1]);
  const auto is_one = [](int64_t value) { return value == 1; };
  const auto is_zero = [](int64_t value) { return value == 0; };
  if (attributes.groups != 1 || !std::ranges::all_of(attributes.dilation, is_one) ||
      !std::ranges::all_of(attributes.pads, is_zero) ||
      !std::ranges::all_of(attributes.output_padding, is_zero))
    fail("the DLA deconvolves with padding 0, groups 1 and dilation 1");
  const CubeId input = builder.cube_of(node.inputs[0]);
  const CubeId output = builder.cube_of(node.outputs[0]);
  const ir::Dims shape = ir::dims_of(graph.value(node.inputs[1]).shape);
  const Hw stride = pair_of(attributes.stride);
  const ir::DataType precision = builder.cube(input).type;

  Weights whole;
  whole.kernels = shape[1];
  whole.channels = shape[0];
  whole.kernel = {shape[2], shape[3]};
  read_weights(graph, node.inputs[1], precision, index_ckrs, whole);

  Weights parts;
  const int64_t blocks = stride.h * stride.w;
  parts.kernels = whole.kernels * blocks;
  parts.channels = whole.channels;
  parts.kernel = {(whole.kernel.h + stride.h - 1) / stride.h,
                  (whole.kernel.w + stride.w - 1) / stride.w};
  parts.scales.extent = whole.scales.extent;
  parts.scales.values.clear();
  const int64_t copies = whole.scales.extent == OperandExtent::PerLayer ? 1 : blocks;
  for (int64_t i = 0; i < copies; ++i)
    parts.scales.values.insert(parts.scales.values.end(), whole.scales.values.begin(),
                               whole.scales.values.end());
  const auto spread = [&](const auto& from, auto& to) {
    if (from.empty()) return;
    to.resize(static_cast<size_t>(parts.kernels * parts.taps()));
    for (int64_t k = 0; k < parts.kernels; ++k)
      for (int64_t c = 0; c < parts.channels; ++c)
        for (int64_t r = 0; r < parts.kernel.h; ++r)
          for (int64_t s = 0; s < parts.kernel.w; ++s) {
            const int64_t block = k / whole.kernels;
            const int64_t row = (parts.kernel.h - 1 - r) * stride.h + block / stride.w;
            const int64_t column = (parts.kernel.w - 1 - s) * stride.w + block % stride.w;
            if (row >= whole.kernel.h || column >= whole.kernel.w) continue;  // zero
            to[static_cast<size_t>(index_kcrs(parts, k, c, r, s))] =
                from[static_cast<size_t>(index_kcrs(whole, k % whole.kernels, c, row, column))];
          }
  };
  spread(whole.int8, parts.int8);
  spread(whole.half, parts.half);

  const Cube in = builder.cube(input);
  const Cube out = builder.cube(output);
  const Nchw dims{in.dims.n, parts.kernels, in.dims.h + parts.kernel.h - 1,
                  in.dims.w + parts.kernel.w - 1};
  ConvParameters conv;
  conv.pad = {parts.kernel.h - 1, parts.kernel.w - 1, parts.kernel.h - 1, parts.kernel.w - 1};
  RealOperand bias = bias_of(builder, bias_input(node, attributes.residual), whole.kernels, 1);
  if (bias.extent == OperandExtent::PerChannel) {
    const std::vector<double> one = bias.values;
    for (int64_t i = 1; i < blocks; ++i)
      bias.values.insert(bias.values.end(), one.begin(), one.end());
  }
  if (attributes.residual) fail("the DLA adds no tensor behind a deconvolution in one layer");
  const CubeId blocked = builder.add_cube(out.name + ".blocks", dims, out.type, out.scale);
  add_conv(builder, node, parts, input, blocked, conv, bias, tail_of(node, attributes));
  RubikParameters contract;
  contract.kind = RubikKind::Contract;
  contract.factor = stride;
  builder.add(node, out.type, blocked, output, contract);
}

// Gemm and MatMul with a constant right side: a convolution whose kernel covers the whole input.
void lower_product(Builder& builder, const ir::Node& node) {
  const ir::Graph& graph = builder.graph();
  const bool is_gemm = node.op == ir::Op::Gemm;
  const ir::GemmAttributes gemm = is_gemm ? node.get<ir::GemmAttributes>() : ir::GemmAttributes{};
  if (gemm.transpose_a) fail("the DLA does not transpose the left side of a product");
  const CubeId input = builder.cube_of(node.inputs[0]);
  const CubeId output = builder.cube_of(node.outputs[0]);
  const Nchw dims = builder.cube(input).dims;
  const ir::Value& right = graph.value(node.inputs[1]);
  if (!right.constant || right.shape.size() != 2)
    fail("the DLA multiplies by constant matrices alone; '{}' is not one", right.name);
  const ir::Dims shape = right.constant->dims();

  Weights weights;
  weights.kernels = gemm.transpose_b ? shape[0] : shape[1];
  weights.channels = dims.c * dims.h * dims.w;
  if (weights.channels != (gemm.transpose_b ? shape[1] : shape[0]))
    fail("its input {} does not fit its matrix {}", to_text(dims), ir::to_text(shape));
  read_weights(graph, node.inputs[1], builder.cube(input).type,
               gemm.transpose_b ? index_kcrs : index_ckrs, weights);
  weights.channels = dims.c;
  weights.kernel = {dims.h, dims.w};
  if (gemm.scale_ab != 1) {
    if (weights.int8.empty())
      for (Half& weight : weights.half)
        weight = to_half(static_cast<float>(weight) * gemm.scale_ab);
    for (double& scale : weights.scales.values) scale *= gemm.scale_ab;
  }
  const Tail tail = is_gemm ? tail_of(node, gemm) : tail_of(node, node.get<ir::MatMulAttributes>());
  const RealOperand bias = bias_of(builder, bias_input(node, tail.residual != ir::kNoValue),
                                   weights.kernels, gemm.scale_c);
  add_conv(builder, node, weights, input, output, {}, bias, tail);
}

}  // namespace dlaexec::dla
