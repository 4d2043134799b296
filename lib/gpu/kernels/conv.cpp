#include "gpu/kernels/conv.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "gpu/families.h"
#include "gpu/kernels/conv_problem.h"
#include "gpu/kernels/image_params.h"
#include "gpu/kernels/stem.h"
#include "gpu/kernels/window_params.h"
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

/// The window and what it slides over, as the device code reads them.
template <class Params>
void set_window(Params& p, const Conv& c) {
  p.in_h = static_cast<int>(c.h);
  p.in_w = static_cast<int>(c.w);
  p.taps_h = static_cast<int>(c.taps_h);
  p.taps_w = static_cast<int>(c.taps_w);
  p.stride_h = static_cast<int>(c.stride_h);
  p.stride_w = static_cast<int>(c.stride_w);
  p.pad_h = static_cast<int>(c.pad_h);
  p.pad_w = static_cast<int>(c.pad_w);
  p.dilation_h = static_cast<int>(c.dilation_h);
  p.dilation_w = static_cast<int>(c.dilation_w);
}

/// Sizes of kernels that slide a window over pixels.
WindowParams window_of(const Conv& c, const View& x, const View& y) {
  WindowParams p{};
  p.images = static_cast<int>(c.images);
  set_window(p, c);
  p.out_h = static_cast<int>(c.out_h);
  p.out_w = static_cast<int>(c.out_w);
  p.channels = static_cast<int>(c.k);
  p.x_pixel = static_cast<int>(x.pixel());
  p.y_pixel = static_cast<int>(y.pixel());
  p.groups = static_cast<int>(c.groups);
  p.group_inputs = static_cast<int>(c.c / c.groups);
  p.group_outputs = static_cast<int>(c.k / c.groups);
  p.x_scale = x.scale;
  p.y_inverse = 1 / y.scale;
  p.alpha = c.alpha;
  p.beta = c.beta;
  return p;
}

/// Adds a window kernel with its epilogue's operands.
void add_window(Lowering& lowering, const ir::Node& node, const Conv& c, Kernel kernel,
                Launch launch, WindowParams p, const View& x, const View& y, const Place& weights) {
  View residual;
  if (c.residual) {
    residual = lowering.pixels(c.residual_value);
    p.residual_pixel = static_cast<int>(residual.pixel());
    p.residual_scale = residual.scale;
  }
  const Place bias = lowering.constant_floats(padded_bias(lowering, c.bias, c.k));
  Place multiplier;
  if (c.in == DataType::Int8) multiplier = lowering.constant_floats(multipliers(lowering, c));
  Step& step = lowering.add(node, "", std::move(kernel), launch, p);
  patch(step, &WindowParams::x, x.place);
  patch(step, &WindowParams::weights, weights);
  patch(step, &WindowParams::bias, bias);
  patch(step, &WindowParams::multiplier, multiplier);
  patch(step, &WindowParams::residual, residual.place);
  patch(step, &WindowParams::y, y.place);
  step.operations = operations_of(c);
  step.bytes = bytes_of(c, c.residual);
}

std::string window_types(const Lowering& lowering, const Conv& c) {
  return format("{}, {}, {}, {}", device_type(c.in), device_type(c.out),
                c.residual ? device_type(lowering.value(c.residual_value).type) : "Nothing",
                device_name(c.activation));
}

