// Depthwise convolution of blocked images: every channel has a filter of its own, so vectors run
// along the channels.
#include <algorithm>
#include <memory>

#include "cpu/catalog.h"
#include "cpu/conv_shape.h"
#include "cpu/epilogue.h"
#include "cpu/kernels/window.h"

namespace dlaexec::cpu {
namespace {

struct Depthwise {
  ConvShape shape;
  std::vector<float> weights;  ///< [block][kernel y][kernel x][16]
  std::vector<float> bias;     ///< [block][16]
  Epilogue epilogue;
  const WindowKernels* kernels;

  void run_row(const float* image, const float* residual_image, float* output_image, int64_t block,
               int64_t row_index) const;
};

void Depthwise::run_row(const float* image, const float* residual_image, float* output_image,
                        int64_t block, int64_t row_index) const {
  const int64_t at = row_index * shape.output.width * kBlock;
  WindowRow row = window_row(shape, row_index);
  row.input = image;
  row.output = output_image + at;
  row.weights = weights.data() + block * shape.y.kernel * shape.x.kernel * kBlock;
  row.bias = bias.data() + block * kBlock;
  if (residual_image != nullptr) row.residual = residual_image + at;
  row.low = epilogue.low;
  row.high = epilogue.high;
  kernels->depthwise(row);
  if (epilogue.has_more()) epilogue.finish(row.output, shape.output.width * kBlock);
}

}  // namespace

WindowRow window_row(const ConvShape& shape, int64_t row_index) {
  const int64_t top = row_index * shape.y.stride - shape.y.pad_before;
  WindowRow row{};
  row.width = shape.input.width;
  row.output_width = shape.output.width;
  row.top = top;
  row.first_tap_y = top >= 0 ? 0 : divide_up(-top, shape.y.dilation);
  row.last_tap_y = std::min(
      shape.y.kernel,
      top >= shape.input.height ? 0 : divide_up(shape.input.height - top, shape.y.dilation));
  row.kernel_x = shape.x.kernel;
  row.stride_x = shape.x.stride;
  row.dilation_x = shape.x.dilation;
  row.dilation_y = shape.y.dilation;
  row.pad_x = shape.x.pad_before;
  return row;
}

std::vector<float> pack_depthwise(const std::vector<float>& weights, const ConvShape& shape) {
  const int64_t taps = shape.y.kernel * shape.x.kernel;
  std::vector<float> packed(static_cast<size_t>(shape.input.blocks() * taps * kBlock), 0.0f);
  for (int64_t c = 0; c < shape.input.channels; ++c)
    for (int64_t tap = 0; tap < taps; ++tap)
      packed[static_cast<size_t>((c / kBlock * taps + tap) * kBlock + c % kBlock)] =
          weights[static_cast<size_t>(c * taps + tap)];
  return packed;
}

std::optional<Kernel> make_depthwise_conv(const Request& request) {
  const std::optional<ConvShape> shape = conv_shape(request);
  if (!shape || !shape->is_depthwise() || shape->groups == 1 || !has_float_operands(request))
    return std::nullopt;
  const auto& attributes = request.node.get<ir::ConvAttributes>();
  auto conv = std::make_shared<Depthwise>();
  conv->shape = *shape;
  conv->weights = pack_depthwise(real_numbers(request.input(1)), *shape);
  if (has_bias(request)) conv->bias = real_numbers(request.input(2));
  conv->bias.resize(static_cast<size_t>(shape->input.blocks() * kBlock), 0.0f);
  conv->epilogue = make_epilogue({attributes.activation, attributes.alpha, attributes.beta},
                                 request.output(), request.isa);
  conv->kernels = &window_kernels(request.isa);
  const int residual = residual_input(request);

  Kernel kernel = kernel_with_epilogue(request, "conv.depthwise", kBlocked, residual);
  kernel.run = [conv, residual](const Call& call) {
    const ConvShape& of = conv->shape;
    const int64_t rows = of.output.height, blocks = of.input.blocks();
    const int64_t work = of.output.width * of.y.kernel * of.x.kernel * kBlock;
    call.pool.parallel_ranges(
        of.input.batch * blocks * rows, std::max<int64_t>(1, 32 * 1024 / work),
        [&](int64_t first, int64_t last) {
          for (int64_t i = first; i < last; ++i) {
            const int64_t image = i / rows;
            const int64_t output_at = image * of.output.pixels() * kBlock;
            const float* added =
                residual < 0 ? nullptr : call.input(static_cast<size_t>(residual)) + output_at;
            conv->run_row(call.input(0) + image * of.input.pixels() * kBlock, added,
                          call.output() + output_at, image % blocks, i % rows);
          }
        });
  };
  return kernel;
}

}  // namespace dlaexec::cpu
