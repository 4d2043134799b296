// Ops of detectors and samplers: nms, roi_align, grid_sample.
#include <algorithm>
#include <cmath>
#include <limits>

#include "ref/call.h"

namespace dlaexec::ref {
namespace {

struct Box {
  double low_y, low_x, high_y, high_x;
  double area() const { return (high_y - low_y) * (high_x - low_x); }
};

Box box_at(const float* b, bool centre) {
  if (centre) return {b[1] - b[3] / 2.0, b[0] - b[2] / 2.0, b[1] + b[3] / 2.0, b[0] + b[2] / 2.0};
  return {std::min(b[0], b[2]), std::min(b[1], b[3]), std::max(b[0], b[2]), std::max(b[1], b[3])};
}

double overlap(const Box& a, const Box& b) {
  const double height = std::min(a.high_y, b.high_y) - std::max(a.low_y, b.low_y);
  const double width = std::min(a.high_x, b.high_x) - std::max(a.low_x, b.low_x);
  if (height <= 0 || width <= 0) return 0;
  return height * width / (a.area() + b.area() - height * width);
}

struct NmsLimits {
  int64_t count;
  double overlap, score;
};

/// The boxes kept for one class of one image, best first.
std::vector<int64_t> keep_best(const std::vector<Box>& boxes, const float* scores,
                               const NmsLimits& limits) {
  std::vector<int64_t> order;
  for (size_t i = 0; i < boxes.size(); ++i)
    if (scores[i] > limits.score) order.push_back(static_cast<int64_t>(i));
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return scores[a] > scores[b]; });
  std::vector<int64_t> kept;
  for (const int64_t candidate : order) {
    if (static_cast<int64_t>(kept.size()) >= limits.count) break;
    const bool covered = std::any_of(kept.begin(), kept.end(), [&](int64_t better) {
      return overlap(boxes[static_cast<size_t>(candidate)], boxes[static_cast<size_t>(better)]) >
             limits.overlap;
    });
    if (!covered) kept.push_back(candidate);
  }
  return kept;
}

}  // namespace

Tensors non_max_suppression(const Call& call) {
  const Dims& boxes_dims = call.dims(0);
  const Dims& scores_dims = call.dims(1);
  const bool fits = boxes_dims.size() == 3 && scores_dims.size() == 3 && boxes_dims[2] == 4 &&
                    boxes_dims[0] == scores_dims[0] && boxes_dims[1] == scores_dims[2];
  if (!fits)
    fail(
        "boxes of shape {} and scores of shape {} do not fit; [images, boxes, 4] and [images, "
        "classes, boxes] are needed",
        ir::to_text(boxes_dims), ir::to_text(scores_dims));
  const std::vector<float> boxes = call.reals(0);
  const std::vector<float> scores = call.reals(1);
  const NmsLimits limits{
      call.has(2) ? call.ints(2).at(0) : 0, call.has(3) ? call.reals(3).at(0) : 0.0,
      call.has(4) ? call.reals(4).at(0) : -std::numeric_limits<double>::infinity()};
  const int64_t count = boxes_dims[1];
  const int64_t classes = scores_dims[1];
  std::vector<int64_t> result;
  for (int64_t image = 0; image < boxes_dims[0]; ++image) {
    std::vector<Box> candidates;
    for (int64_t i = 0; i < count; ++i)
      candidates.push_back(box_at(boxes.data() + (image * count + i) * 4,
                                  call.get<ir::NmsAttributes>().center_point_box));
    for (int64_t kind = 0; kind < classes; ++kind)
      for (const int64_t kept :
           keep_best(candidates, scores.data() + (image * classes + kind) * count, limits))
        result.insert(result.end(), {image, kind, kept});
  }
  return {call.from_ints({static_cast<int64_t>(result.size()) / 3, 3}, result)};
}

namespace {

/// A plane of floats with bilinear reading.
struct Plane {
  const float* data;
  int64_t height, width;