void lower_depthwise(Lowering& lowering, const ir::Node& node, const Conv& c) {
  const View x = lowering.pixels(c.x), y = lowering.target_pixels(c.y);
  WindowParams p = window_of(c, x, y);
  const int64_t vec = vector_elements(c.in);
  p.vectors = static_cast<int>(ceil_div(c.k, vec));
  const ir::Tensor weights = *lowering.value(c.weights).constant;
  const int64_t width = p.vectors * vec, size = static_cast<int64_t>(ir::size_bytes(c.in));
  const Place packed = lowering.constant(c.taps_h * c.taps_w * width * size, [weights, width] {
    // [k][1][taps] to [taps][k padded]: each tap is one row's place in the layout.
    const ir::Dims& d = weights.dims();
    const size_t bytes = ir::size_bytes(weights.type());
    std::vector<std::byte> made(static_cast<size_t>(d[2] * d[3] * width) * bytes);
    for (int64_t k = 0; k < d[0]; ++k)
      for (int64_t tap = 0; tap < d[2] * d[3]; ++tap)
        std::memcpy(made.data() + static_cast<size_t>(tap * width + k) * bytes,
                    weights.bytes().data() + static_cast<size_t>(k * d[2] * d[3] + tap) * bytes,
                    bytes);
    return made;
  });
  const bool square = c.taps_h == c.taps_w && (c.taps_w == 3 || c.taps_w == 5) &&
                      c.stride_h == c.stride_w && c.stride_w <= 2 && c.dilation_h == 1 &&
                      c.dilation_w == 1;
  // Large tiles read less and small ones keep more threads busy.
  int run = !square ? 1 : c.out_w < 4 || c.in == DataType::Int8 ? 2 : 4, rows = 1;
  const auto threads = [&] {
    return c.images * ceil_div(c.out_h, rows) * ceil_div(c.out_w, run) * p.vectors;
  };
  const int64_t full = int64_t{lowering.target().multiprocessors} * 1024;
  if (square && c.stride_h == 1 && c.in == DataType::Float16 && c.out_h > 1 && threads() > 2 * full)
    rows = 2;
  else if (run == 4 && (threads() < full / 4 || (c.stride_h == 2 && c.taps_w == 5)))
    run = 2;
  const Kernel kernel{"depthwise.cu",
                      format("depthwise<{}, {}, {}, {}, {}>", window_types(lowering, c),
                             square ? c.taps_w : 0, square ? c.stride_w : 0, run, rows)};
  const int64_t items = threads();
  add_window(lowering, node, c, kernel, {{ceil_div(items, 128), 1, 1}, {128, 1, 1}}, p, x, y,
             packed);
}

/// [k][taps][channels of a group] of a convolution's or deconvolution's weights.
std::vector<std::byte> plain_weights(const ir::Tensor& weights, int64_t groups, bool transposed) {
  const ir::Dims& d = weights.dims();  // conv [k][c/g][taps], deconv [c][k/g][taps]
  const size_t size = ir::size_bytes(weights.type());
  const int64_t taps = d[2] * d[3];
  const int64_t inputs = transposed ? d[0] / groups : d[1];
  const int64_t outputs = transposed ? d[1] * groups : d[0], group_outputs = outputs / groups;
  std::vector<std::byte> made(weights.size_bytes());
  for (int64_t k = 0; k < outputs; ++k)
    for (int64_t tap = 0; tap < taps; ++tap)
      for (int64_t c = 0; c < inputs; ++c) {
        const int64_t from =
            transposed
                ? ((k / group_outputs * inputs + c) * group_outputs + k % group_outputs) * taps +
                      tap
                : (k * inputs + c) * taps + tap;
        std::memcpy(made.data() + static_cast<size_t>((k * taps + tap) * inputs + c) * size,
                    weights.bytes().data() + static_cast<size_t>(from) * size, size);
      }
  return made;
}

void lower_plain(Lowering& lowering, const ir::Node& node, const Conv& c, bool transposed) {
  const View x = lowering.pixels(c.x), y = lowering.target_pixels(c.y);
  const ir::Tensor weights = *lowering.value(c.weights).constant;
  const int64_t groups = c.groups;
  const Place packed = lowering.constant(static_cast<int64_t>(weights.size_bytes()), [=] {
    return plain_weights(weights, groups, transposed);
  });
  const Kernel kernel{"conv_plain.cu",
                      format("conv_plain<{}, {}>", window_types(lowering, c), transposed)};
  const int64_t items = c.images * c.out_h * c.out_w * y.pixel();
  WindowParams p = window_of(c, x, y);
  add_window(lowering, node, c, kernel, {{ceil_div(items, 128), 1, 1}, {128, 1, 1}}, p, x, y,
             packed);
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
  product.rows = reads_rows(c);
  product.x = x.place;
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
  const bool tensor_cores =
      c.groups == 1 && (c.in != DataType::Float32 || lowering.target().is_ampere());
  if (!tensor_cores) return lower_plain(lowering, node, c, false);
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
  lower_plain(lowering, node, conv_of(lowering.graph(), node), true);
}

}  // namespace dlaexec::gpu
