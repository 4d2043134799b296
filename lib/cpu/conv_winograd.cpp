// Winograd's convolution F(4x4, 3x3): four times fewer products than the direct one, for the price
// of two transforms and weights four times as large.
#include <algorithm>
#include <array>
#include <memory>

#include "cpu/catalog.h"
#include "cpu/conv_shape.h"
#include "cpu/kernels/winograd.h"
#include "cpu/sliding_sum.h"

namespace dlaexec::cpu {
namespace {

/// Tiles that are transformed, multiplied and transformed back together.
struct Batch {
  int64_t first, count;
};

struct Winograd {
  ConvShape shape;
  int64_t tiles_x, tiles;
  int64_t batch_tiles;                                 ///< the most in one batch
  std::array<SlidingSum, kWinogradProducts> products;  ///< a matrix product each
  std::vector<float> bias;
  Epilogue epilogue;
  int residual = -1;
  const WinogradKernels* kernels;

  int64_t factors_step() const { return shape.input.blocks() * batch_tiles * kBlock; }
  int64_t products_step() const { return shape.output.blocks() * batch_tiles * kBlock; }
  int64_t scratch_floats() const { return kWinogradProducts * (factors_step() + products_step()); }
  void run(const Call& call) const;
  void run_batch(Batch batch, const float* input, const float* added, float* output, float* scratch,
                 ThreadPool& pool) const;
  void transform_inputs(Batch batch, int64_t block, const float* input, float* factors) const;
  void transform_outputs(Batch batch, int64_t block, const float* from, const float* added,
                         float* output) const;
};

void Winograd::transform_inputs(Batch batch, int64_t block, const float* input,
                                float* factors) const {
  const float* image = input + block * shape.input.pixels() * kBlock;
  for (int64_t t = 0; t < batch.count; ++t) {
    const int64_t index = batch.first + t;
    const WinogradTile tile{index / tiles_x * kWinogradSide - shape.y.pad_before,
                            index % tiles_x * kWinogradSide - shape.x.pad_before,
                            shape.input.height, shape.input.width, factors_step()};
    kernels->transform_input(tile, image, factors + (block * batch_tiles + t) * kBlock);
  }
}

void Winograd::transform_outputs(Batch batch, int64_t block, const float* from, const float* added,
                                 float* output) const {
  const int64_t at = block * shape.output.pixels() * kBlock;
  float* image = output + at;
  for (int64_t t = 0; t < batch.count; ++t) {
    const int64_t index = batch.first + t;
    const WinogradTile tile{index / tiles_x * kWinogradSide, index % tiles_x * kWinogradSide,
                            shape.output.height, shape.output.width, products_step()};
    kernels->transform_output(tile, from + (block * batch_tiles + t) * kBlock,
                              bias.data() + block * kBlock, added == nullptr ? nullptr : added + at,
                              epilogue.low, epilogue.high, image);
    if (!epilogue.has_more()) continue;
    const int64_t width = std::min(kWinogradSide, tile.width - tile.x);
    for (int64_t y = tile.y; y < std::min(tile.height, tile.y + kWinogradSide); ++y)
      epilogue.finish(image + (y * tile.width + tile.x) * kBlock, width * kBlock);
  }
}

void Winograd::run_batch(Batch batch, const float* input, const float* added, float* output,
                         float* scratch, ThreadPool& pool) const {
  float* factors = scratch;
  float* results = scratch + kWinogradProducts * factors_step();
  // A part is some tiles of one block of channels.
  constexpr int64_t kPart = 8;
  const int64_t parts = divide_up(batch.count, kPart);
  const auto part_of = [&](int64_t i) {
    const int64_t first = i % parts * kPart;
    return Batch{first, std::min(kPart, batch.count - first)};
  };
  pool.parallel_ranges(shape.input.blocks() * parts, 4, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      const Batch part = part_of(i);
      transform_inputs({batch.first + part.first, part.count}, i / parts, input,
                       factors + part.first * kBlock);
    }
  });
  const Strips strips(1, batch.count, products[0].tiles->most_rows);
  const int64_t panels = products[0].panels.count();
  const int64_t cuts = std::min<int64_t>(panels, pool.size() == 1 ? 1 : 2);
  pool.parallel_for(kWinogradProducts * cuts, [&](int64_t i) {
    const int64_t p = i / cuts, cut = i % cuts;
    const Task task{cut * panels / cuts, (cut + 1) * panels / cuts, 0, strips.count(),
                    strips.count()};
    products[static_cast<size_t>(p)].run_task(strips, task, factors + p * factors_step(), nullptr,
                                              results + p * products_step());
  });
  pool.parallel_ranges(shape.output.blocks() * parts, 4, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      const Batch part = part_of(i);
      transform_outputs({batch.first + part.first, part.count}, i / parts,
                        results + part.first * kBlock, added, output);
    }
  });
}

void Winograd::run(const Call& call) const {
  const int64_t input_step = shape.input.blocks() * shape.input.pixels() * kBlock;
  const int64_t output_step = shape.output.blocks() * shape.output.pixels() * kBlock;
  const int64_t batches = divide_up(tiles, batch_tiles);
  for (int64_t n = 0; n < shape.input.batch; ++n) {
    const float* added =
        residual < 0 ? nullptr : call.input(static_cast<size_t>(residual)) + n * output_step;
    for (int64_t b = 0; b < batches; ++b) {
      const int64_t first = b * tiles / batches, last = (b + 1) * tiles / batches;
      run_batch({first, last - first}, call.input(0) + n * input_step, added,
                call.output() + n * output_step, call.scratch_floats(), call.pool);
    }
  }
}

