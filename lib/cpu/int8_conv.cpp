// Convolutions of Int8 by Int8.
#include <algorithm>
#include <memory>

#include "cpu/catalog.h"
#include "cpu/conv_shape.h"
#include "cpu/int8_sums.h"
#include "cpu/kernels/window.h"

namespace dlaexec::cpu {
namespace {

/// Factors and biases of a conv's outputs, @p group_outputs of each group in whole blocks.
Int8Outputs outputs_of(const Request& request, const std::vector<float>& weight_scales,
                       int64_t groups) {
  const double input_scale = request.input(0).quantization.scales[0];
  const auto count = static_cast<int64_t>(weight_scales.size());
  const int64_t each = count / groups, whole = round_up(each, kBlock);
  std::vector<float> bias(weight_scales.size(), 0.0f);
  if (has_bias(request)) bias = real_numbers(request.input(2));
  Int8Outputs outputs;
  outputs.factors.assign(static_cast<size_t>(groups * whole), 0.0);
  outputs.bias = outputs.factors;
  for (int64_t k = 0; k < count; ++k) {
    const auto at = static_cast<size_t>(k / each * whole + k % each);
    outputs.factors[at] = input_scale * weight_scales[static_cast<size_t>(k)];
    outputs.bias[at] = bias[bias.size() == 1 ? 0 : static_cast<size_t>(k)];
  }
  return outputs;
}

/// Whether a conv multiplies integers of one activation scale by known ones.
bool has_int8_operands(const Request& request) {
  if (!has_int8_steps(request.input(0))) return false;
  if (has_bias(request) && request.constant(2) == nullptr) return false;
  const int residual = residual_input(request);
  if (residual >= 0 && (!holds_reals(request.input(static_cast<size_t>(residual))) ||
                        request.input_dims(static_cast<size_t>(residual)) != request.output_dims()))
    return false;
  return holds_reals(request.output());
}

Epilogue epilogue_of(const Request& request) {
  const auto& attributes = request.node.get<ir::ConvAttributes>();
  return make_epilogue({attributes.activation, attributes.alpha, attributes.beta}, request.output(),
                       request.isa);
}

/// Cells that the windows of all outputs cover.
int64_t span(const Axis& axis, int64_t outputs) {
  return (outputs - 1) * axis.stride + axis.reach();
}

/// Where the terms of outputs lie: in a frame of cells around the image's planes.
void set_positions(const ConvShape& shape, int64_t planes, int64_t cell, Int8Sums& sums) {
  Frame& frame = sums.frame;
  frame.planes = planes;
  frame.input_height = frame.height = shape.input.height;
  frame.input_width = frame.width = shape.input.width;
  frame.cell = cell;
  if (shape.has_padding()) {
    frame.top = shape.y.pad_before;
    frame.left = shape.x.pad_before;
    frame.height = span(shape.y, shape.output.height);
    frame.width = span(shape.x, shape.output.width);
  }
  const int most = sums.kernels->tiles.most_rows;
  sums.strips = shape.is_pointwise() ? Strips(1, shape.output.pixels(), most)
                                     : Strips(shape.output.height, shape.output.width, most);
  sums.input.y = shape.y.stride * frame.width * frame.cell;
  sums.input.x = shape.x.stride * frame.cell;
  sums.output = {0, shape.output.width * kBlock, kBlock};
  sums.output_block = shape.output.pixels() * kBlock;
}

/// Weights [K, C / groups, taps] as sums read them: tap by tap, within a tap chunk by chunk.
PanelSource panel_source(const ConvWeights& weights, const ConvShape& shape, int64_t chunk_terms) {
  const int64_t channels = shape.input.channels / weights.groups;
  const int64_t taps = shape.y.kernel * shape.x.kernel;
  const int64_t whole = round_up(channels, chunk_terms);
  PanelSource source{weights.groups, shape.output.channels / weights.groups, whole * taps, {}};
  source.weight = [&weights, channels, taps, whole, outputs = source.outputs](
                      int64_t group, int64_t output, int64_t term) {
    const int64_t tap = term / whole, c = term % whole;
    if (c >= channels) return 0.0f;
    return weights
        .numbers[static_cast<size_t>(((group * outputs + output) * channels + c) * taps + tap)];
  };
  return source;
}

}  // namespace

namespace {

/// Sums for a conv whose operands fit, with everything but positions and weights.
std::shared_ptr<Int8Sums> start_sums(const Request& request, const ConvShape& shape,
                                     int64_t groups) {
  const auto scales = int8_weight_scales(request.input(1), shape.output.channels);
  if (!scales) return nullptr;
  auto sums = std::make_shared<Int8Sums>();
  sums->kernels = &int8_kernels(request.isa);
  sums->scale = request.input(0).quantization.scales[0];
  sums->results = outputs_of(request, *scales, groups);
  sums->epilogue = epilogue_of(request);
  return sums;
}

/// Runs @p sums for each image; images of the input are @p input_step floats apart.
Kernel sums_kernel(const Request& request, std::string name, const ConvShape& shape,
                   std::shared_ptr<const Int8Sums> sums, int64_t input_step) {
  const int residual = residual_input(request);
  Kernel kernel = kernel_with_epilogue(request, std::move(name), kBlocked, residual);
  kernel.scratch_bytes = sums->scratch_bytes();
  const int64_t output_step = shape.output.blocks() * shape.output.pixels() * kBlock;
  kernel.run = [sums = std::move(sums), input_step, output_step, batch = shape.input.batch,
                residual](const Call& call) {
    for (int64_t n = 0; n < batch; ++n) {
      const float* added =
          residual < 0 ? nullptr : call.input(static_cast<size_t>(residual)) + n * output_step;
      sums->run(call.input(0) + n * input_step, added, call.output() + n * output_step,
                call.scratch, call.pool);
    }
  };
  return kernel;
}

}  // namespace

std::optional<Kernel> make_int8_conv(const Request& request) {
  const std::optional<ConvShape> shape = conv_shape(request);
  if (!shape || !has_int8_operands(request)) return std::nullopt;
  const ConvWeights weights = weights_in_whole_blocks(request.constant(1)->to_floats(), *shape);
  const auto sums = start_sums(request, *shape, weights.groups);
  if (!sums) return std::nullopt;
  const int64_t channels = shape->input.channels / weights.groups;
  sums->chunk_terms = chunk_terms_for(sums->kernels->tiles, channels);
  sums->group_blocks = divide_up(channels, kBlock);
  const int64_t cells = divide_up(channels, sums->chunk_terms);
  set_positions(*shape, weights.groups * cells, sums->chunk_terms, *sums);
  const PanelSource source = panel_source(weights, *shape, sums->chunk_terms);
  if (source.terms > kMostInt8Terms) return std::nullopt;
  for (int64_t ky = 0; ky < shape->y.kernel; ++ky)
    for (int64_t kx = 0; kx < shape->x.kernel; ++kx)
      for (int64_t cell = 0; cell < cells; ++cell) {
        const int64_t pixel = ky * shape->y.dilation * sums->frame.width + kx * shape->x.dilation;
        sums->chunks.push_back(cell * sums->frame.plane() + pixel * sums->frame.cell);
      }
  sums->input_group = cells * sums->frame.plane();
  sums->pack(source);
  return sums_kernel(request, "conv.int8", *shape, sums,
                     shape->input.blocks() * shape->input.pixels() * kBlock);
}

std::optional<Kernel> make_first_int8_conv(const Request& request) {
  const std::optional<ConvShape> shape = conv_shape(request);
  // As for floats: a row of a plane gives a window's row of terms, here a chunk, side by side.
  if (!shape || shape->groups != 1 || shape->input.channels > 4 || shape->x.dilation != 1 ||
      shape->x.kernel > kBlock || !has_int8_operands(request) || request.exists_as(0, kBlocked))
    return std::nullopt;
  const auto sums = start_sums(request, *shape, 1);
  if (!sums) return std::nullopt;
  const int64_t channels = shape->input.channels;
  set_positions(*shape, channels, 1, *sums);
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t ky = 0; ky < shape->y.kernel; ++ky)
      sums->chunks.push_back(c * sums->frame.plane() + ky * shape->y.dilation * sums->frame.width);
  const int64_t rows = std::ssize(sums->chunks), columns = shape->x.kernel;
  PanelSource source{1, shape->output.channels, rows * kBlock, {}};
  source.weight = [&, weights = request.constant(1)->to_floats()](int64_t, int64_t output,
                                                                  int64_t term) {
    const int64_t row = output * rows + term / kBlock, column = term % kBlock;
    return column < columns ? weights[static_cast<size_t>(row * columns + column)] : 0.0f;
  };
  if (source.terms > kMostInt8Terms) return std::nullopt;
  sums->pack(source);
  Kernel kernel =
      sums_kernel(request, "conv.int8-first", *shape, sums, channels * shape->input.pixels());
  kernel.inputs[0] = kLinear;
  return kernel;
}

