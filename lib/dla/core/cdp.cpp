// LRN through the function table; softmax.
#include <vector>

#include "dla/core/lut.h"
#include "dla/core/rows.h"
#include "dla/core/sdp.h"
#include "dla/core/units.h"

namespace dlaexec::dla::core {
namespace {

/// x * LUT(sum of squares over the window), every step in FP17.
void normalize(const Memory& memory, const CdpParameters& cdp, const CubeView& input,
               const CubeView& output, const Position& at) {
  const Half* const entries = memory.constants<Half>(cdp.lut.entries);
  const auto read = [&](int64_t c) {
    return to_fp17(read_float(input, {at.n, c, at.h, at.w}, cdp.input));
  };
  const int64_t reach = cdp.size / 2;
  float squares = 0;
  for (int64_t c = std::max<int64_t>(0, at.c - reach);
       c <= std::min(input.dims().c - 1, at.c + reach); ++c)
    squares = to_fp17(squares + to_fp17(read(c) * read(c)));
  const float scaled = to_fp17(read(at.c) * to_fp17(look_up(cdp.lut, entries, squares)));
  write_float(output, at, scaled, cdp.output);
}

/// 2^x for x <= 0 in FP32, the same bits everywhere: a polynomial of degree 5 on the fraction.
float exp2_of(float x) {
  if (!(x > -126)) return std::isnan(x) ? x : 0.0f;
  const float whole = std::floor(x);
  const float f = x - whole;
  float sum = 1.8775767e-3f;
  for (const float coefficient :
       {8.9893397e-3f, 5.5826318e-2f, 2.4015361e-1f, 6.9315308e-1f, 1.0f}) {
    const float product = sum * f;
    sum = product + coefficient;
  }
  return std::ldexp(sum, static_cast<int>(whole));
}

/// e^(x - largest) / sum, in FP32, along one axis.
void softmax_line(const CdpParameters& cdp, const CubeView& input, const CubeView& output,
                  Position at) {
  int64_t& index = cdp.axis == 1 ? at.c : cdp.axis == 2 ? at.h : at.w;
  const Nchw& dims = input.dims();
  const int64_t count = cdp.axis == 1 ? dims.c : cdp.axis == 2 ? dims.h : dims.w;
  std::vector<float> line(static_cast<size_t>(count));
  float largest = -std::numeric_limits<float>::max();
  for (index = 0; index < count; ++index) {
    const float value = read_float(input, at, cdp.input);
    line[static_cast<size_t>(index)] = value;
    largest = value > largest ? value : largest;
  }
  constexpr float kLog2E = 1.44269504f;
  float sum = 0;
  for (float& value : line) {
    value = exp2_of((value - largest) * kLog2E);
    sum += value;
  }
  for (index = 0; index < count; ++index)
    write_float(output, at, line[static_cast<size_t>(index)] / sum, cdp.output);
}

}  // namespace

void run_cdp(const Memory& memory, const Operation& operation, ThreadPool& threads) {
  const auto& cdp = std::get<CdpParameters>(operation.parameters);
  const CubeView input = memory.view(operation.input);
  const CubeView output = memory.view(operation.output);
  Nchw lines = output.dims();
  if (cdp.kind == CdpKind::Softmax)
    (cdp.axis == 1 ? lines.c : cdp.axis == 2 ? lines.h : lines.w) = 1;
  for_each_row(lines, threads, [&](int64_t n, int64_t c, int64_t h) {
    for (int64_t w = 0; w < lines.w; ++w) {
      if (cdp.kind == CdpKind::Lrn)
        normalize(memory, cdp, input, output, {n, c, h, w});
      else
        softmax_line(cdp, input, output, {n, c, h, w});
    }
  });
}

}  // namespace dlaexec::dla::core
