// Windows, Fourier transforms and grids.
#include <cmath>
#include <numbers>
#include <numeric>

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

/// cos or sin of 2 pi k n / length, as a matrix [in, out].
ValueId fourier_matrix(Node& node, int64_t in, int64_t out, int64_t length, bool cosine,
                       double factor, ValueId like) {
  std::vector<float> elements;
  for (int64_t n = 0; n < in; ++n)
    for (int64_t k = 0; k < out; ++k) {
      const double angle =
          2 * std::numbers::pi * static_cast<double>(n * k % length) / static_cast<double>(length);
      elements.push_back(static_cast<float>(factor * (cosine ? std::cos(angle) : std::sin(angle))));
    }
  return node.constant(ir::Tensor::of<float>({in, out}, elements).converted(node.type_of(like)));
}

/// The transform of [..., n, 1 or 2] along the dimension before the last.
ValueId transformed(Node& node, ValueId x, int64_t length, bool inverse, bool onesided) {
  const int64_t last = node.rank(x) - 1;
  const ir::Dim& have = node.shape(x)[static_cast<size_t>(last) - 1];
  const ir::Dim& parts = node.shape(x).back();
  if (!have.is_known() || !parts.is_known()) fail("the transformed size must be known");
  const int64_t used = std::min(have.value, length);
  const int64_t out = onesided ? length / 2 + 1 : length;
  const double factor = inverse ? 1 / static_cast<double>(length) : 1;
  const ValueId cut = used < have.value ? node.slice(x, last - 1, 0, used) : x;
  const ValueId real = node.squeeze(node.slice(cut, last, 0, 1), {last});
  const ValueId cosines = fourier_matrix(node, used, out, length, true, factor, x);
  const ValueId sines = fourier_matrix(node, used, out, length, false, factor, x);
  const auto product = [&](ValueId a, ValueId b) { return node.add(Op::MatMul, {a, b}); };
  ValueId real_out = product(real, cosines);
  ValueId imaginary_out = product(real, sines);
  if (!inverse) imaginary_out = node.unary(UnaryKind::Neg, imaginary_out);
  if (parts.value == 2) {
    const ValueId imaginary = node.squeeze(node.slice(cut, last, 1, 2), {last});
    const ValueId turned = product(imaginary, sines);
    real_out = node.binary(inverse ? ElementwiseKind::Sub : ElementwiseKind::Sum, real_out, turned);
    imaginary_out = node.binary(ElementwiseKind::Sum, imaginary_out, product(imaginary, cosines));
  }
  return node.concat({node.unsqueeze(real_out, {last}), node.unsqueeze(imaginary_out, {last})},
                     last);
}

/// A onesided spectrum [..., length / 2 + 1, 2] with the conjugate half that it leaves out.
ValueId mirrored(Node& node, ValueId x, int64_t length) {
  const int64_t last = node.rank(x) - 1;
  const int64_t kept = length / 2 + 1;
  ir::Ints order;
  for (int64_t k = 0; k < length; ++k) order.push_back(k < kept ? k : length - k);
  std::vector<float> signs;
  for (int64_t k = 0; k < length; ++k) {
    signs.push_back(1);
    signs.push_back(k < kept ? 1.0f : -1.0f);
  }
  const ValueId whole =
      node.add(Op::Gather, {x, node.ints_constant(order)}, ir::AxisAttributes{last - 1});
  const ir::Tensor factors = ir::Tensor::of<float>({length, 2}, signs);
  return node.binary(ElementwiseKind::Prod, whole,
                     node.constant(factors.converted(node.type_of(x))));
}

}  // namespace

ValueIds dft(Node& node) {
  const ValueId x = node.in(0);
  const int64_t rank = node.rank(x);
  int64_t axis = node.opset() < 20 ? node.integer("axis", 1) : -2;
  if (node.opset() >= 20 && node.has(2)) {
    const ir::Ints given = node.required(node.in(2), "the axis");
    if (given.size() != 1) fail("the axis must be one number");
    axis = given[0];
  }
  axis = node.axis_in(axis, rank);
  if (axis == rank - 1) fail("the last axis holds real and imaginary parts; another must be given");
  ir::Ints perm(static_cast<size_t>(rank));
  std::iota(perm.begin(), perm.end(), 0);
  std::swap(perm[static_cast<size_t>(axis)], perm[static_cast<size_t>(rank) - 2]);
  const ir::Dim& dim = node.shape(x)[static_cast<size_t>(axis)];
  if (!dim.is_known()) fail("the transformed size must be known; it is {}", dim.symbol);
  int64_t length = dim.value;
  if (node.has(1)) {
    const ir::Ints given = node.required(node.in(1), "the length");
    if (given.size() != 1 || given[0] < 1) fail("the length must be one number above 0");
    length = given[0];
  }
  const bool inverse = node.flag("inverse", false);
  const bool onesided = node.flag("onesided", false);
  const ValueId moved = axis == rank - 2 ? x : node.transpose(x, perm);
  if (inverse && onesided) {
    if (!node.has(1)) length = 2 * (dim.value - 1);
    const ValueId whole = mirrored(node, moved, length);
    const ValueId real = node.slice(transformed(node, whole, length, true, false), rank - 1, 0, 1);
    return {axis == rank - 2 ? real : node.transpose(real, perm)};
  }
  const ValueId y = transformed(node, moved, length, inverse, onesided);
  return {axis == rank - 2 ? y : node.transpose(y, perm)};
}

ValueIds stft(Node& node) {
  const ValueId x = node.in(0);  // [batch, samples, 1]
  const ir::Dim& samples = node.shape(x).at(1);
  const int64_t step = node.required(node.in(1), "the step").at(0);
  int64_t length = 0;
  if (node.has(3))
    length = node.required(node.in(3), "the frame length").at(0);
  else if (node.has(2) && node.shape(node.in(2)).size() == 1 &&
           node.shape(node.in(2))[0].is_known())
    length = node.shape(node.in(2))[0].value;
  if (!samples.is_known() || step < 1 || length < 1 || length > samples.value)
    fail("the number of samples, the step and the frame length must be known and above 0");
  const int64_t frames = (samples.value - length) / step + 1;
  ir::Ints positions;
  for (int64_t f = 0; f < frames; ++f)
    for (int64_t i = 0; i < length; ++i) positions.push_back(f * step + i);
  const ValueId index = node.constant(ir::Tensor::of<int64_t>({frames, length}, positions));
  ValueId framed = node.add(Op::Gather, {x, index}, ir::AxisAttributes{1});
  if (node.has(2))
    framed = node.binary(ElementwiseKind::Prod, framed, node.unsqueeze(node.in(2), {1}));
  return {transformed(node, framed, length, false, node.flag("onesided", true))};
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

}  // namespace dlaexec::onnx
