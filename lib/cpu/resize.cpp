// Resizing of blocked images: nearest and linear, each output a sum of up to four pixels.
#include <algorithm>
#include <cmath>
#include <memory>

#include "cpu/catalog.h"
#include "cpu/kernels/window.h"
#include "cpu/numbers.h"

namespace dlaexec::cpu {
namespace {

/// The two input positions that make one output position, and the second one's share.
struct Blend {
  int64_t first, second;
  float share;
};

std::optional<double> source(const ir::ResizeAttributes& attributes, int64_t in, int64_t out,
                             double scale, int64_t position) {
  using Mode = ir::CoordinateMode;
  const double x = static_cast<double>(position);
  switch (attributes.coordinates) {
    case Mode::HalfPixel:
      return (x + 0.5) / scale - 0.5;
    case Mode::PytorchHalfPixel:
      return out > 1 ? (x + 0.5) / scale - 0.5 : 0;
    case Mode::AlignCorners:
      // The output's size before it is rounded.
      return out > 1 ? x * static_cast<double>(in - 1) / (static_cast<double>(in) * scale - 1) : 0;
    case Mode::Asymmetric:
      return x / scale;
    default:
      return std::nullopt;
  }
}

double nearest(ir::NearestMode mode, double x) {
  switch (mode) {
    case ir::NearestMode::RoundPreferFloor:
      return std::ceil(x - 0.5);
    case ir::NearestMode::RoundPreferCeil:
      return std::floor(x + 0.5);
    case ir::NearestMode::Floor:
      return std::floor(x);
    case ir::NearestMode::Ceil:
      return std::ceil(x);
  }
  return x;
}

std::optional<std::vector<Blend>> blends(const ir::ResizeAttributes& attributes, int64_t in,
                                         int64_t out, double scale) {
  std::vector<Blend> made;
  const auto inside = [&](double x) {
    return std::clamp<int64_t>(static_cast<int64_t>(x), 0, in - 1);
  };
  for (int64_t i = 0; i < out; ++i) {
    const std::optional<double> x = source(attributes, in, out, scale, i);
    if (!x) return std::nullopt;
    if (attributes.mode == ir::ResizeMode::Nearest) {
      const int64_t at = inside(nearest(attributes.nearest, *x));
      made.push_back({at, at, 0});
    } else {
      const double below = std::floor(*x);
      made.push_back({inside(below), inside(below + 1), static_cast<float>(*x - below)});
    }
  }
  return made;
}

/// The scale of each dimension as the node gives it.
std::optional<std::vector<double>> scales_of(const Request& request) {
  const auto& attributes = request.node.get<ir::ResizeAttributes>();
  const ir::Dims in = request.input_dims(0), out = request.output_dims();
  if (!attributes.axes.empty() || attributes.keep_aspect != ir::KeepAspect::Stretch)
    return std::nullopt;
  std::vector<double> scales;
  for (size_t i = 0; i < in.size(); ++i)
    scales.push_back(static_cast<double>(out[i]) / static_cast<double>(in[i]));
  if (request.has_input(3)) return scales;
  if (!request.has_input(2) || request.constant(2) == nullptr) return std::nullopt;
  const std::vector<float> given = request.constant(2)->to_floats();
  if (given.size() != in.size()) return std::nullopt;
  return std::vector<double>(given.begin(), given.end());
}

}  // namespace

std::optional<Kernel> make_resize(const Request& request) {
  const auto& attributes = request.node.get<ir::ResizeAttributes>();
  const ir::Dims dims = request.input_dims(0);
  if (dims.size() != 4 || !holds_reals(request.input(0)) || !holds_reals(request.output()) ||
      attributes.mode == ir::ResizeMode::Cubic || attributes.antialias ||
      attributes.exclude_outside)
    return std::nullopt;
  const ImageDims in = image_dims(dims), out = image_dims(request.output_dims());
  const auto scales = scales_of(request);
  if (!scales || in.batch != out.batch || in.channels != out.channels) return std::nullopt;
  const auto rows = blends(attributes, in.height, out.height, (*scales)[2]);
  const auto columns = blends(attributes, in.width, out.width, (*scales)[3]);
  if (!rows || !columns) return std::nullopt;
  const bool is_nearest = attributes.mode == ir::ResizeMode::Nearest;

  Kernel kernel;
  kernel.name = is_nearest ? "resize.nearest" : "resize.linear";
  kernel.inputs.assign(request.node.inputs.size(), std::nullopt);
  kernel.inputs[0] = kBlocked;
  kernel.outputs = {kBlocked};
  kernel.run = [=, y = *rows, x = *columns](const Call& call) {
    const int64_t planes = in.batch * in.blocks();
    call.pool.parallel_ranges(
        planes * out.height, std::max<int64_t>(1, 1024 / out.width),
        [&](int64_t first, int64_t last) {
          for (int64_t i = first; i < last; ++i) {
            const Blend& row = y[static_cast<size_t>(i % out.height)];
            const float* plane = call.input(0) + i / out.height * in.pixels() * kBlock;
            const float* top = plane + row.first * in.width * kBlock;
            const float* bottom = plane + row.second * in.width * kBlock;
            float* to = call.output() + i * out.width * kBlock;
            for (const Blend& column : x) {
              const float *a = top + column.first * kBlock, *b = top + column.second * kBlock;
              const float *c = bottom + column.first * kBlock, *d = bottom + column.second * kBlock;
              if (is_nearest) {
                std::copy_n(a, kBlock, to);
              } else {
                for (int64_t lane = 0; lane < kBlock; ++lane) {
                  const float upper = a[lane] + (b[lane] - a[lane]) * column.share;
                  const float lower = c[lane] + (d[lane] - c[lane]) * column.share;
                  to[lane] = upper + (lower - upper) * row.share;
                }
              }
              to += kBlock;
            }
          }
        });
  };
  return kernel;
}

}  // namespace dlaexec::cpu