namespace {

/// Few terms a sum: whole floats add up exactly, and vectors run along the channels.
struct Int8Depthwise {
  ConvShape shape;
  std::vector<float> weights;  ///< whole numbers, [block][kernel y][kernel x][16]
  float scale = 1;             ///< of the input
  Int8Outputs results;
  Epilogue epilogue;
  const WindowKernels* windows;
  const Int8Kernels* kernels;
  int residual = -1;  ///< which input

  int64_t elements() const {
    return shape.input.batch * shape.input.blocks() * shape.input.pixels() * kBlock;
  }
  void run(const Call& call) const;

 private:
  void run_row(const float* image, const float* added, float* output, int64_t block,
               int64_t row_index) const;
};

void Int8Depthwise::run_row(const float* image, const float* added, float* output, int64_t block,
                            int64_t row_index) const {
  static constexpr float kNoBias[kBlock] = {};
  const int64_t at = row_index * shape.output.width * kBlock;
  WindowRow row = window_row(shape, row_index);
  row.input = image;
  row.output = output + at;
  row.weights = weights.data() + block * shape.y.kernel * shape.x.kernel * kBlock;
  row.bias = kNoBias;
  row.low = -std::numeric_limits<float>::infinity();
  row.high = std::numeric_limits<float>::infinity();
  windows->depthwise(row);
  Int8Results made{};
  made.rows = static_cast<int>(shape.output.width);
  made.sums_step = made.output_step = kBlock;
  made.factor = results.factors.data() + block * kBlock;
  made.bias = results.bias.data() + block * kBlock;
  made.residual = added == nullptr ? nullptr : added + at;
  made.low = epilogue.low;
  made.high = epilogue.high;
  made.output = row.output;
  kernels->finish_whole(row.output, made);
  if (epilogue.has_more()) epilogue.finish(row.output, shape.output.width * kBlock);
}

void Int8Depthwise::run(const Call& call) const {
  call.pool.parallel_ranges(elements() / kBlock, 1024, [&](int64_t first, int64_t last) {
    kernels->to_whole(scale, call.input(0) + first * kBlock, call.scratch_floats() + first * kBlock,
                      (last - first) * kBlock);
  });
  const int64_t rows = shape.output.height, blocks = shape.input.blocks();
  const int64_t work = shape.output.width * shape.y.kernel * shape.x.kernel * kBlock;
  call.pool.parallel_ranges(
      shape.input.batch * blocks * rows, std::max<int64_t>(1, 32 * 1024 / work),
      [&](int64_t first, int64_t last) {
        for (int64_t i = first; i < last; ++i) {
          const int64_t image = i / rows;
          const int64_t at = image * shape.output.pixels() * kBlock;
          const float* added =
              residual < 0 ? nullptr : call.input(static_cast<size_t>(residual)) + at;
          run_row(call.scratch_floats() + image * shape.input.pixels() * kBlock, added,
                  call.output() + at, image % blocks, i % rows);
        }
      });
}

}  // namespace

