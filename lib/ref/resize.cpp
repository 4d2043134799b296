// resize: one axis after the other, each output position a weighted sum of input positions.
#include <algorithm>
#include <cmath>

#include "ref/call.h"
#include "ref/resize.h"

namespace dlaexec::ref {
namespace {

using Tap = ResizeTap;
using Axis = ResizedAxis;

double source(const ir::ResizeAttributes& attributes, const Axis& axis, int64_t position) {
  using Mode = ir::CoordinateMode;
  const auto x = static_cast<double>(position);
  const auto in = static_cast<double>(axis.in);
  const auto out = static_cast<double>(axis.out);
  const double half_pixel = (x + 0.5) / axis.scale - 0.5;
  switch (attributes.coordinates) {
    case Mode::HalfPixel:
      return half_pixel;
    case Mode::HalfPixelSymmetric: {
      const double adjustment = out / (axis.scale * in);
      return in / 2 * (1 - adjustment) + half_pixel;
    }
    case Mode::PytorchHalfPixel:
      return axis.out > 1 ? half_pixel : 0;
    case Mode::AlignCorners:
      return axis.out > 1 ? x * (in - 1) / (axis.real_out - 1) : 0;
    case Mode::Asymmetric:
      return x / axis.scale;
    case Mode::TfCropAndResize:
      return axis.out > 1 ? axis.roi_start * (in - 1) +
                                x * (axis.roi_end - axis.roi_start) * (in - 1) / (out - 1)
                          : 0.5 * (axis.roi_start + axis.roi_end) * (in - 1);
  }
  return x;
}

int64_t nearest(ir::NearestMode mode, double x) {
  switch (mode) {
    case ir::NearestMode::RoundPreferFloor:
      return static_cast<int64_t>(std::ceil(x - 0.5));
    case ir::NearestMode::RoundPreferCeil:
      return static_cast<int64_t>(std::floor(x + 0.5));
    case ir::NearestMode::Floor:
      return static_cast<int64_t>(std::floor(x));
    case ir::NearestMode::Ceil:
      return static_cast<int64_t>(std::ceil(x));
  }
  return 0;
}

/// The filter at distance @p d, in input pixels.
double filter(const ir::ResizeAttributes& attributes, double d) {
  d = std::abs(d);
  if (attributes.mode == ir::ResizeMode::Linear) return std::max(0.0, 1 - d);
  const double a = attributes.cubic_a;
  if (d <= 1) return (a + 2) * d * d * d - (a + 3) * d * d + 1;
  if (d < 2) return a * d * d * d - 5 * a * d * d + 8 * a * d - 4 * a;
  return 0;
}

/// The input positions that make one output position, with weights that sum to 1.
std::vector<Tap> taps(const ir::ResizeAttributes& attributes, const Axis& axis, double x) {
  const auto clamp = [&](int64_t at) { return std::clamp<int64_t>(at, 0, axis.in - 1); };
  if (attributes.mode == ir::ResizeMode::Nearest)
    return {{clamp(nearest(attributes.nearest, x)), 1}};
  // Shrinking with antialias widens the filter.
  const double stretch = attributes.antialias ? std::min(axis.scale, 1.0) : 1.0;
  const double reach = (attributes.mode == ir::ResizeMode::Linear ? 1 : 2) / stretch;
  const auto first =
      static_cast<int64_t>(std::floor(x)) + static_cast<int64_t>(std::floor(-reach)) + 1;
  const auto last =
      static_cast<int64_t>(std::floor(x)) + 1 - (static_cast<int64_t>(std::floor(-reach)) + 1);
  std::vector<Tap> result;
  double sum = 0;
  for (int64_t at = first; at <= last; ++at) {
    const bool outside = at < 0 || at >= axis.in;
    if (outside && attributes.exclude_outside) continue;
    const double weight = filter(attributes, (static_cast<double>(at) - x) * stretch);
    result.push_back({clamp(at), weight});
    sum += weight;
  }
  for (Tap& tap : result) tap.weight /= sum;
  return result;
}

std::vector<double> resize_axis(const ir::ResizeAttributes& attributes, const Axis& axis,
                                const std::vector<double>& x, int64_t outer, int64_t inner) {
  std::vector<double> y(static_cast<size_t>(outer * axis.out * inner), 0.0);
  for (int64_t k = 0; k < axis.out; ++k)
    for (const Tap& tap : taps(attributes, axis, source(attributes, axis, k)))
      for (int64_t o = 0; o < outer; ++o) {
        const double* from = x.data() + (o * axis.in + tap.index) * inner;
        double* to = y.data() + (o * axis.out + k) * inner;
        for (int64_t i = 0; i < inner; ++i) to[i] += tap.weight * from[i];
      }
  return y;
}

/// Positions that tf_crop_and_resize takes from outside the input get the extrapolation value.
void extrapolate(const ir::ResizeAttributes& attributes, const Axis& axis, int64_t inner,
                 std::vector<float>& y) {
  for (size_t i = 0; i < y.size(); ++i) {
    const int64_t position = static_cast<int64_t>(i) / inner % axis.out;
    const double x = source(attributes, axis, position);
    if (x < 0 || x > static_cast<double>(axis.in - 1)) y[i] = attributes.extrapolation;
  }
}

}  // namespace

std::vector<ResizedAxis> resized_axes(const ir::ResizeAttributes& attributes, const Dims& x,
                                      const ResizeSizes& wanted) {
  const auto& [sizes, scales, roi] = wanted;
  std::vector<size_t> which;
  for (const int64_t axis : attributes.axes)
    which.push_back(Call::axis_in(axis, static_cast<int64_t>(x.size())));
  if (which.empty())
    for (size_t i = 0; i < x.size(); ++i) which.push_back(i);
  const bool by_size = !sizes.empty();
  const size_t given = by_size ? sizes.size() : scales.size();
  if (given != which.size()) fail("{} sizes are given for {} axes", given, which.size());
  std::vector<Axis> axes;
  double even = 0;
  for (size_t i = 0; i < which.size(); ++i) {
    const int64_t in = x[which[i]];
    Axis axis{which[i], in, 0, 1, 0};
    if (by_size) {
      axis.out = sizes[i];
      axis.scale = in == 0 ? 1 : static_cast<double>(sizes[i]) / static_cast<double>(in);
    } else {
      axis.scale = scales[i];
      axis.out = static_cast<int64_t>(std::floor(static_cast<double>(in) * scales[i]));
    }
    axis.real_out = by_size ? static_cast<double>(axis.out)
                            : static_cast<double>(in) * static_cast<double>(scales[i]);
    if (axis.out < 0 || !(axis.scale > 0)) fail("size {} is not above 0", i);
    if (roi.size() == 2 * which.size()) {
      axis.roi_start = roi[i];
      axis.roi_end = roi[i + which.size()];
    }
    const bool smaller = attributes.keep_aspect == ir::KeepAspect::NotLarger;
    even = i == 0 ? axis.scale : smaller ? std::min(even, axis.scale) : std::max(even, axis.scale);
    axes.push_back(axis);
  }
  if (attributes.keep_aspect == ir::KeepAspect::Stretch || !by_size) return axes;
  for (Axis& axis : axes) {
    axis.scale = even;
    axis.real_out = static_cast<double>(axis.in) * even;
    axis.out = static_cast<int64_t>(std::floor(static_cast<double>(axis.in) * even + 0.5));
  }
  return axes;
}

std::vector<ResizeTap> resize_taps(const ir::ResizeAttributes& attributes, const ResizedAxis& axis,
                                   int64_t position) {
  return taps(attributes, axis, source(attributes, axis, position));
}

Tensors resize(const Call& call) {
  const auto& attributes = call.get<ir::ResizeAttributes>();
  Dims y = call.dims(0);
  const ResizeSizes wanted{call.has(3) ? call.ints(3) : std::vector<int64_t>(),
                           call.has(2) ? call.reals(2) : std::vector<float>(),
                           call.has(1) ? call.reals(1) : std::vector<float>()};
  const std::vector<Axis> axes = resized_axes(attributes, y, wanted);
  const std::vector<float> stored = call.reals(0);
  std::vector<double> x(stored.begin(), stored.end());
  const bool crops = attributes.coordinates == ir::CoordinateMode::TfCropAndResize;
  for (const Axis& axis : axes) {
    if (axis.in == axis.out && axis.scale == 1 && !crops) continue;
    if (axis.in == 0 && axis.out > 0) fail("an empty axis cannot grow");
    const int64_t inner = ir::dense_strides(y)[axis.axis];
    const int64_t outer = ir::volume(Dims(y.begin(), y.begin() + static_cast<long>(axis.axis)));
    y[axis.axis] = axis.out;
    room_for(y);
    x = resize_axis(attributes, axis, x, outer, inner);
  }
  std::vector<float> result(x.begin(), x.end());
  if (crops)
    for (const Axis& axis : axes)
      extrapolate(attributes, axis, ir::dense_strides(y)[axis.axis], result);
  return {call.from_reals(y, result)};
}

}  // namespace dlaexec::ref
