// pool: max, average, lp.
#include <cmath>
#include <limits>

#include "ref/call.h"
#include "ref/window.h"

namespace dlaexec::ref {
namespace {

Window window_of(const ir::PoolAttributes& attributes, const Dims& x) {
  Window window{
      Dims(x.begin() + 2, x.end()), {}, attributes.kernel, attributes.stride, attributes.pads,
      attributes.dilation};
  const size_t rank = x.size() - 2;
  for (size_t i = 0; i < rank; ++i) {
    const int64_t extent = (window.kernel[i] - 1) * window.dilation[i] + 1;
    const int64_t room = window.input[i] + window.pads[i] + window.pads[i + rank] - extent;
    if (room < 0) fail("the window is larger than its padded input");
    const int64_t stride = window.stride[i];
    int64_t size = (attributes.ceil_mode ? (room + stride - 1) / stride : room / stride) + 1;
    // A last window that would start in the end padding is dropped.
    if (attributes.ceil_mode && (size - 1) * stride >= window.input[i] + window.pads[i]) --size;
    window.output.push_back(size);
  }
  return window;
}

struct Cell {
  double value;
  int64_t index = 0;  ///< of the largest element in its plane
  int64_t count = 0;  ///< elements that the average divides by
};

void take(const ir::PoolAttributes& attributes, Cell& cell, double element, int64_t at) {
  switch (attributes.kind) {
    case ir::PoolKind::Max:
      if (element > cell.value || std::isnan(element)) {
        cell.value = element;
        cell.index = at;
      }
      return;
    case ir::PoolKind::Average:
      cell.value += element;
      return;
    case ir::PoolKind::Lp:
      cell.value += std::pow(std::abs(element), static_cast<double>(attributes.p));
      return;
  }
}

double finish(const ir::PoolAttributes& attributes, const Cell& cell) {
  switch (attributes.kind) {
    case ir::PoolKind::Max:
      return cell.value;
    case ir::PoolKind::Average:
      return cell.count == 0 ? 0 : cell.value / static_cast<double>(cell.count);
    case ir::PoolKind::Lp:
      return std::pow(cell.value, 1.0 / static_cast<double>(attributes.p));
  }
  return 0;
}

}  // namespace

Tensors pool(const Call& call) {
  const auto& attributes = call.get<ir::PoolAttributes>();
  const Dims& x = call.dims(0);
  const Window window = window_of(attributes, x);
  Dims y = {x[0], x[1]};
  y.insert(y.end(), window.output.begin(), window.output.end());
  const std::vector<float> input = call.reals(0);
  const int64_t in_count = ir::volume(window.input);
  const int64_t out_count = ir::volume(window.output);
  std::vector<std::vector<int64_t>> reads;
  for (int64_t t = 0; t < window.taps(); ++t) reads.push_back(window.reads(t));
  std::vector<float> result(static_cast<size_t>(ir::volume(y)));
  std::vector<int64_t> indices(result.size());
  const double start =
      attributes.kind == ir::PoolKind::Max ? -std::numeric_limits<double>::infinity() : 0.0;
  for (int64_t plane = 0; plane < x[0] * x[1]; ++plane)
    for (int64_t i = 0; i < out_count; ++i) {
      Cell cell{start};
      for (const auto& tap : reads) {
        const int64_t at = tap[static_cast<size_t>(i)];
        if (at >= 0) take(attributes, cell, input[static_cast<size_t>(plane * in_count + at)], at);
        cell.count += at >= 0 || (at == Window::kPadding && attributes.count_include_pad);
      }
      const auto to = static_cast<size_t>(plane * out_count + i);
      result[to] = static_cast<float>(finish(attributes, cell));
      indices[to] = plane * in_count + cell.index;
    }
  Tensors outputs = {call.from_reals(y, result)};
  if (call.wants(1)) outputs.push_back(call.from_ints(y, indices, 1));
  return outputs;
}

}  // namespace dlaexec::ref