  double at(int64_t y, int64_t x) const { return data[y * width + x]; }
};

/// The four neighbours' weighted values; RoiAlign's max takes the largest of them.
double sample_roi(const Plane& plane, double y, double x, ir::RoiPoolKind kind) {
  if (y < -1 || y > static_cast<double>(plane.height) || x < -1 ||
      x > static_cast<double>(plane.width))
    return 0;
  y = std::max(y, 0.0);
  x = std::max(x, 0.0);
  const auto low_y = std::min(static_cast<int64_t>(y), plane.height - 1);
  const auto low_x = std::min(static_cast<int64_t>(x), plane.width - 1);
  const int64_t high_y = std::min(low_y + 1, plane.height - 1);
  const int64_t high_x = std::min(low_x + 1, plane.width - 1);
  const double dy = low_y == plane.height - 1 ? 0 : y - static_cast<double>(low_y);
  const double dx = low_x == plane.width - 1 ? 0 : x - static_cast<double>(low_x);
  const double parts[4] = {
      (1 - dy) * (1 - dx) * plane.at(low_y, low_x), (1 - dy) * dx * plane.at(low_y, high_x),
      dy * (1 - dx) * plane.at(high_y, low_x), dy * dx * plane.at(high_y, high_x)};
  if (kind == ir::RoiPoolKind::Max) return *std::max_element(parts, parts + 4);
  return parts[0] + parts[1] + parts[2] + parts[3];
}

struct Roi {
  double start_y, start_x, bin_height, bin_width;
  int64_t grid_y, grid_x;
};

Roi roi_of(const ir::RoiAlignAttributes& attributes, const float* corners) {
  const bool half = attributes.coordinates == ir::RoiCoordinates::HalfPixel;
  const double offset = half ? 0.5 : 0;
  const double scale = attributes.spatial_scale;
  Roi roi{corners[1] * scale - offset, corners[0] * scale - offset, 0, 0, 0, 0};
  double height = corners[3] * scale - offset - roi.start_y;
  double width = corners[2] * scale - offset - roi.start_x;
  if (!half) {  // the older convention makes every region at least one pixel
    height = std::max(height, 1.0);
    width = std::max(width, 1.0);
  }
  roi.bin_height = height / static_cast<double>(attributes.output_height);
  roi.bin_width = width / static_cast<double>(attributes.output_width);
  const int64_t ratio = attributes.sampling_ratio;
  roi.grid_y = ratio > 0 ? ratio : static_cast<int64_t>(std::ceil(roi.bin_height));
  roi.grid_x = ratio > 0 ? ratio : static_cast<int64_t>(std::ceil(roi.bin_width));
  return roi;
}

double pool_bin(const ir::RoiAlignAttributes& attributes, const Plane& plane, const Roi& roi,
                int64_t bin_y, int64_t bin_x) {
  const bool largest = attributes.kind == ir::RoiPoolKind::Max;
  double result = largest ? -std::numeric_limits<double>::infinity() : 0;
  for (int64_t i = 0; i < roi.grid_y; ++i)
    for (int64_t j = 0; j < roi.grid_x; ++j) {
      const double y =
          roi.start_y + static_cast<double>(bin_y) * roi.bin_height +
          (static_cast<double>(i) + 0.5) * roi.bin_height / static_cast<double>(roi.grid_y);
      const double x =
          roi.start_x + static_cast<double>(bin_x) * roi.bin_width +
          (static_cast<double>(j) + 0.5) * roi.bin_width / static_cast<double>(roi.grid_x);
      const double sample = sample_roi(plane, y, x, attributes.kind);
      result = largest ? std::max(result, sample) : result + sample;
    }
  const auto count = static_cast<double>(std::max<int64_t>(1, roi.grid_y * roi.grid_x));
  if (std::isinf(result)) return 0;  // an empty region
  return largest ? result : result / count;
}

}  // namespace

Tensors roi_align(const Call& call) {
  const auto& attributes = call.get<ir::RoiAlignAttributes>();
  const Dims& x = call.dims(0);
  const std::vector<float> features = call.reals(0);
  const std::vector<float> rois = call.reals(1);
  const std::vector<int64_t> images = call.ints(2);
  const int64_t count = call.dims(1).at(0);
  if (call.tensor(1).count() != 4 * count || static_cast<int64_t>(images.size()) != count)
    fail("{} regions have {} corners and {} image numbers", count, call.tensor(1).count(),
         images.size());
  const Dims y = {count, x.at(1), attributes.output_height, attributes.output_width};
  std::vector<float> result;
  result.reserve(static_cast<size_t>(ir::volume(y)));
  for (int64_t r = 0; r < count; ++r) {
    const int64_t image = images[static_cast<size_t>(r)];
    if (image < 0 || image >= x[0]) fail("region {} is of image {}; there are {}", r, image, x[0]);
    const Roi roi = roi_of(attributes, rois.data() + r * 4);
    for (int64_t c = 0; c < x[1]; ++c) {
      const Plane plane{features.data() + (image * x[1] + c) * x[2] * x[3], x[2], x[3]};
      for (int64_t i = 0; i < y[2]; ++i)
        for (int64_t j = 0; j < y[3]; ++j)
          result.push_back(static_cast<float>(pool_bin(attributes, plane, roi, i, j)));
    }
  }
  return {call.from_reals(y, result)};
}

namespace {

/// Folds a coordinate back into [low, high].
double reflect(double x, double low, double high) {
  const double span = high - low;
  if (span <= 0) return low;
  const double distance = std::abs(x - low);
  const double rest = std::fmod(distance, 2 * span);
  return low + (rest > span ? 2 * span - rest : rest);
}

/// One axis of a grid sample.
struct SampleAxis {
  const ir::GridSampleAttributes& attributes;
  int64_t size;