/// G g G^T for one 3x3 kernel.
std::array<double, kWinogradProducts> transform_weights(const float* g) {
  static constexpr double kG[6][3] = {{1.0 / 4, 0, 0},
                                      {-1.0 / 6, -1.0 / 6, -1.0 / 6},
                                      {-1.0 / 6, 1.0 / 6, -1.0 / 6},
                                      {1.0 / 24, 1.0 / 12, 1.0 / 6},
                                      {1.0 / 24, -1.0 / 12, 1.0 / 6},
                                      {0, 0, 1}};
  double half[6][3];
  for (int i = 0; i < 6; ++i)
    for (int j = 0; j < 3; ++j)
      half[i][j] = kG[i][0] * g[j] + kG[i][1] * g[3 + j] + kG[i][2] * g[6 + j];
  std::array<double, kWinogradProducts> u;
  for (size_t i = 0; i < 6; ++i)
    for (size_t j = 0; j < 6; ++j)
      u[i * 6 + j] = half[i][0] * kG[j][0] + half[i][1] * kG[j][1] + half[i][2] * kG[j][2];
  return u;
}

/// Whether the transforms and the larger weights cost less than the products saved. Nanoseconds on
/// one thread of the machines this was measured on; only their ratio matters.
bool pays(const ConvShape& shape, int64_t tiles) {
  constexpr double kProduct = 0.01, kByte = 0.05, kInput = 8, kOutput = 7;
  const double c = static_cast<double>(shape.input.channels);
  const double k = static_cast<double>(shape.output.channels);
  const double in_lanes = static_cast<double>(shape.input.blocks() * kBlock);
  const double out_lanes = static_cast<double>(shape.output.blocks() * kBlock);
  const double pixels = static_cast<double>(shape.output.pixels());
  const double t = static_cast<double>(tiles);
  const double direct = std::max(9 * c * k * pixels * kProduct, 9 * c * k * 4 * kByte);
  const double products = 36 * c * k;
  const double winograd = std::max(products * t * kProduct * 1.15, products * 4 * kByte) +
                          t * (kInput * in_lanes + kOutput * out_lanes);
  return winograd < 0.8 * direct;
}

/// Tiles whose factors and results stay in the second-level caches, but enough to make the weights
/// worth fetching.
int64_t tiles_at_once(const ConvShape& shape, int64_t tiles) {
  constexpr int64_t kNear = 3 * 1024 * 1024;
  constexpr int64_t kLeast = 56;
  const int64_t bytes =
      kWinogradProducts * (shape.input.blocks() + shape.output.blocks()) * kBlock * 4;
  const int64_t most = std::max(kLeast, kNear / bytes);
  return divide_up(tiles, divide_up(tiles, most));
}

void pack_products(const Request& request, Winograd& conv) {
  const int64_t channels = conv.shape.input.channels, outputs = conv.shape.output.channels;
  const std::vector<float> weights = real_numbers(request.input(1));
  std::vector<float> transformed(static_cast<size_t>(outputs * channels * kWinogradProducts));
  for (int64_t i = 0; i < outputs * channels; ++i) {
    const auto u = transform_weights(weights.data() + i * 9);
    for (int64_t p = 0; p < kWinogradProducts; ++p)
      transformed[static_cast<size_t>(p * outputs * channels + i)] =
          static_cast<float>(u[static_cast<size_t>(p)]);
  }
  for (int64_t p = 0; p < kWinogradProducts; ++p) {
    SlidingSum& product = conv.products[static_cast<size_t>(p)];
    const float* from = transformed.data() + p * outputs * channels;
    product.tiles = &tile_kernels(request.isa);
    product.panels = pack_panels(
        {1, outputs, channels,
         [&](int64_t, int64_t output, int64_t term) { return from[output * channels + term]; }},
        product.tiles->most_blocks);
    for (int64_t c = 0; c < channels; c += kBlock)
      product.chunks.push_back({c * conv.batch_tiles, std::min(kBlock, channels - c)});
    product.row_step = RowStep::Block;
    product.input.x = kBlock;
    product.output.x = kBlock;
    product.output_block = conv.batch_tiles * kBlock;
  }
}

}  // namespace

std::optional<Kernel> make_winograd_conv(const Request& request) {
  const std::optional<ConvShape> shape = conv_shape(request);
  const auto is_plain = [](const Axis& axis) {
    return axis.kernel == 3 && axis.stride == 1 && axis.dilation == 1;
  };
  if (!shape || shape->groups != 1 || !is_plain(shape->y) || !is_plain(shape->x) ||
      !has_float_operands(request))
    return std::nullopt;
  auto conv = std::make_shared<Winograd>();
  conv->shape = *shape;
  conv->tiles_x = divide_up(shape->output.width, kWinogradSide);
  conv->tiles = conv->tiles_x * divide_up(shape->output.height, kWinogradSide);
  if (!pays(*shape, conv->tiles)) return std::nullopt;
  conv->batch_tiles = tiles_at_once(*shape, conv->tiles);
  conv->residual = residual_input(request);
  conv->kernels = &winograd_kernels(request.isa);
  const auto& attributes = request.node.get<ir::ConvAttributes>();
  conv->epilogue = make_epilogue({attributes.activation, attributes.alpha, attributes.beta},
                                 request.output(), request.isa);
  if (has_bias(request)) conv->bias = real_numbers(request.input(2));
  conv->bias.resize(static_cast<size_t>(shape->output.blocks() * kBlock), 0.0f);
  pack_products(request, *conv);

  Kernel kernel = kernel_with_epilogue(request, "conv.winograd", kBlocked, conv->residual);
  kernel.scratch_bytes = conv->scratch_floats() * 4;
  kernel.run = [conv](const Call& call) { conv->run(call); };
  return kernel;
}

}  // namespace dlaexec::cpu
