#include "calibration/fit.h"

#include <algorithm>
#include <cmath>

namespace dlaexec::calibration {
namespace {

using Point = std::vector<double>;
constexpr double kRowSpread = 0.05;
constexpr int kSteps = 800;

/// a + factor * (b - a)
Point between(const Point& a, const Point& b, double factor) {
  Point point(a.size());
  for (size_t i = 0; i < a.size(); ++i) point[i] = a[i] + factor * (b[i] - a[i]);
  return point;
}

/// The lowest point of @p loss near the origin, by Nelder and Mead's simplex.
Point minimize(size_t size, const std::function<double(const Point&)>& loss) {
  struct Corner {
    Point point;
    double loss;
  };
  std::vector<Corner> simplex;
  for (size_t i = 0; i <= size; ++i) {
    Point point(size, 0);
    if (i < size) point[i] = 0.3;
    simplex.push_back({point, loss(point)});
  }
  const auto sort = [&] { std::ranges::sort(simplex, {}, &Corner::loss); };
  for (int step = 0; step < kSteps; ++step) {
    sort();
    Point centre(size, 0);
    for (size_t i = 0; i < size; ++i)
      for (size_t axis = 0; axis < size; ++axis)
        centre[axis] += simplex[i].point[axis] / static_cast<double>(size);
    Corner& worst = simplex.back();
    const auto corner = [&](double factor) {
      Point point = between(centre, worst.point, factor);
      const double value = loss(point);
      return Corner{std::move(point), value};
    };
    Corner reflected = corner(-1);
    if (reflected.loss < simplex.front().loss) {
      Corner expanded = corner(-2);
      worst = expanded.loss < reflected.loss ? expanded : reflected;
    } else if (reflected.loss < simplex[size - 1].loss) {
      worst = reflected;
    } else if (Corner contracted = corner(0.5); contracted.loss < worst.loss) {
      worst = contracted;
    } else {
      for (size_t i = 1; i <= size; ++i) {
        simplex[i].point = between(simplex[0].point, simplex[i].point, 0.5);
        simplex[i].loss = loss(simplex[i].point);
      }
    }
  }
  sort();
  return simplex.front().point;
}

}  // namespace

std::vector<Belief> beliefs(dla::Generation generation) {
  using C = dla::ClockConstants;
  if (generation == dla::Generation::Xavier)
    return {
        {"dram_share", &C::dram_share, 0.267, 0},  // Orin's: at MAXN the port limits every row
        // 30 GB/s at 1395 MHz, with which the published sheet gives ResNet-50's measured rate.
        {"dram_port_bytes", &C::dram_port_bytes, 21.5, 0.3},
        // A microcontroller starts each layer: about 10 us.
        {"gap_cycles", &C::gap_cycles, 14000, 0.5},
        {"stripe_cycles", &C::stripe_cycles, 0, 0},  // stripes of 16 hide the weight load
        {"fp16_efficiency", &C::fp16_efficiency, 1, 0},
    };
  return {
      {"dram_share", &C::dram_share, 0.25, 0.5},
      {"dram_port_bytes", &C::dram_port_bytes, 32, 0.3},  // layer times: about 29 bytes a cycle
      {"gap_cycles", &C::gap_cycles, 830, 0.3},           // layer times: 0.72 us at 1152 MHz
      {"stripe_cycles", &C::stripe_cycles, 11, 0.5},
      {"fp16_efficiency", &C::fp16_efficiency, 0.6, 0.5},
  };
}

dla::ClockConstants fit(const std::vector<Row>& rows, const std::vector<Belief>& constants,
                        const Predict& predict) {
  std::vector<Belief> free;
  dla::ClockConstants fixed{};
  for (const Belief& belief : constants) {
    fixed.*belief.member = belief.expected;
    if (belief.spread > 0) free.push_back(belief);
  }
  const auto constants_at = [&](const Point& point) {
    dla::ClockConstants made = fixed;
    for (size_t i = 0; i < free.size(); ++i)
      made.*free[i].member = free[i].expected * std::exp(point[i]);
    return made;
  };
  const auto loss = [&](const Point& point) {
    const dla::ClockConstants tried = constants_at(point);
    double sum = 0;
    for (size_t i = 0; i < free.size(); ++i) sum += std::pow(point[i] / free[i].spread, 2);
    for (const Row& row : rows)
      sum += std::pow(std::log(predict(row, tried) / row.ms_per_image) / kRowSpread, 2);
    return sum;
  };
  return constants_at(minimize(free.size(), loss));
}

}  // namespace dlaexec::calibration
