#include "accuracy/image.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace dlaexec::accuracy {
namespace {

constexpr std::string_view kAllowed =
    "allowed: rgb, bgr, stretch, imagenet, resize:SIDE, scale:NUMBER, mean:A+B+C, std:A+B+C";

[[noreturn]] void bad_item(std::string_view item) {
  fail(Fault::Usage, "--calibPreprocess: '{}' is not understood; {}", item, kAllowed);
}

/// A number, or a fraction such as 1/255.
float parse_number(std::string_view text, std::string_view item) {
  const auto plain = [&](std::string_view digits) {
    float value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size()) bad_item(item);
    return value;
  };
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return plain(text);
  return plain(text.substr(0, slash)) / plain(text.substr(slash + 1));
}

/// One number for all channels, or three with '+' between them.
std::array<float, 3> parse_channels(std::string_view text, std::string_view item) {
  std::array<float, 3> values{};
  size_t count = 0;
  while (true) {
    const size_t end = text.find('+');
    if (count == 3) bad_item(item);
    values[count++] = parse_number(text.substr(0, end), item);
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  if (count == 1) values[1] = values[2] = values[0];
  if (count == 2) bad_item(item);
  return values;
}

void apply_item(std::string_view item, Preprocess& how) {
  const size_t colon = item.find(':');
  const std::string_view key = item.substr(0, colon);
  const std::string_view value = colon == std::string_view::npos ? "" : item.substr(colon + 1);
  if (key == "rgb" || key == "bgr") {
    how.order = key == "rgb" ? ChannelOrder::Rgb : ChannelOrder::Bgr;
  } else if (key == "stretch") {
    how.stretch = true;
  } else if (key == "imagenet") {
    how.scale = 1 / 255.0f;
    how.mean = {0.485f, 0.456f, 0.406f};
    how.deviation = {0.229f, 0.224f, 0.225f};
  } else if (key == "resize") {
    how.resize = static_cast<int64_t>(parse_number(value, item));
    if (how.resize < 1) bad_item(item);
  } else if (key == "scale") {
    how.scale = parse_number(value, item);
  } else if (key == "mean") {
    how.mean = parse_channels(value, item);
  } else if (key == "std") {
    how.deviation = parse_channels(value, item);
    if (std::count(how.deviation.begin(), how.deviation.end(), 0.0f) > 0) bad_item(item);
  } else {
    bad_item(item);
  }
}

/// Where the input's pixels lie in the picture: its pixel centres are at offset + (i + 0.5) * step.
struct Axis {
  double step, offset;
};

struct Window {
  Axis x, y;
};

Window window_of(const Picture& picture, const Preprocess& how, int64_t height, int64_t width) {
  const auto picture_w = static_cast<double>(picture.width),
             picture_h = static_cast<double>(picture.height);
  const auto w = static_cast<double>(width), h = static_cast<double>(height);
  if (how.stretch) return {{picture_w / w, 0}, {picture_h / h, 0}};
  const double step = how.resize > 0
                          ? std::min(picture_w, picture_h) / static_cast<double>(how.resize)
                          : std::min(picture_w / w, picture_h / h);
  return {{step, (picture_w - w * step) / 2}, {step, (picture_h - h * step) / 2}};
}

/// Bilinear weights of one output position, widened to average when the picture shrinks (as the
/// antialiasing resize of common preprocessing does).
struct Taps {
  int64_t first = 0;
  std::vector<float> weights;
};

std::vector<Taps> taps_of(const Axis& axis, int64_t count, int64_t limit) {
  std::vector<Taps> all(static_cast<size_t>(count));
  const double support = std::max(1.0, axis.step);
  for (int64_t i = 0; i < count; ++i) {
    const double center = axis.offset + (static_cast<double>(i) + 0.5) * axis.step;
    const auto first = static_cast<int64_t>(std::floor(center - support));
    const auto last = static_cast<int64_t>(std::ceil(center + support));
    Taps& taps = all[static_cast<size_t>(i)];
    taps.first = std::clamp<int64_t>(first, 0, limit - 1);
    double total = 0;
    for (int64_t at = first; at <= last; ++at) {
      const double weight = 1 - std::fabs(static_cast<double>(at) + 0.5 - center) / support;
      if (weight <= 0) continue;
      const auto place = static_cast<size_t>(std::clamp<int64_t>(at, 0, limit - 1) - taps.first);
      if (taps.weights.size() <= place) taps.weights.resize(place + 1, 0.0f);
      taps.weights[place] += static_cast<float>(weight);
      total += weight;
    }
    for (float& weight : taps.weights) weight /= static_cast<float>(total);
  }
  return all;
}

/// One channel of the window, in [0, 255].
std::vector<float> sample(const Picture& picture, int64_t channel, const std::vector<Taps>& rows,
                          const std::vector<Taps>& columns) {
  std::vector<float> narrow(static_cast<size_t>(picture.height) * columns.size());
  for (int64_t y = 0; y < picture.height; ++y) {
    const uint8_t* row = picture.rgb.data() + static_cast<size_t>(y * picture.width * 3 + channel);
    for (size_t x = 0; x < columns.size(); ++x) {
      float sum = 0;
      for (size_t t = 0; t < columns[x].weights.size(); ++t)
        sum += columns[x].weights[t] * row[(static_cast<size_t>(columns[x].first) + t) * 3];
      narrow[static_cast<size_t>(y) * columns.size() + x] = sum;
    }
  }
  std::vector<float> plane(rows.size() * columns.size(), 0.0f);
  for (size_t y = 0; y < rows.size(); ++y)
    for (size_t t = 0; t < rows[y].weights.size(); ++t)
      for (size_t x = 0; x < columns.size(); ++x)
        plane[y * columns.size() + x] +=
            rows[y].weights[t] *
            narrow[(static_cast<size_t>(rows[y].first) + t) * columns.size() + x];
  return plane;
}

}  // namespace

Preprocess parse_preprocess(std::string_view text) {
  Preprocess how;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    apply_item(text.substr(0, comma), how);
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  return how;
}

ir::Tensor preprocess(const Picture& picture, const Preprocess& how, int64_t channels,
                      int64_t height, int64_t width) {
  if (channels != 1 && channels != 3)
    fail("a picture cannot fill an input of {} channels; give 1 or 3, or .npy files", channels);
  const Window window = window_of(picture, how, height, width);
  const std::vector<Taps> rows = taps_of(window.y, height, picture.height);
  const std::vector<Taps> columns = taps_of(window.x, width, picture.width);
  std::array<std::vector<float>, 3> rgb;
  for (int64_t c = 0; c < 3; ++c) rgb[static_cast<size_t>(c)] = sample(picture, c, rows, columns);
  if (channels == 1)  // luma by ITU-R BT.601
    for (size_t i = 0; i < rgb[0].size(); ++i)
      rgb[0][i] = 0.299f * rgb[0][i] + 0.587f * rgb[1][i] + 0.114f * rgb[2][i];

  ir::Tensor tensor(ir::DataType::Float32, {1, channels, height, width});
  float* out = tensor.mutable_as<float>().data();
  for (size_t c = 0; c < static_cast<size_t>(channels); ++c) {
    const size_t source = channels == 3 && how.order == ChannelOrder::Bgr ? 2 - c : c;
    for (const float x : rgb[source]) *out++ = (x * how.scale - how.mean[c]) / how.deviation[c];
  }
  return tensor;
}

}  // namespace dlaexec::accuracy
