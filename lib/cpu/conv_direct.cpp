// Direct convolution: for each register tile, one sum over all taps and channels.
#include <algorithm>
#include <memory>

#include "cpu/catalog.h"
#include "cpu/conv_shape.h"
#include "cpu/frame.h"
#include "cpu/sliding_sum.h"

namespace dlaexec::cpu {
namespace {

/// Cells that the windows of all outputs cover.
int64_t span(const Axis& axis, int64_t outputs) {
  return (outputs - 1) * axis.stride + axis.reach();
}

Frame frame_of(const ConvShape& shape, int64_t planes, int64_t cell) {
  Frame frame{planes, shape.input.height, shape.input.width, cell};
  frame.height = shape.input.height;
  frame.width = shape.input.width;
  if (!shape.has_padding()) return frame;
  frame.top = shape.y.pad_before;
  frame.left = shape.x.pad_before;
  frame.height = span(shape.y, shape.output.height);
  frame.width = span(shape.x, shape.output.width);
  return frame;
}

/// A convolution that is one sliding sum over a frame.
struct Direct {
  ConvShape shape;
  Frame frame;
  SlidingSum sum;
  int64_t input_step;  ///< floats between images
  int residual = -1;   ///< which input

  void run(const Call& call) const;
};

void Direct::run(const Call& call) const {
  const int64_t output_step = shape.output.blocks() * shape.output.pixels() * kBlock;
  for (int64_t n = 0; n < shape.input.batch; ++n) {
    const float* input = call.input(0) + n * input_step;
    if (!frame.is_image()) {
      frame.copy(input, call.scratch_floats(), call.pool);
      input = call.scratch_floats();
    }
    const float* added =
        residual < 0 ? nullptr : call.input(static_cast<size_t>(residual)) + n * output_step;
    sum.run(input, added, call.output() + n * output_step, call.pool);
  }
}

std::shared_ptr<Direct> start_direct(const Request& request, const ConvShape& shape,
                                     const Frame& frame) {
  const auto& attributes = request.node.get<ir::ConvAttributes>();
  auto direct = std::make_shared<Direct>();
  direct->shape = shape;
  direct->frame = frame;
  direct->residual = residual_input(request);
  SlidingSum& sum = direct->sum;
  sum.tiles = &tile_kernels(request.isa);
  sum.epilogue = make_epilogue({attributes.activation, attributes.alpha, attributes.beta},
                               request.output(), request.isa);
  sum.strips = shape.is_pointwise()
                   ? Strips(1, shape.output.pixels(), sum.tiles->most_rows)
                   : Strips(shape.output.height, shape.output.width, sum.tiles->most_rows);
  sum.input.y = shape.y.stride * frame.width * frame.cell;
  sum.input.x = shape.x.stride * frame.cell;
  sum.input_bytes = frame.bytes();
  sum.output = {0, shape.output.width * kBlock, kBlock};
  sum.output_block = shape.output.pixels() * kBlock;
  return direct;
}

Kernel direct_kernel(const Request& request, std::shared_ptr<const Direct> direct, std::string name,
                     Layout input) {
  Kernel kernel = kernel_with_epilogue(request, std::move(name), kBlocked, direct->residual);
  kernel.inputs[0] = input;
  if (!direct->frame.is_image()) kernel.scratch_bytes = direct->frame.bytes();
  kernel.run = [direct = std::move(direct)](const Call& call) { direct->run(call); };
  return kernel;
}

/// Blocked images. A sum's terms go tap by tap, within a tap block by block; the last block of a
/// group is as deep as the group has channels.
std::vector<Chunk> blocked_chunks(const ConvShape& shape, const Frame& frame, int64_t channels) {
  std::vector<Chunk> chunks;
  for (int64_t ky = 0; ky < shape.y.kernel; ++ky)
    for (int64_t kx = 0; kx < shape.x.kernel; ++kx)
      for (int64_t c = 0; c < channels; c += kBlock) {
        const int64_t pixel = ky * shape.y.dilation * frame.width + kx * shape.x.dilation;
        chunks.push_back(
            {c / kBlock * frame.plane() + pixel * kBlock, std::min(kBlock, channels - c)});
      }
  return chunks;
}

RowStep row_step_of(const ConvShape& shape, RowStep one, RowStep two) {
  if (shape.x.stride == 1) return one;
  return shape.x.stride == 2 ? two : RowStep::Any;
}

Panels pack(const Request& request, const PanelSource& source, int most_blocks) {
  Panels panels = pack_panels(source, most_blocks);
  if (has_bias(request)) panels.set_bias(real_numbers(request.input(2)), source.outputs);
  return panels;
}

}  // namespace

std::optional<Kernel> make_direct_conv(const Request& request) {
  const std::optional<ConvShape> shape = conv_shape(request);
  if (!shape || !has_float_operands(request)) return std::nullopt;
  const ConvWeights weights = weights_in_whole_blocks(real_numbers(request.input(1)), *shape);
  const int64_t channels = shape->input.channels / weights.groups;
  const int64_t taps = shape->y.kernel * shape->x.kernel;
  const auto direct =
      start_direct(request, *shape, frame_of(*shape, shape->input.blocks(), kBlock));
  direct->input_step = shape->input.blocks() * shape->input.pixels() * kBlock;

  SlidingSum& sum = direct->sum;
  sum.row_step = row_step_of(*shape, RowStep::Block, RowStep::TwoBlocks);
  sum.chunks = blocked_chunks(*shape, direct->frame, channels);
  sum.input_group = shape->input.blocks() / weights.groups * direct->frame.plane();
  PanelSource source{weights.groups, shape->output.channels / weights.groups, channels * taps, {}};
  source.weight = [&](int64_t group, int64_t output, int64_t term) {
    const int64_t k = group * source.outputs + output;
    const int64_t tap = term / channels, c = term % channels;
    return weights.numbers[static_cast<size_t>((k * channels + c) * taps + tap)];
  };
  sum.panels = pack(request, source, sum.tiles->most_blocks);
  return direct_kernel(request, direct, shape->is_pointwise() ? "conv.pointwise" : "conv.direct",
                       kBlocked);
}

std::optional<Kernel> make_first_conv(const Request& request) {
  const std::optional<ConvShape> shape = conv_shape(request);
  // Blocks would be mostly air; a row of a plane gives a window's row of terms side by side.
  if (!shape || shape->groups != 1 || shape->input.channels > 4 || shape->x.dilation != 1 ||
      !has_float_operands(request) || request.exists_as(0, kBlocked))
    return std::nullopt;
  const std::vector<float> weights = real_numbers(request.input(1));
  const int64_t channels = shape->input.channels;
  const int64_t terms = channels * shape->y.kernel * shape->x.kernel;
  const auto direct = start_direct(request, *shape, frame_of(*shape, channels, 1));
  direct->input_step = channels * shape->input.pixels();

  SlidingSum& sum = direct->sum;
  sum.row_step = row_step_of(*shape, RowStep::One, RowStep::Two);
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t ky = 0; ky < shape->y.kernel; ++ky)
      sum.chunks.push_back(
          {c * direct->frame.plane() + ky * shape->y.dilation * direct->frame.width,
           shape->x.kernel});
  PanelSource source{1, shape->output.channels, terms, {}};
  source.weight = [&](int64_t, int64_t output, int64_t term) {
    return weights[static_cast<size_t>(output * terms + term)];
  };
  sum.panels = pack(request, source, sum.tiles->most_blocks);
  return direct_kernel(request, direct, "conv.first", kLinear);
}

}  // namespace dlaexec::cpu
