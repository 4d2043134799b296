// Transposed convolution: the outputs that share their place between two inputs form a phase, and
// each phase is an ordinary convolution with some of the taps.
#include <algorithm>
#include <memory>

#include "cpu/catalog.h"
#include "cpu/frame.h"
#include "cpu/int8_sums.h"
#include "cpu/numbers.h"
#include "cpu/sliding_sum.h"

namespace dlaexec::cpu {
namespace {

/// One tap that reaches a phase's outputs: which, and how many input cells before the position.
struct Tap {
  int64_t index, back;
};

/// The outputs @p first, first + stride, ... along one axis.
struct Phase {
  int64_t first, count;
  std::vector<Tap> taps;
};

struct DeconvAxis {
  int64_t kernel, stride, dilation, pad, inputs, outputs;
};

/// Output o gets tap k of input i where o + pad = i * stride + k * dilation.
std::vector<Phase> phases_of(const DeconvAxis& axis) {
  std::vector<Phase> phases;
  for (int64_t first = 0; first < std::min(axis.stride, axis.outputs); ++first) {
    Phase phase{first, divide_up(axis.outputs - first, axis.stride), {}};
    for (int64_t k = 0; k < axis.kernel; ++k) {
      const int64_t reach = first + axis.pad - k * axis.dilation;
      if (reach % axis.stride == 0) phase.taps.push_back({k, -reach / axis.stride});
    }
    phases.push_back(std::move(phase));
  }
  return phases;
}

/// Zeros before and after the inputs that some tap of some phase reads.
struct Margins {
  int64_t before = 0, after = 0;
};

Margins margins_of(const std::vector<Phase>& phases, int64_t inputs) {
  Margins margins;
  for (const Phase& phase : phases)
    for (const Tap& tap : phase.taps) {
      margins.before = std::max(margins.before, tap.back);
      margins.after = std::max(margins.after, phase.count - 1 - tap.back - (inputs - 1));
    }
  return margins;
}

/// Int8 by Int8: the phases sum whole numbers, which floats do exactly, and this makes results of
/// the sums where they lie.
struct WholeSums {
  float scale = 1;  ///< of the input
  Int8Outputs results;
  Epilogue epilogue;
  const Int8Kernels* kernels = nullptr;

  void finish(const ImageDims& output, const float* residual, float* sums, ThreadPool& pool) const;
};

void WholeSums::finish(const ImageDims& output, const float* residual, float* sums,
                       ThreadPool& pool) const {
  pool.parallel_ranges(output.blocks() * output.height, 4, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      const int64_t at = i * output.width * kBlock, block = i / output.height;
      Int8Results made{};
      made.rows = static_cast<int>(output.width);
      made.sums_step = made.output_step = kBlock;
      made.factor = results.factors.data() + block * kBlock;
      made.bias = results.bias.data() + block * kBlock;
      made.residual = residual == nullptr ? nullptr : residual + at;
      made.low = epilogue.low;
      made.high = epilogue.high;
      made.output = sums + at;
      kernels->finish_whole(sums + at, made);
      if (epilogue.has_more()) epilogue.finish(sums + at, output.width * kBlock);
    }
  });
}

struct Deconv {
  ImageDims input, output;
  Frame frame;
  std::vector<SlidingSum> phases;
  int residual = -1;
  std::optional<WholeSums> whole;

  bool needs_frame() const { return whole || !frame.is_image(); }
  void run(const Call& call) const;

 private:
  void fill_frame(const float* image, const Call& call) const;
};

void Deconv::fill_frame(const float* image, const Call& call) const {
  float* framed = call.scratch_floats();
  if (!whole) return frame.copy(image, framed, call.pool);
  frame.make(
      call.pool, [&](int64_t to, int64_t count) { std::fill_n(framed + to, count, 0.0f); },
      [&](int64_t from, int64_t to, int64_t count) {
        whole->kernels->to_whole(whole->scale, image + from, framed + to, count);
      });
}