std::optional<Kernel> make_int8_depthwise_conv(const Request& request) {
  const std::optional<ConvShape> shape = conv_shape(request);
  if (!shape || !shape->is_depthwise() || shape->groups == 1 || !has_int8_operands(request))
    return std::nullopt;
  const auto scales = int8_weight_scales(request.input(1), shape->output.channels);
  constexpr int64_t kMostTaps = (int64_t{1} << 24) / (128 * 128);  // sums that floats hold exactly
  if (!scales || shape->y.kernel * shape->x.kernel > kMostTaps) return std::nullopt;
  auto conv = std::make_shared<Int8Depthwise>();
  conv->shape = *shape;
  conv->weights = pack_depthwise(request.constant(1)->to_floats(), *shape);
  conv->scale = request.input(0).quantization.scales[0];
  conv->results = outputs_of(request, *scales, 1);
  conv->epilogue = epilogue_of(request);
  conv->windows = &window_kernels(request.isa);
  conv->kernels = &int8_kernels(request.isa);
  conv->residual = residual_input(request);

  Kernel kernel = kernel_with_epilogue(request, "conv.int8-depthwise", kBlocked, conv->residual);
  kernel.scratch_bytes = conv->elements() * 4;
  kernel.may_overwrite.clear();  // the residual is read after the sums lie in the output
  kernel.run = [conv](const Call& call) { conv->run(call); };
  return kernel;
}

}  // namespace dlaexec::cpu
