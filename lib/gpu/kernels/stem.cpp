#include "gpu/kernels/stem.h"

#include <algorithm>
#include <cstring>

#include "base/half.h"
#include "gpu/groups.h"
#include "gpu/kernels/stem_params.h"

namespace dlaexec::gpu {
namespace {

using ir::DataType;
using ir::Op;

/// stem.cu's template arguments that sizes depend on.
struct Shape {
  int64_t k, taps;
  bool pool;
  int64_t chunks() const {
    return taps * ceil_div(taps, 4);
  }  ///< 32 bytes each of a row of weights
};

Shape shape_of(const Conv& c, bool pool) { return {c.k <= 32 ? 32 : 64, c.taps_h, pool}; }

/// Layout::kBytes of stem.cu.
int64_t shared_bytes(const Shape& s, DataType out) {
  constexpr int64_t kRows = 16, kColumns = kStemThreads / 2;
  const int64_t weights = s.k * (s.chunks() * 32 + 16), constants = s.k * 8 + 32;
  const int64_t row = (kColumns + ceil_div(s.taps, 4) * 2 - 1) * 16;
  const int64_t pixel = s.k * static_cast<int64_t>(ir::size_bytes(out)) + 16;
  return weights + constants + kRows * row + 2 * (s.pool ? 1 : 2) * kColumns * pixel;
}

/// [k][row of taps][pixel][4 channels] as halves, whatever integers or halves the weights are.
std::vector<std::byte> pack_weights(const ir::Tensor& weights, const Shape& s) {
  const ir::Dims& d = weights.dims();
  const int64_t row = ceil_div(s.taps, 4) * 16;
  const std::vector<float> from = weights.to_floats();
  std::vector<Half> made(static_cast<size_t>(s.k * s.taps * row));
  size_t at = 0;
  for (int64_t k = 0; k < d[0]; ++k)
    for (int64_t c = 0; c < d[1]; ++c)
      for (int64_t r = 0; r < d[2]; ++r)
        for (int64_t w = 0; w < d[3]; ++w, ++at)
          made[static_cast<size_t>((k * s.taps + r) * row + w * 4 + c)] = Half(from[at]);
  std::vector<std::byte> bytes(made.size() * sizeof(Half));
  std::memcpy(bytes.data(), made.data(), bytes.size());
  return bytes;
}

/// Columns that a block writes: even pieces of a row. A block fetches 128 columns, from up to three
/// before its first on.
int64_t columns_of(const Shape& s, int64_t width) {
  const int64_t convolved = (125 - ceil_div(s.taps, 4) * 4) / 2 + 1;
  const int64_t most = s.pool ? (convolved - 1) / 2 : convolved;
  return ceil_div(width, ceil_div(width, most));
}

/// Steps of a block: long bands repeat less, short ones keep every multiprocessor busy. @p rows:
/// pieces of rows of all images.
int64_t band_of(int64_t rows, int64_t steps, int64_t shared, const Shape& s, const Target& target) {
  constexpr int64_t kStart = 2;  // steps that a block's start is worth
  const int64_t together = std::clamp<int64_t>(target.shared_bytes / shared, 1, 3);
  int64_t least = 0, best = 1;
  for (int64_t bands = 1; bands <= steps; ++bands) {
    const int64_t band = ceil_div(steps, bands), blocks = rows * ceil_div(steps, band);
    const int64_t rounds = ceil_div(blocks, together * target.multiprocessors);
    // Blocks of one multiprocessor take turns; those of a last round go where all have just ended.
    const int64_t turns = rounds > 1 ? rounds * together : ceil_div(blocks, target.multiprocessors);
    const int64_t length = turns * (band + (s.pool && bands > 1) + kStart);
    if (bands > 1 && length >= least) continue;
    least = length;
    best = band;
  }
  return best;
}

/// True if four neighbours of a row, from a column that four divides, are one aligned access.
bool has_whole_fours(const View& x) {
  const auto is_whole = [](int64_t stride) { return stride % 4 == 0; };
  return x.strides[3] == 1 && is_whole(x.dims[3]) && is_whole(x.strides[0]) &&
         is_whole(x.strides[1]) && is_whole(x.strides[2]) &&
         x.place.offset % (4 * static_cast<int64_t>(ir::size_bytes(x.type))) == 0;
}

StemParams parameters(const Lowering& lowering, const Conv& c, const View& x, const View& y,
                      const Shape& shape) {
  StemParams p{};
  p.x_image = x.strides[0];
  p.x_channel = x.strides[1];
  p.x_row = x.strides[2];
  p.x_column = x.strides[3];
  p.in_h = static_cast<int>(c.h);
  p.in_w = static_cast<int>(c.w);
  p.pad_h = static_cast<int>(c.pad_h);
  p.pad_w = static_cast<int>(c.pad_w);
  p.conv_h = static_cast<int>(c.out_h);
  p.conv_w = static_cast<int>(c.out_w);
  p.y_h = static_cast<int>(y.dims[2]);
  p.y_w = static_cast<int>(y.dims[3]);
  p.y_pixel = static_cast<int>(y.pixel());
  p.columns = static_cast<int>(columns_of(shape, y.dims[3]));
  p.steps = static_cast<int>(shape.pool ? y.dims[2] : ceil_div(c.out_h, 2));
  p.band = static_cast<int>(band_of(c.images * ceil_div(p.y_w, p.columns), p.steps,
                                    shared_bytes(shape, c.out), shape, lowering.target()));
  p.x_scale = x.scale;
  p.x_inverse = c.in == DataType::Int8 ? 1 / lowering.value(c.x).quantization.scales[0] : 1;
  const ir::Quantization& conv = lowering.value(c.y).quantization;
  p.conv_scale = c.out == DataType::Int8 ? conv.scales[0] : 1;
  p.y_inverse = 1 / p.conv_scale;
  p.maxima_inverse = 1 / y.scale;
  p.rescales = p.conv_scale != y.scale;
  p.alpha = c.alpha;
  p.beta = c.beta;
  return p;
}

/// A number per channel, for as many as the kernel computes.
Place per_channel(Lowering& lowering, std::vector<float> values, const Shape& shape) {
  values.resize(static_cast<size_t>(shape.k));
  return lowering.constant_floats(std::move(values));
}

void add_stem(Lowering& lowering, const ir::Node& node, const Conv& c, const View& y, bool pool) {
  const View x = lowering.view(c.x);
  const Shape shape = shape_of(c, pool);
  const StemParams p = parameters(lowering, c, x, y, shape);
  const ir::Tensor weights = *lowering.value(c.weights).constant;
  const Place packed = lowering.constant(shape.k * shape.chunks() * 32,
                                         [weights, shape] { return pack_weights(weights, shape); });
  const Place biases = per_channel(lowering, padded_bias(lowering, c.bias, c.k), shape);
  const Place factors = per_channel(
      lowering, c.in == DataType::Int8 ? multipliers(lowering, c) : std::vector<float>(), shape);
  const Kernel kernel{"stem.cu",
                      format("stem<{}, {}, {}, {}, {}, {}, {}, {}, {}>", device_type(x.type),
                             device_type(c.in), device_type(c.out), device_name(c.activation), c.c,
                             shape.k, shape.taps, pool, has_whole_fours(x))};
  const Launch launch{{ceil_div(p.y_w, p.columns), ceil_div(p.steps, p.band), c.images},
                      {kStemThreads, 1, 1},
                      static_cast<int>(shared_bytes(shape, c.out))};
  Step& step = lowering.add(node, "", kernel, launch, p);
  patch(step, &StemParams::x, x.place);
  patch(step, &StemParams::weights, packed);
  patch(step, &StemParams::bias, biases);
  patch(step, &StemParams::multiplier, factors);
  patch(step, &StemParams::y, y.place);
  step.operations = operations_of(c);
  step.bytes = static_cast<double>(span_bytes(x) + span_bytes(y));
}

/// Maxima of 3 x 3 windows that start one pixel outside and move by two.
bool is_stem_pool(const ir::Graph& graph, const ir::Node& pool) {
  if (pool.op != Op::Pool) return false;
  const auto& a = pool.get<ir::PoolAttributes>();
  const auto all = [](const ir::Ints& list, size_t count, int64_t value) {
    return std::all_of(list.begin(), list.begin() + std::min(count, list.size()),
                       [=](int64_t x) { return x == value; });
  };
  const ir::Value &x = graph.value(pool.inputs[0]), &y = graph.value(pool.outputs[0]);
  if (a.kind != ir::PoolKind::Max || pool.outputs.size() > 1 || x.type != y.type ||
      a.kernel != ir::Ints{3, 3} || a.stride != ir::Ints{2, 2} || a.pads.size() < 2 ||
      !all(a.pads, 2, 1) || !all(a.dilation, 2, 1))
    return false;
  const ir::Dims in = ir::dims_of(x.shape), out = ir::dims_of(y.shape);
  return 2 * (out[2] - 1) < in[2] && 2 * (out[3] - 1) < in[3];
}

void lower_pooled(Lowering& lowering, const Group& group) {
  const auto& nodes = lowering.graph().nodes;
  const ir::Node& conv = nodes[static_cast<size_t>(group.nodes[0])];
  const ir::Node& pool = nodes[static_cast<size_t>(group.nodes[1])];
  add_stem(lowering, pool, conv_of(lowering.graph(), conv), lowering.target_pixels(pool.outputs[0]),
           true);
}

}  // namespace

bool runs_as_stem(const Conv& c, const Target& target) {
  const auto is_narrow = [](DataType type) {
    return type == DataType::Float16 || type == DataType::Int8;
  };
  return target.is_ampere() && c.groups == 1 && c.c <= 4 && c.k <= 64 && c.stride_h == 2 &&
         c.stride_w == 2 && c.dilation_h == 1 && c.dilation_w == 1 && c.taps_h == c.taps_w &&
         (c.taps_w == 3 || c.taps_w == 5 || c.taps_w == 7) && c.pad_h < 8 && c.pad_w < 8 &&
         is_narrow(c.in) && is_narrow(c.out) && !c.residual && c.images <= 65535 &&
         image_channels(c) > 0 && shared_bytes(shape_of(c, false), c.out) <= target.shared_bytes;
}

void lower_stem(Lowering& lowering, const ir::Node& node, const Conv& c) {
  add_stem(lowering, node, c, lowering.target_pixels(c.y), false);
}

std::optional<Group> stem_around(const Links& links, const ir::Node& pool, const Target& target) {
  const ir::Graph& graph = links.graph();
  if (!is_stem_pool(graph, pool)) return std::nullopt;
  const ir::Node* conv = links.maker(pool.inputs[0]);
  if (!conv || conv->op != Op::Conv || links.only_user(pool.inputs[0]) != &pool ||
      !runs_as_stem(conv_of(graph, *conv), target))
    return std::nullopt;
  Group group;
  group.nodes = {links.index(*conv), links.index(pool)};
  group.at = group.nodes.back();
  group.lower = lower_pooled;
  return group;
}

}  // namespace dlaexec::gpu