void Deconv::run(const Call& call) const {
  const int64_t input_step = input.blocks() * input.pixels() * kBlock;
  const int64_t output_step = output.blocks() * output.pixels() * kBlock;
  for (int64_t n = 0; n < input.batch; ++n) {
    const float* from = call.input(0) + n * input_step;
    if (needs_frame()) {
      fill_frame(from, call);
      from = call.scratch_floats();
    }
    const float* added =
        residual < 0 ? nullptr : call.input(static_cast<size_t>(residual)) + n * output_step;
    float* to = call.output() + n * output_step;
    for (const SlidingSum& phase : phases) phase.run(from, whole ? nullptr : added, to, call.pool);
    if (whole) whole->finish(output, added, to, call.pool);
  }
}

/// The part of a request that this kernel needs, as numbers.
struct DeconvParts {
  DeconvAxis y, x;
  std::vector<float> weights;  ///< [channels][outputs][kernel y][kernel x]
  std::vector<float> bias;
};

SlidingSum make_phase(const Deconv& deconv, const DeconvParts& parts, const Phase& y,
                      const Phase& x, const SlidingSum& start) {
  SlidingSum sum = start;
  const Frame& frame = deconv.frame;
  sum.strips = Strips(y.count, x.count, sum.tiles->most_rows);
  sum.row_step = RowStep::Block;
  sum.input = {(frame.top * frame.width + frame.left) * kBlock, frame.width * kBlock, kBlock};
  const int64_t row = deconv.output.width * kBlock;
  sum.output = {y.first * row + x.first * kBlock, parts.y.stride * row, parts.x.stride * kBlock};
  const int64_t channels = deconv.input.channels, outputs = deconv.output.channels;
  std::vector<int64_t> kernel_index;
  for (const Tap& ty : y.taps)
    for (const Tap& tx : x.taps) {
      kernel_index.push_back(ty.index * parts.x.kernel + tx.index);
      const int64_t cell = -(ty.back * frame.width + tx.back) * kBlock;
      for (int64_t c = 0; c < channels; c += kBlock)
        sum.chunks.push_back({c / kBlock * frame.plane() + cell, std::min(kBlock, channels - c)});
    }
  const int64_t taps = parts.y.kernel * parts.x.kernel;
  const int64_t terms = static_cast<int64_t>(kernel_index.size()) * channels;
  sum.panels = pack_panels(
      {1, outputs, terms,
       [&](int64_t, int64_t output, int64_t term) {
         const int64_t tap = kernel_index[static_cast<size_t>(term / channels)];
         return parts
             .weights[static_cast<size_t>((term % channels * outputs + output) * taps + tap)];
       }},
      sum.tiles->most_blocks);
  sum.panels.set_bias(parts.bias, outputs);
  return sum;
}

DeconvParts parts_of(const Request& request, const ImageDims& input, const ImageDims& output) {
  const auto& attributes = request.node.get<ir::DeconvAttributes>();
  const ir::Dims weights = request.input_dims(1);
  DeconvParts parts;
  parts.y = {weights[2],         attributes.stride[0], attributes.dilation[0],
             attributes.pads[0], input.height,         output.height};
  parts.x = {weights[3],         attributes.stride[1], attributes.dilation[1],
             attributes.pads[1], input.width,          output.width};
  parts.weights = real_numbers(request.input(1));
  return parts;
}

bool can_run(const Request& request, int residual) {
  const auto& attributes = request.node.get<ir::DeconvAttributes>();
  if (request.input_dims(0).size() != 4 || attributes.groups != 1) return false;
  if (request.constant(1) == nullptr || !holds_reals(request.output())) return false;
  const bool has_bias = request.has_input(2) && residual != 2;
  if (has_bias && request.constant(2) == nullptr) return false;
  for (const ir::ValueId id : request.node.inputs)
    if (id != ir::kNoValue && !holds_reals(request.graph.value(id))) return false;
  if (residual >= 0 && request.input_dims(static_cast<size_t>(residual)) != request.output_dims())
    return false;
  return true;
}

