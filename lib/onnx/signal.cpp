// Windows, Fourier transforms and grids.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <optional>

#include "onnx/operators.h"

namespace dlaexec::onnx {
namespace {

/// a - b cos(2 pi n / N) + c cos(4 pi n / N) for n = 0, 1, ..., size - 1.
ValueIds window(Node& node, double a, double b, double c) {
  const ir::DataType type = node.type("output_datatype", ir::DataType::Float32);
  const ValueId size = node.cast(node.in(0), ir::DataType::Float32);
  const ValueId n = node.add(Op::Range, {node.number(0, size), size, node.number(1, size)});
  const ValueId length = node.flag("periodic", true)
                             ? size
                             : node.binary(ElementwiseKind::Sub, size, node.number(1, size));
  const auto cosine = [&](double turns, double factor) {
    const ValueId angle = node.binary(
        ElementwiseKind::Div,
        node.binary(ElementwiseKind::Prod, n, node.number(turns * std::numbers::pi, n)), length);
    return node.binary(ElementwiseKind::Prod, node.unary(UnaryKind::Cos, angle),
                       node.number(factor, n));
  };
  ValueId result = node.binary(ElementwiseKind::Sum, cosine(2, -b), node.number(a, n));
  if (c != 0) result = node.binary(ElementwiseKind::Sum, result, cosine(4, c));
  return {node.cast(result, type)};
}

}  // namespace

ValueIds hann_window(Node& node) { return window(node, 0.5, 0.5, 0); }
ValueIds hamming_window(Node& node) { return window(node, 25.0 / 46, 21.0 / 46, 0); }
ValueIds blackman_window(Node& node) { return window(node, 0.42, 0.5, 0.08); }

namespace {

/// A number that is one i64 element of the graph, known when the network is imported or not.
struct Count {
  ValueId id;  ///< of shape [1]
  std::optional<int64_t> known;
};

Count count_of(Node& node, ValueId id) {
  const ValueId number = node.reshape(node.cast(id, ir::DataType::Int64), {1});
  const auto known = node.known(id);
  return {number, known && known->size() == 1 ? std::optional((*known)[0]) : std::nullopt};
}

Count dimension(Node& node, ValueId x, int64_t axis) {
  const ir::Dim& dim = node.dim(x, axis);
  return {node.shape_of(x, axis, axis + 1),
          dim.is_known() ? std::optional(dim.value) : std::nullopt};
}

/// 0, 1, ..., count - 1.
ValueId counting(Node& node, const Count& count) {
  const ValueId end = node.squeeze(count.id, {0});
  return node.add(Op::Range, {node.number(0, end), end, node.number(1, end)});
}

ValueId plus(Node& node, ValueId a, int64_t b) {
  return node.binary(ElementwiseKind::Sum, a, node.ints_constant({b}));
}

/// The frequencies that a spectrum of @p length keeps.
Count kept_of(Node& node, const Count& length) {
  const ValueId half = node.binary(ElementwiseKind::Div, length.id, node.ints_constant({2}));
  return {plus(node, half, 1), length.known ? std::optional(*length.known / 2 + 1) : std::nullopt};
}

Count least(Node& node, const Count& a, const Count& b) {
  return {node.binary(ElementwiseKind::Min, a.id, b.id),
          a.known && b.known ? std::optional(std::min(*a.known, *b.known)) : std::nullopt};
}

/// cos and sin of 2 pi k n / length, times a factor, as matrices [in, out].
struct FourierMatrices {
  ValueId cosines, sines;
};

FourierMatrices known_matrices(Node& node, int64_t in, int64_t out, int64_t length, double factor,
                               ir::DataType type) {
  std::vector<float> cosines, sines;
  for (int64_t n = 0; n < in; ++n)
    for (int64_t k = 0; k < out; ++k) {
      const double angle =
          2 * std::numbers::pi * static_cast<double>(n * k % length) / static_cast<double>(length);
      cosines.push_back(static_cast<float>(factor * std::cos(angle)));
      sines.push_back(static_cast<float>(factor * std::sin(angle)));
    }
  const auto matrix = [&](const std::vector<float>& elements) {
    return node.constant(ir::Tensor::of<float>({in, out}, elements).converted(type));
  };
  return {matrix(cosines), matrix(sines)};
}

FourierMatrices fourier_matrices(Node& node, const Count& in, const Count& out, const Count& length,
                                 bool inverse, ir::DataType type) {
  constexpr int64_t kMostElements = int64_t{1} << 24;
  if (in.known && out.known && length.known && *in.known <= kMostElements &&
      *out.known <= kMostElements && *in.known * *out.known <= kMostElements) {
    if (*length.known < 1) fail("the transform has {} elements", *length.known);
    const double factor = inverse ? 1 / static_cast<double>(*length.known) : 1;
    return known_matrices(node, *in.known, *out.known, *length.known, factor, type);
  }
  const ValueId products =
      node.binary(ElementwiseKind::Prod, node.unsqueeze(counting(node, in), {1}),
                  node.unsqueeze(counting(node, out), {0}));
  // In quarters of a step, so that a quarter turn is length, and folded into [-1, 1] quarter turns
  // in whole numbers, so that waves are as symmetric as they should be.
  const auto scaled = [&](ValueId a, int64_t by) {
    return node.binary(ElementwiseKind::Prod, a, node.ints_constant({by}));
  };
  const auto wave = [&](int64_t quarters) {
    const ValueId turned =
        node.binary(ElementwiseKind::Sum, scaled(products, 4), scaled(length.id, quarters));
    const ValueId within = node.binary(ElementwiseKind::Mod, turned, scaled(length.id, 4));
    const ValueId away =
        node.unary(UnaryKind::Abs, node.binary(ElementwiseKind::Sub, within, scaled(length.id, 2)));
    const ValueId folded =
        node.cast(node.binary(ElementwiseKind::Sub, length.id, away), ir::DataType::Float32);
    const ValueId size = node.cast(length.id, ir::DataType::Float32);
    const ValueId part = node.binary(ElementwiseKind::Div, folded, size);
    const ValueId angle =
        node.binary(ElementwiseKind::Prod, part, node.number(std::numbers::pi / 2, part));
    const ValueId y = node.unary(UnaryKind::Sin, angle);
    return node.cast(inverse ? node.binary(ElementwiseKind::Div, y, size) : y, type);
  };
  return {wave(2), wave(1)};
}

/// The transform of [..., n, 1 or 2] along the dimension before the last, to @p out frequencies.
/// @p parts is the last dimension.
ValueId transformed(Node& node, ValueId x, int64_t parts, const Count& length, const Count& out,
                    bool inverse) {
  const int64_t last = node.rank(x) - 1;
  const Count have = dimension(node, x, last - 1);
  const Count used = least(node, have, length);
  const ValueId cut =
      node.add(Op::Slice, {x, node.ints_constant({0}), length.id, node.ints_constant({last - 1})});
  const ValueId real = node.squeeze(node.slice(cut, last, 0, 1), {last});
  const FourierMatrices by = fourier_matrices(node, used, out, length, inverse, node.type_of(x));
  const auto product = [&](ValueId a, ValueId b) { return node.add(Op::MatMul, {a, b}); };
  ValueId real_out = product(real, by.cosines);
  ValueId imaginary_out = product(real, by.sines);
  if (!inverse) imaginary_out = node.unary(UnaryKind::Neg, imaginary_out);
  if (parts == 2) {
    const ValueId imaginary = node.squeeze(node.slice(cut, last, 1, 2), {last});
    const ValueId turned = product(imaginary, by.sines);
    real_out = node.binary(inverse ? ElementwiseKind::Sub : ElementwiseKind::Sum, real_out, turned);
    imaginary_out =
        node.binary(ElementwiseKind::Sum, imaginary_out, product(imaginary, by.cosines));
  }
  return node.concat({node.unsqueeze(real_out, {last}), node.unsqueeze(imaginary_out, {last})},
                     last);
}

/// A onesided spectrum [..., length / 2 + 1, 2] with the conjugate half that it leaves out.
ValueId mirrored(Node& node, ValueId x, const Count& length) {
  const int64_t last = node.rank(x) - 1;
  const ValueId up = counting(node, length);
  const ValueId down = node.binary(ElementwiseKind::Sub, length.id, up);
  const ValueId whole = node.add(Op::Gather, {x, node.binary(ElementwiseKind::Min, up, down)},
                                 ir::AxisAttributes{last - 1});
  const ValueId is_kept = node.binary(ElementwiseKind::LessOrEqual, up, down);
  const ValueId sign = node.add(Op::Where, {is_kept, node.number(1, x), node.number(-1, x)});
  const ValueId one = node.add(Op::Where, {is_kept, node.number(1, x), node.number(1, x)});
  const ValueId factors = node.concat({node.unsqueeze(one, {1}), node.unsqueeze(sign, {1})}, 1);
  return node.binary(ElementwiseKind::Prod, whole, factors);
}

/// 1 for real numbers, 2 for complex ones.
int64_t parts_of(Node& node, ValueId x) {
  const ir::Dim& parts = node.dim(x, node.rank(x) - 1);
  if (parts != ir::Dim(1) && parts != ir::Dim(2))
    fail("the last dimension is {}; 1 (real) or 2 (complex) is needed", ir::to_text({parts}));
  return parts.value;
}

struct Transform {
  int64_t parts;
  bool inverse, onesided;
  std::optional<Count> length;  ///< as the node gives it
};

/// The transform along the dimension before the last, and its size.
ValueId transform(Node& node, ValueId x, const Transform& of, Count& out) {
  const Count have = dimension(node, x, node.rank(x) - 2);
  if (of.inverse && of.onesided) {
    const ValueId twice =
        node.binary(ElementwiseKind::Prod, plus(node, have.id, -1), node.ints_constant({2}));
    out = of.length.value_or(
        Count{twice, have.known ? std::optional(2 * (*have.known - 1)) : std::nullopt});
    const ValueId whole = mirrored(node, x, out);
    return node.slice(transformed(node, whole, 2, out, out, true), node.rank(x) - 1, 0, 1);
  }
  const Count length = of.length.value_or(have);
  out = of.onesided ? kept_of(node, length) : length;
  return transformed(node, x, of.parts, length, out, of.inverse);
}

/// Along an axis that only data tells: with what lies before and behind it in one dimension each.
ValueId transform_along(Node& node, ValueId x, ValueId axis, const Transform& of) {
  const int64_t rank = node.rank(x);
  const ValueId shape = node.shape_of(x);
  const ValueId one = node.ints_constant({1});
  ir::Ints positions(static_cast<size_t>(rank));
  std::iota(positions.begin(), positions.end(), 0);
  const ValueId at = node.ints_constant(positions);
  const ValueId along = node.binary(ElementwiseKind::Mod, axis, node.ints_constant({rank}));
  const ValueId is_behind =
      node.binary(ElementwiseKind::And, node.binary(ElementwiseKind::Greater, at, along),
                  node.binary(ElementwiseKind::Less, at, node.ints_constant({rank - 1})));
  const ValueId behind =
      node.reduce(ir::ReduceKind::Prod, node.add(Op::Where, {is_behind, shape, one}), {0}, true);
  const ValueId size = node.add(Op::Gather, {shape, along}, ir::AxisAttributes{0});
  const ValueId joined =
      node.concat({node.ints_constant({-1}), size, behind, node.ints_constant({of.parts})}, 0);
  const ValueId moved = node.transpose(node.reshape_to(x, joined), {0, 2, 1, 3});
  Count out{};
  const ValueId y = node.transpose(transform(node, moved, of, out), {0, 2, 1, 3});
  const ValueId is_along = node.binary(ElementwiseKind::Equal, at, along);
  ValueId to = node.add(Op::Where, {is_along, out.id, shape});
  to = node.concat({node.slice(to, 0, 0, rank - 1), node.shape_of(y, 3, 4)}, 0);
  return node.reshape_to(y, to);
}

}  // namespace

ValueIds dft(Node& node) {
  const ValueId x = node.in(0);
  const int64_t rank = node.rank(x);
  if (rank < 2) fail("the input has {} dimensions; 2 or more are needed", rank);
  Transform of{parts_of(node, x), node.flag("inverse", false), node.flag("onesided", false),
               std::nullopt};
  if (node.has(1)) of.length = count_of(node, node.in(1));
  int64_t axis = node.opset() < 20 ? node.integer("axis", 1) : -2;
  if (node.opset() >= 20 && node.has(2)) {
    const Count given = count_of(node, node.in(2));
    if (!given.known) return {transform_along(node, x, given.id, of)};
    axis = *given.known;
  }
  axis = node.axis_in(axis, rank);
  if (axis == rank - 1) fail("the last axis holds real and imaginary parts; another must be given");
  ir::Ints perm(static_cast<size_t>(rank));
  std::iota(perm.begin(), perm.end(), 0);
  std::swap(perm[static_cast<size_t>(axis)], perm[static_cast<size_t>(rank) - 2]);
  const ValueId moved = axis == rank - 2 ? x : node.transpose(x, perm);
  Count out{};
  const ValueId y = transform(node, moved, of, out);
  return {axis == rank - 2 ? y : node.transpose(y, perm)};
}

ValueIds stft(Node& node) {
  const ValueId x = node.in(0);  // [batch, samples, 1]
  if (node.rank(x) != 3) fail("the signal has {} dimensions; 3 are needed", node.rank(x));
  const Count step = count_of(node, node.in(1));
  if (!node.has(2) && !node.has(3)) fail("a window or the frame's length must be given");
  const Count length = node.has(3) ? count_of(node, node.in(3)) : dimension(node, node.in(2), 0);
  const ValueId room = node.binary(ElementwiseKind::Sub, dimension(node, x, 1).id, length.id);
  const ValueId frames = plus(node, node.binary(ElementwiseKind::Div, room, step.id), 1);
  const ValueId starts =
      node.binary(ElementwiseKind::Prod, counting(node, count_of(node, frames)), step.id);
  const ValueId index = node.binary(ElementwiseKind::Sum, node.unsqueeze(starts, {1}),
                                    node.unsqueeze(counting(node, length), {0}));
  ValueId framed = node.add(Op::Gather, {x, index}, ir::AxisAttributes{1});
  if (node.has(2))
    framed = node.binary(ElementwiseKind::Prod, framed, node.unsqueeze(node.in(2), {1}));
  const Count out = node.flag("onesided", true) ? kept_of(node, length) : length;
  return {transformed(node, framed, parts_of(node, x), length, out, false)};
}

ValueIds affine_grid(Node& node) {
  const ValueId theta = node.in(0);  // [N, d, d + 1]
  const ValueId size = node.cast(node.in(1), ir::DataType::Int64);
  const ir::Shape& shape = node.shape(theta);
  if (shape.size() != 3 || !shape[1].is_known()) fail("theta must have 3 dimensions, one known");
  const int64_t spatial = shape[1].value;
  const bool align = node.flag("align_corners", false);
  const ValueId spatial_size = node.slice(size, 0, 2, 2 + spatial);
  // Each axis from -1 to 1: the centres of the pixels, or their outer edges.
  ValueIds coordinates;
  for (int64_t axis = spatial; axis-- > 0;) {  // theta names the last axis first
    const ValueId count = node.squeeze(node.slice(spatial_size, 0, axis, axis + 1), {0});
    const ValueId steps =
        node.add(Op::Range, {node.number(0, count), count, node.number(1, count)});
    const ValueId i = node.cast(steps, node.type_of(theta));
    const ValueId n = node.cast(count, node.type_of(theta));
    const ValueId one = node.number(1, n);
    const ValueId twice = node.binary(ElementwiseKind::Prod, i, node.number(2, i));
    const ValueId up = align ? twice : node.binary(ElementwiseKind::Sum, twice, one);
    const ValueId span = align ? node.binary(ElementwiseKind::Sub, n, one) : n;
    ValueId x = node.binary(ElementwiseKind::Sub, node.binary(ElementwiseKind::Div, up, span), one);
    ir::Ints others;
    for (int64_t other = 0; other < spatial; ++other)
      if (other != axis) others.push_back(other);
    x = node.add(Op::Expand, {node.unsqueeze(x, others), spatial_size});
    coordinates.push_back(node.unsqueeze(x, {spatial}));
  }
  const ValueId ones = node.binary(
      ElementwiseKind::Sum,
      node.binary(ElementwiseKind::Prod, coordinates[0], node.number(0, coordinates[0])),
      node.number(1, coordinates[0]));
  coordinates.push_back(ones);
  const ValueId base = node.reshape(node.concat(coordinates, spatial), {-1, spatial + 1});
  const ValueId moved = node.add(Op::MatMul, {base, node.transpose(theta, {0, 2, 1})});
  const ValueId to =
      node.concat({node.slice(size, 0, 0, 1), spatial_size, node.ints_constant({spatial})}, 0);
  return {node.reshape_to(moved, to)};
}

namespace {

/// Where the triangles of a mel filter bank begin, peak and end, as spectrum bins [bands + 2].
ValueId mel_corners(Node& node, ValueId bands) {
  const auto real = [&](ValueId id) {
    return node.reshape(node.cast(id, ir::DataType::Float32), {1});
  };
  const auto calculate = [&](ElementwiseKind kind, ValueId a, double b) {
    return node.binary(kind, a, node.number(b, a));
  };
  const auto mel_of = [&](ValueId hertz) {  // 2595 log10(1 + f / 700)
    const ValueId ratio =
        calculate(ElementwiseKind::Sum, calculate(ElementwiseKind::Div, real(hertz), 700), 1);
    return calculate(ElementwiseKind::Prod, node.unary(UnaryKind::Log, ratio),
                     2595 / std::numbers::ln10);
  };
  const ValueId low = mel_of(node.in(3)), high = mel_of(node.in(4));
  const Count count{plus(node, bands, 2), std::nullopt};
  const ValueId places = node.cast(counting(node, count), ir::DataType::Float32);
  const ValueId step = node.binary(ElementwiseKind::Div,
                                   node.binary(ElementwiseKind::Sub, high, low), real(count.id));
  const ValueId mel =
      node.binary(ElementwiseKind::Sum, node.binary(ElementwiseKind::Prod, places, step), low);
  const ValueId power =
      node.unary(UnaryKind::Exp, calculate(ElementwiseKind::Prod, mel, std::numbers::ln10 / 2595));
  const ValueId hertz =
      calculate(ElementwiseKind::Prod, calculate(ElementwiseKind::Sub, power, 1), 700);
  const ValueId length = calculate(ElementwiseKind::Sum, real(node.in(1)), 1);
  return node.unary(UnaryKind::Floor, node.binary(ElementwiseKind::Div,
                                                  node.binary(ElementwiseKind::Prod, hertz, length),
                                                  real(node.in(2))));
}

}  // namespace

ValueIds mel_weight_matrix(Node& node) {
  const ir::DataType type = node.type("output_datatype", ir::DataType::Float32);
  const Count bands = count_of(node, node.in(0));
  const ValueId corners = mel_corners(node, bands.id);
  const auto corner = [&](int64_t first) {  // of every band: [1, bands]
    const int64_t end = first - 2;
    return node.unsqueeze(node.slice(corners, 0, first, end == 0 ? INT64_MAX : end), {0});
  };
  const ValueId lower = corner(0), centre = corner(1), upper = corner(2);
  const Count kept = kept_of(node, count_of(node, node.in(1)));
  const ValueId bin = node.unsqueeze(node.cast(counting(node, kept), ir::DataType::Float32), {1});
  const auto sub = [&](ValueId a, ValueId b) { return node.binary(ElementwiseKind::Sub, a, b); };
  const auto within = [&](ValueId first, ElementwiseKind below, ValueId last) {
    return node.binary(ElementwiseKind::And,
                       node.binary(ElementwiseKind::GreaterOrEqual, bin, first),
                       node.binary(below, bin, last));
  };
  const ValueId zero = node.number(0, bin), one = node.number(1, bin);
  const auto slope = [&](ValueId part, ValueId whole) {  // a slope of no width is its peak
    const ValueId width = node.binary(ElementwiseKind::Max, whole, one);
    const ValueId is_peak = node.binary(ElementwiseKind::Equal, whole, zero);
    return node.add(Op::Where, {is_peak, one, node.binary(ElementwiseKind::Div, part, width)});
  };
  const ValueId rising = node.add(Op::Where, {within(lower, ElementwiseKind::LessOrEqual, centre),
                                              slope(sub(bin, lower), sub(centre, lower)), zero});
  const ValueId falling = slope(sub(upper, bin), sub(upper, centre));
  return {node.cast(
      node.add(Op::Where, {within(centre, ElementwiseKind::Less, upper), falling, rising}), type)};
}

}  // namespace dlaexec::onnx
