// Direct convolution of blocked images: for each register tile, one sum over all taps and channels.
// Padded inputs are first copied into a frame of zeros, so that no tile meets an edge.
#include <algorithm>
#include <cstring>
#include <memory>

#include "cpu/catalog.h"
#include "cpu/conv_shape.h"
#include "cpu/epilogue.h"
#include "cpu/tiling.h"

namespace dlaexec::cpu {
namespace {

/// The image that tiles read: the input itself, or its copy within a frame of zeros.
struct Frame {
  int64_t height, width;  ///< zeros included
  bool is_copy;
  int64_t pixels() const { return height * width; }
};

Frame frame_of(const ConvShape& shape) {
  if (!shape.has_padding()) return {shape.input.height, shape.input.width, false};
  const auto span = [](const Axis& axis, int64_t outputs) {
    return (outputs - 1) * axis.stride + axis.reach();
  };
  return {span(shape.y, shape.output.height), span(shape.x, shape.output.width), true};
}

/// Everything that a run needs, made once.
struct Direct {
  ConvShape shape;
  Frame frame;
  Strips strips;
  RowStep row_step;
  std::vector<Chunk> chunks;  ///< of one group's sum; offsets from a strip's first pixel
  Panels panels;
  Epilogue epilogue;
  int residual = -1;  ///< which input
  const TileKernels* tiles;