  double low() const { return attributes.align_corners ? 0 : -0.5; }
  double high() const { return static_cast<double>(size) - (attributes.align_corners ? 1 : 0.5); }
  /// A grid coordinate in [-1, 1] as a position.
  double position(double grid) const {
    const auto n = static_cast<double>(size);
    return attributes.align_corners ? (grid + 1) / 2 * (n - 1) : ((grid + 1) * n - 1) / 2;
  }
  /// The element at an integer position, or -1 for zero padding.
  int64_t element(int64_t at) const {
    if (at >= 0 && at < size) return at;
    switch (attributes.padding) {
      case ir::SamplePadding::Zeros:
        return -1;
      case ir::SamplePadding::Border:
        return std::clamp<int64_t>(at, 0, size - 1);
      case ir::SamplePadding::Reflection:
        return std::clamp<int64_t>(
            static_cast<int64_t>(std::nearbyint(reflect(static_cast<double>(at), low(), high()))),
            0, size - 1);
    }
    return -1;
  }
};

double cubic(double d) {
  constexpr double kA = -0.75;
  d = std::abs(d);
  if (d <= 1) return (kA + 2) * d * d * d - (kA + 3) * d * d + 1;
  if (d < 2) return kA * d * d * d - 5 * kA * d * d + 8 * kA * d - 4 * kA;
  return 0;
}

struct SampleTap {
  int64_t element;
  double weight;
};

std::vector<SampleTap> sample_taps(const SampleAxis& axis, double grid) {
  double x = axis.position(grid);
  const bool cubic_mode = axis.attributes.mode == ir::SampleMode::Cubic;
  if (!cubic_mode && axis.attributes.padding == ir::SamplePadding::Border)
    x = std::clamp(x, 0.0, static_cast<double>(axis.size - 1));
  if (!cubic_mode && axis.attributes.padding == ir::SamplePadding::Reflection)
    x = reflect(x, axis.low(), axis.high());
  if (!(std::abs(x) < 1e15)) return {};  // NaN and infinity point nowhere
  if (axis.attributes.mode == ir::SampleMode::Nearest)
    return {{axis.element(static_cast<int64_t>(std::nearbyint(x))), 1}};
  const auto base = static_cast<int64_t>(std::floor(x));
  const int64_t reach = cubic_mode ? 2 : 1;
  std::vector<SampleTap> taps;
  for (int64_t at = base - reach + 1; at <= base + reach; ++at) {
    const double distance = static_cast<double>(at) - x;
    taps.push_back({axis.element(at), cubic_mode ? cubic(distance) : 1 - std::abs(distance)});
  }
  return taps;
}

}  // namespace

Tensors grid_sample(const Call& call) {
  const auto& attributes = call.get<ir::GridSampleAttributes>();
  const Dims& x = call.dims(0);
  const Dims& grid_dims = call.dims(1);
  const size_t spatial = x.size() - 2;
  if (grid_dims.size() != x.size() || grid_dims.back() != static_cast<int64_t>(spatial) ||
      grid_dims[0] != x[0])
    fail("a grid of shape {} does not fit an input of shape {}", ir::to_text(grid_dims),
         ir::to_text(x));
  Dims y = {x[0], x[1]};
  y.insert(y.end(), grid_dims.begin() + 1, grid_dims.end() - 1);
  const std::vector<float> input = call.reals(0);
  const std::vector<float> grid = call.reals(1);
  const int64_t points = ir::volume(Dims(y.begin() + 2, y.end()));
  const int64_t plane = ir::volume(Dims(x.begin() + 2, x.end()));
  std::vector<float> result(static_cast<size_t>(ir::volume(y)));
  for (int64_t n = 0; n < x[0]; ++n)
    for (int64_t p = 0; p < points; ++p) {
      // Taps of all axes together: the grid names the last dimension first.
      std::vector<SampleTap> all = {{0, 1}};
      for (size_t d = 0; d < spatial; ++d) {
        const double at =
            grid[static_cast<size_t>((n * points + p) * static_cast<int64_t>(spatial)) + spatial -
                 1 - d];
        std::vector<SampleTap> joined;
        for (const SampleTap& before : all)
          for (const SampleTap& tap : sample_taps({attributes, x[d + 2]}, at))
            joined.push_back({before.element < 0 || tap.element < 0
                                  ? -1
                                  : before.element * x[d + 2] + tap.element,
                              before.weight * tap.weight});
        all = std::move(joined);
      }
      for (int64_t c = 0; c < x[1]; ++c) {
        double sum = 0;
        for (const SampleTap& tap : all)
          if (tap.element >= 0)
            sum += tap.weight * input[static_cast<size_t>((n * x[1] + c) * plane + tap.element)];
        result[static_cast<size_t>((n * x[1] + c) * points + p)] = static_cast<float>(sum);
      }
    }
  return {call.from_reals(y, result)};
}

}  // namespace dlaexec::ref