bool has_int8_operands(const Request& request) {
  return request.input(0).type == ir::DataType::Int8 && request.input(1).type == ir::DataType::Int8;
}

/// What turns sums of whole numbers into results; nothing where floats may not hold the sums.
std::optional<WholeSums> whole_sums(const Request& request, const DeconvParts& parts,
                                    const Epilogue& epilogue) {
  constexpr int64_t kMostTerms = (int64_t{1} << 24) / (128 * 128);
  const ir::Value& input = request.input(0);
  const int64_t outputs = request.input_dims(1)[1];
  const auto scales = int8_weight_scales(request.input(1), outputs);
  if (!scales || !has_int8_steps(input) ||
      request.input_dims(1)[0] * parts.y.kernel * parts.x.kernel > kMostTerms)
    return std::nullopt;
  WholeSums whole;
  whole.scale = input.quantization.scales[0];
  whole.epilogue = epilogue;
  whole.kernels = &int8_kernels(request.isa);
  whole.results.factors.assign(static_cast<size_t>(round_up(outputs, kBlock)), 0.0);
  whole.results.bias = whole.results.factors;
  for (size_t i = 0; i < scales->size(); ++i) {
    whole.results.factors[i] = static_cast<double>(whole.scale) * (*scales)[i];
    if (!parts.bias.empty()) whole.results.bias[i] = parts.bias[parts.bias.size() == 1 ? 0 : i];
  }
  return whole;
}

Frame frame_of(const ImageDims& input, const Margins& vertical, const Margins& horizontal) {
  Frame frame{input.blocks(), input.height, input.width, kBlock};
  frame.top = vertical.before;
  frame.left = horizontal.before;
  frame.height = input.height + vertical.before + vertical.after;
  frame.width = input.width + horizontal.before + horizontal.after;
  return frame;
}

}  // namespace

std::optional<Kernel> make_deconv(const Request& request) {
  const auto& attributes = request.node.get<ir::DeconvAttributes>();
  const int residual = attributes.residual ? static_cast<int>(request.node.inputs.size()) - 1 : -1;
  if (!can_run(request, residual)) return std::nullopt;
  auto deconv = std::make_shared<Deconv>();
  deconv->input = image_dims(request.input_dims(0));
  deconv->output = image_dims(request.output_dims());
  deconv->residual = residual;
  DeconvParts parts = parts_of(request, deconv->input, deconv->output);
  if (request.has_input(2) && residual != 2) parts.bias = real_numbers(request.input(2));

  const std::vector<Phase> rows = phases_of(parts.y), columns = phases_of(parts.x);
  const Margins vertical = margins_of(rows, deconv->input.height);
  const Margins horizontal = margins_of(columns, deconv->input.width);
  deconv->frame = frame_of(deconv->input, vertical, horizontal);

  SlidingSum start;
  start.tiles = &tile_kernels(request.isa);
  start.input_bytes = deconv->frame.bytes();
  start.output_block = deconv->output.pixels() * kBlock;
  start.epilogue = make_epilogue({attributes.activation, attributes.alpha, attributes.beta},
                                 request.output(), request.isa);
  if (has_int8_operands(request)) {
    deconv->whole = whole_sums(request, parts, start.epilogue);
    if (!deconv->whole) return std::nullopt;
    parts.weights = request.constant(1)->to_floats();
    parts.bias.clear();
    start.epilogue = {};
  }
  for (const Phase& y : rows)
    for (const Phase& x : columns)
      deconv->phases.push_back(make_phase(*deconv, parts, y, x, start));

  const char* name = deconv->whole ? "deconv.int8" : "deconv.phases";
  Kernel kernel = kernel_with_epilogue(request, name, kBlocked, residual);
  if (deconv->whole) kernel.may_overwrite.clear();  // it is read after the sums lie in the output
  if (deconv->needs_frame()) kernel.scratch_bytes = deconv->frame.bytes();
  kernel.run = [deconv](const Call& call) { deconv->run(call); };
  return kernel;
}

}  // namespace dlaexec::cpu