  void copy_into_frame(const float* input, float* framed, ThreadPool& pool) const;
  void run_image(const float* input, const float* residual_image, float* output,
                 ThreadPool& pool) const;
  void run_task(const Task& task, const float* input, const float* residual_image,
                float* output) const;
};

void Direct::copy_into_frame(const float* input, float* framed, ThreadPool& pool) const {
  const ImageDims& image = shape.input;
  const int64_t rows = image.blocks() * frame.height;
  pool.parallel_ranges(
      rows, std::max<int64_t>(1, 1024 / frame.width), [&](int64_t first, int64_t last) {
        for (int64_t i = first; i < last; ++i) {
          float* to = framed + i * frame.width * kBlock;
          const int64_t y = i % frame.height - shape.y.pad_before;
          if (y < 0 || y >= image.height) {
            std::fill_n(to, frame.width * kBlock, 0.0f);
            continue;
          }
          const float* from = input + (i / frame.height * image.height + y) * image.width * kBlock;
          const int64_t before = shape.x.pad_before;
          const int64_t inner = std::min(image.width, frame.width - before);
          std::fill_n(to, before * kBlock, 0.0f);
          std::copy_n(from, inner * kBlock, to + before * kBlock);
          std::fill_n(to + (before + inner) * kBlock, (frame.width - before - inner) * kBlock,
                      0.0f);
        }
      });
}

void Direct::run_image(const float* input, const float* residual_image, float* output,
                       ThreadPool& pool) const {
  const int64_t weight_bytes = panels.bytes();
  const int64_t input_bytes = shape.input.blocks() * frame.pixels() * kBlock * 4;
  const Tasks tasks =
      split_work({panels.count(), strips.count(), weight_bytes, input_bytes}, pool.size());
  pool.parallel_for(tasks.count(),
                    [&](int64_t i) { run_task(tasks.at(i), input, residual_image, output); });
}

void Direct::run_task(const Task& task, const float* input, const float* residual_image,
                      float* output) const {
  const int64_t group_step = shape.input.blocks() / panels.groups * frame.pixels() * kBlock;
  const int64_t output_block = shape.output.pixels() * kBlock;
  Tile tile{};
  tile.chunks = chunks.data();
  tile.chunk_count = static_cast<int64_t>(chunks.size());
  tile.row_step = shape.x.stride * kBlock;
  tile.output_row_step = kBlock;
  tile.output_block_step = output_block;
  tile.low = epilogue.low;
  tile.high = epilogue.high;
  for (int64_t first = task.first_strip; first < task.last_strip; first += task.strips_at_once) {
    const int64_t last = std::min(task.last_strip, first + task.strips_at_once);
    for (int64_t p = task.first_panel; p < task.last_panel; ++p) {
      const Panel& panel = panels.panels[static_cast<size_t>(p)];
      tile.weights = panels.weights.data() + panel.weights;
      tile.bias = panels.bias.data() + panel.first_block * kBlock;
      for (int64_t s = first; s < last; ++s) {
        const Strip strip = strips.at(s);
        tile.input = input + panel.group * group_step +
                     (strip.y * shape.y.stride * frame.width + strip.x * shape.x.stride) * kBlock;
        const int64_t at =
            panel.first_block * output_block + (strip.y * strips.width + strip.x) * kBlock;
        tile.output = output + at;
        if (residual_image != nullptr) tile.residual = residual_image + at;
        tiles->find(row_step, strip.width, panel.blocks)(tile);
        if (!epilogue.has_more()) continue;
        for (int b = 0; b < panel.blocks; ++b)
          epilogue.finish(output + at + b * output_block, strip.width * kBlock);
      }
    }
  }
}

/// The order of a group's terms: tap by tap, within it block by block; the last block of channels
/// is as deep as there are channels.
std::vector<Chunk> chunks_of(const ConvShape& shape, const Frame& frame, int64_t channels) {
  std::vector<Chunk> chunks;
  for (int64_t ky = 0; ky < shape.y.kernel; ++ky)
    for (int64_t kx = 0; kx < shape.x.kernel; ++kx)
      for (int64_t c = 0; c < channels; c += kBlock) {
        const int64_t pixel = ky * shape.y.dilation * frame.width + kx * shape.x.dilation;
        chunks.push_back(
            {(c / kBlock * frame.pixels() + pixel) * kBlock, std::min(kBlock, channels - c)});
      }
  return chunks;
}

RowStep row_step_of(const ConvShape& shape) {
  if (shape.x.stride == 1) return RowStep::Block;
  return shape.x.stride == 2 ? RowStep::TwoBlocks : RowStep::Any;
}

Panels pack(const Request& request, const ConvShape& shape, const ConvWeights& weights,
            int most_blocks) {
  const int64_t channels = shape.input.channels / weights.groups;
  const int64_t taps = shape.y.kernel * shape.x.kernel;
  PanelSource source;
  source.groups = weights.groups;
  source.outputs = shape.output.channels / weights.groups;
  source.terms = channels * taps;
  source.weight = [&](int64_t group, int64_t output, int64_t term) {
    const int64_t k = group * source.outputs + output;
    const int64_t tap = term / channels, c = term % channels;
    return weights.numbers[static_cast<size_t>((k * channels + c) * taps + tap)];
  };
  Panels panels = pack_panels(source, most_blocks);
  if (has_bias(request)) panels.set_bias(real_numbers(request.input(2)), source.outputs);
  return panels;
}

}  // namespace

std::optional<Kernel> make_direct_conv(const Request& request) {
  const std::optional<ConvShape> shape = conv_shape(request);
  if (!shape || !has_float_operands(request)) return std::nullopt;
  const auto& attributes = request.node.get<ir::ConvAttributes>();
  const TileKernels& tiles = tile_kernels(request.isa);

  auto direct = std::make_shared<Direct>();
  direct->shape = *shape;
  direct->frame = frame_of(*shape);
  direct->row_step = row_step_of(*shape);
  direct->tiles = &tiles;
  const ConvWeights weights = weights_in_whole_blocks(real_numbers(request.input(1)), *shape);
  direct->panels = pack(request, *shape, weights, tiles.most_blocks);
  direct->chunks = chunks_of(*shape, direct->frame, shape->input.channels / weights.groups);
  direct->strips = shape->is_pointwise()
                       ? Strips(1, shape->output.pixels(), tiles.most_rows)
                       : Strips(shape->output.height, shape->output.width, tiles.most_rows);
  direct->epilogue = make_epilogue({attributes.activation, attributes.alpha, attributes.beta},
                                   request.output(), request.isa);
  direct->residual = residual_input(request);

  Kernel kernel;
  kernel.name = shape->is_pointwise() ? "conv.pointwise" : "conv.direct";
  kernel.inputs.assign(request.node.inputs.size(), std::nullopt);
  kernel.inputs[0] = kBlocked;
  if (direct->residual >= 0) kernel.inputs[static_cast<size_t>(direct->residual)] = kBlocked;
  kernel.outputs = {kBlocked};
  kernel.rounds = Rounds::Itself;
  if (direct->frame.is_copy)
    kernel.scratch_bytes = shape->input.blocks() * direct->frame.pixels() * kBlock * 4;
  if (direct->residual >= 0) kernel.may_overwrite = {direct->residual};
  kernel.run = [direct](const Call& call) {
    const ConvShape& of = direct->shape;
    const int64_t input_step = of.input.blocks() * of.input.pixels() * kBlock;
    const int64_t output_step = of.output.blocks() * of.output.pixels() * kBlock;
    for (int64_t n = 0; n < of.input.batch; ++n) {
      const float* input = call.input(0) + n * input_step;
      if (direct->frame.is_copy) {
        direct->copy_into_frame(input, call.scratch_floats(), call.pool);
        input = call.scratch_floats();
      }
      const float* residual =
          direct->residual < 0
              ? nullptr
              : call.input(static_cast<size_t>(direct->residual)) + n * output_step;
      direct->run_image(input, residual, call.output() + n * output_step, call.pool);
    }
  };
  return kernel;
}

}  // namespace dlaexec::cpu
