#include "gpu/kernels/conv.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "gpu/families.h"
#include "gpu/kernels/conv_problem.h"
#include "gpu/kernels/conv_window.h"
#include "gpu/kernels/image_params.h"
#include "gpu/kernels/stem.h"
#include "gpu/product.h"

namespace dlaexec::gpu {
namespace {

using ir::DataType;
using ir::Op;

/// Weights [k][taps][channels of a group] from [k][channels][taps], each row and tap padded.
/// @p tap_elements: from tap to tap; @p row_elements: from k to k; taps may share a row (images).
struct WeightLayout {
  int64_t rows, row_elements, tap_row_elements, tap_elements;
};

std::vector<std::byte> pack_weights(const ir::Tensor& weights, const WeightLayout& layout) {
  const ir::Dims& d = weights.dims();
  const size_t size = ir::size_bytes(weights.type());
  std::vector<std::byte> packed(static_cast<size_t>(layout.rows * layout.row_elements) * size);
  const std::byte* from = weights.bytes().data();
  for (int64_t k = 0; k < d[0]; ++k)
    for (int64_t c = 0; c < d[1]; ++c)
      for (int64_t r = 0; r < d[2]; ++r)
        for (int64_t s = 0; s < d[3]; ++s, from += size) {
          const int64_t to =
              k * layout.row_elements + r * layout.tap_row_elements + s * layout.tap_elements + c;
          std::memcpy(packed.data() + static_cast<size_t>(to) * size, from, size);
        }
  return packed;
}

Place packed_weights(Lowering& lowering, const ir::Tensor& weights, const WeightLayout& layout) {
  const int64_t bytes =
      layout.rows * layout.row_elements * static_cast<int64_t>(ir::size_bytes(weights.type()));
  return lowering.constant(bytes, [weights, layout] { return pack_weights(weights, layout); });
}

/// The parts of a product to @p y that all convolutions share; the input's side is the caller's.
Product product_to(Lowering& lowering, const Conv& c, const View& y) {
  Product product;
  ConvParams& p = product.p;
  p.pixels = static_cast<int>(c.images * c.out_h * c.out_w);
  p.out_h = static_cast<int>(c.out_h);
  p.out_w = static_cast<int>(c.out_w);
  p.k_padded = static_cast<int>(padded(c.k));
  p.k_written = static_cast<int>(round_up(c.k, vector_elements(c.out)));
  p.whole_vectors = 1;
  p.y_pixel = static_cast<int>(y.pixel());
  p.alpha = c.alpha;
  p.beta = c.beta;
  p.y_inverse = 1 / y.scale;
  p.releases_early = 1;  // products of matrices gain nothing: ViT-B/16 loses 5 %
  product.in = c.in;
  product.out = c.out;
  product.activation = c.activation;
  product.y = y.place;
  product.bias = lowering.constant_floats(padded_bias(lowering, c.bias, c.k));
  if (c.in == DataType::Int8)
    product.multiplier = lowering.constant_floats(multipliers(lowering, c));
  if (c.residual) {
    const View residual = lowering.pixels(c.residual_value);
    product.residual_type = residual.type;
    product.residual = residual.place;
    p.residual_pixel = static_cast<int>(residual.pixel());
    p.residual_scale = residual.scale;
  }
  product.problem = problem_text(c, product.residual_type);
  product.operations = operations_of(c);
  product.bytes = bytes_of(c, c.residual);
  return product;
}

/// Copies x into an image with zeros around it, several pixels to a 16-byte chunk.
View make_image(Lowering& lowering, const ir::Node& node, const Conv& c, int64_t channels) {
  const int64_t size = static_cast<int64_t>(ir::size_bytes(c.in));
  const int64_t run = round_up(c.taps_w * channels * size, 16) / (channels * size);
  const int64_t height = (c.out_h - 1) * c.stride_h + (c.taps_h - 1) * c.dilation_h + 1;
  const int64_t width =
      round_up((c.out_w - 1) * c.stride_w + run, 16 / std::min<int64_t>(16, channels * size));
  const View from = lowering.view(c.x);
  View image;
  image.type = c.in;
  image.scale = c.in == DataType::Int8 ? lowering.value(c.x).quantization.scales[0] : 1;
  image.dims = {c.images, channels, height, width};
  image.strides = {height * width * channels, 1, width * channels, channels};
  image.place = lowering.scratch(c.images * height * width * channels * size);
  ImageParams p{};
  p.channels = static_cast<int>(c.c);
  p.height = static_cast<int>(c.h);
  p.width = static_cast<int>(c.w);
  p.stride_n = from.strides[0];
  p.stride_c = from.strides[1];
  p.stride_h = from.strides[2];
  p.stride_w = from.strides[3];
  p.pixels_h = static_cast<int>(height);
  p.pixels_w = static_cast<int>(width);
  p.pad_h = static_cast<int>(c.pad_h);
  p.pad_w = static_cast<int>(c.pad_w);
  p.vectors = 1;
  p.in_scale = from.scale;
  p.out_inverse = 1 / image.scale;
  const Kernel kernel{"image.cu", format("to_pixels<{}, {}, {}>", device_type(from.type),
                                         device_type(c.in), channels)};
  Step& step = lowering.add(node, "image", kernel,
                            {{ceil_div(height * width, 256), 1, c.images}, {256, 1, 1}}, p);
  patch(step, &ImageParams::in, from.place);
  patch(step, &ImageParams::out, image.place);
  step.bytes = static_cast<double>(span_bytes(from) + c.images * height * width * channels * size);
  return image;
}

void lower_image_conv(Lowering& lowering, const ir::Node& node, const Conv& c, int64_t channels) {
  const int64_t size = static_cast<int64_t>(ir::size_bytes(c.in));
  const View image = make_image(lowering, node, c, channels);
  Product product = product_to(lowering, c, lowering.target_pixels(c.y));
  ConvParams& p = product.p;
  p.in_h = static_cast<int>(image.dims[2]);
  p.in_w = static_cast<int>(c.out_w);  // a run of pixels is one, and the image wide enough
  p.stride_h = static_cast<int>(c.stride_h);
  p.stride_w = 1;
  p.dilation_h = static_cast<int>(c.dilation_h);
  p.dilation_w = 1;
  p.taps_h = static_cast<int>(c.taps_h);
  p.taps_w = 1;
  p.x_image_bytes = static_cast<int>(image.strides[0] * size);
  p.x_row_bytes = static_cast<int>(image.strides[2] * size);
  p.x_pixel_bytes = static_cast<int>(c.stride_w * channels * size);
  p.channel_bytes = static_cast<int>(round_up(c.taps_w * channels * size, 16));
  product.sum_bytes = c.taps_h * p.channel_bytes;
  p.weight_row_bytes = static_cast<int>(round_up(product.sum_bytes, 128));
  product.x = image.place;
  product.weights =
      packed_weights(lowering, *lowering.value(c.weights).constant,
                     {padded(c.k), p.weight_row_bytes / size, p.channel_bytes / size, channels});
  add_product(lowering, node, "", product);
}

/// Tells @p product, of whole pixels, about the groups of @p c.
void group_product(Lowering& lowering, const Conv& c, Product& product) {
  ChannelGroups groups{c.groups, c.c / c.groups, c.k / c.groups, {}};
  const int64_t inputs = groups.inputs_each;
  groups.weights = [weights = *lowering.value(c.weights).constant,
                    layout = WeightLayout{c.k, c.taps_h * c.taps_w * inputs, c.taps_w * inputs,
                                          inputs}] { return pack_weights(weights, layout); };
  product.p.group_outputs = static_cast<int>(groups.outputs_each);
  product.p.group_bytes = static_cast<int>(inputs * static_cast<int64_t>(ir::size_bytes(c.in)));
  product.groups = std::move(groups);
}

std::optional<std::string> why_not_types(const ir::Graph& graph, const Conv& c) {
  const ir::Value& weights = graph.value(c.weights);
  if (!weights.constant) return std::string("weights that are no constant");
  if (c.bias != ir::kNoValue && !graph.value(c.bias).constant)
    return std::string("a bias that is no constant");
  for (const ir::ValueId id : {c.x, c.y, c.residual_value})
    if (id != ir::kNoValue && !is_device_type(graph.value(id).type))
      return format("elements of type {}", ir::text(graph.value(id).type));
  if (weights.type != c.in)
    return format("{} weights for {} input", ir::text(weights.type), ir::text(c.in));
  if (c.in == DataType::Int8 &&
      (!weights.quantization.is_known() || !graph.value(c.x).quantization.is_known()))
    return std::string("int8 without scales");
  return std::nullopt;
}

std::optional<std::string> why_not_window(const ir::Graph& graph, const ir::Node& node) {
  if (graph.value(node.inputs[0]).shape.size() != 4)
    return format("{}-D convolution",
                  static_cast<int>(graph.value(node.inputs[0]).shape.size()) - 2);
  return why_not_types(graph, conv_of(graph, node));
}

}  // namespace

Product product_of(Lowering& lowering, const Conv& c, const View& x, const View& y) {
  const int64_t size = static_cast<int64_t>(ir::size_bytes(c.in));
  Product product = product_to(lowering, c, y);
  ConvParams& p = product.p;
  set_window(p, c);
  p.x_image_bytes = static_cast<int>(x.strides[0] * size);
  p.x_row_bytes = static_cast<int>(x.strides[2] * size);
  p.x_pixel_bytes = static_cast<int>(x.pixel() * size);
  p.channel_bytes = static_cast<int>(round_up(c.c * size, 16));
  product.sum_bytes = c.taps_h * c.taps_w * p.channel_bytes;
  p.weight_row_bytes = static_cast<int>(round_up(product.sum_bytes, 128));
  product.rows = c.groups == 1 && reads_rows(c);
  product.is_convolution = true;
  product.x = x.place;
  if (c.groups > 1) {
    group_product(lowering, c, product);
    return product;
  }
  const int64_t tap = p.channel_bytes / size;
  product.weights = packed_weights(lowering, *lowering.value(c.weights).constant,
                                   {padded(c.k), p.weight_row_bytes / size, c.taps_w * tap, tap});
  return product;
}

bool feeds_image(const ir::Graph& graph, const ir::Node& reformat, const Target& target) {
  const ir::ValueId made = reformat.outputs[0];
  if (graph.is_output(made) || graph.value(made).shape.size() != 4) return false;
  const ir::Node* user = nullptr;
  for (const ir::Node& node : graph.nodes)
    for (const ir::ValueId id : node.inputs)
      if (id == made) {
        if (user) return false;
        user = &node;
      }
  if (!user || user->op != Op::Conv || user->inputs[0] != made) return false;
  if (why_not_conv(graph, *user, target)) return false;
  return image_channels(conv_of(graph, *user)) > 0;
}

std::optional<std::string> why_not_conv(const ir::Graph& graph, const ir::Node& node,
                                        const Target&) {
  return why_not_window(graph, node);
}

void lower_conv(Lowering& lowering, const ir::Node& node) {
  const Conv c = conv_of(lowering.graph(), node);
  if (is_depthwise(c)) return lower_depthwise(lowering, node, c);
  if (runs_as_stem(c, lowering.target())) return lower_stem(lowering, node, c);
  const bool tensor_cores = c.in != DataType::Float32 || lowering.target().is_ampere();
  if (!tensor_cores) return lower_conv_plain(lowering, node, c);
  if (const int64_t channels = image_channels(c))
    return lower_image_conv(lowering, node, c, channels);
  const View x = lowering.pixels(c.x);
  add_product(lowering, node, "", product_of(lowering, c, x, lowering.target_pixels(c.y)));
}

std::optional<std::string> why_not_deconv(const ir::Graph& graph, const ir::Node& node,
                                          const Target&) {
  return why_not_window(graph, node);
}

void lower_deconv(Lowering& lowering, const ir::Node& node) {
  lower_deconv_plain(lowering, node, conv_of(lowering.graph(), node));
}

}  // namespace dlaexec::gpu
