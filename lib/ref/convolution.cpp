// conv and deconv, in any number of spatial dimensions.
#include <algorithm>

#include "ref/epilogue.h"
#include "ref/window.h"

namespace dlaexec::ref {
namespace {

/// Output positions that one pass sums side by side; their sums stay in the first-level cache.
constexpr int64_t kBlock = 256;

/// sums[k][i] += sum over j of weights[k][j] * columns[j][i], for @p rows kernels (at most 4).
template <int rows>
void add_products(const float* weights, int64_t depth, const float* columns, int64_t count,
                  int64_t first, int64_t block, double (*sums)[kBlock]) {
  for (int64_t j = 0; j < depth; ++j) {
    const float* column = columns + j * count + first;
    for (int k = 0; k < rows; ++k) {
      const double weight = weights[k * depth + j];
      double* sum = sums[k];
      for (int64_t i = 0; i < block; ++i) sum[i] += weight * static_cast<double>(column[i]);
    }
  }
}

struct Geometry {
  int64_t batch, channels, kernels, groups;
  int64_t in_count, out_count;  ///< spatial elements
  Window window;
};

Dims spatial(const Dims& dims) { return Dims(dims.begin() + 2, dims.end()); }

/// The input laid out so that a kernel's taps are rows: [channels of the group * taps][positions].
void lay_out(const Geometry& g, const std::vector<std::vector<int64_t>>& reads, const float* input,
             std::vector<float>& columns) {
  const int64_t taps = g.window.taps();
  const int64_t channels = g.channels / g.groups;
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t t = 0; t < taps; ++t) {
      float* row = columns.data() + (c * taps + t) * g.out_count;
      const auto& from = reads[static_cast<size_t>(t)];
      const float* plane = input + c * g.in_count;
      for (int64_t i = 0; i < g.out_count; ++i) {
        const int64_t at = from[static_cast<size_t>(i)];
        row[i] = at < 0 ? 0.0f : plane[at];
      }
    }
}

/// The sums of every kernel of one group of one image: store(kernel, position, sum).
template <class Store>
void sum_kernels(const Geometry& g, const float* weights, const std::vector<float>& columns,
                 Store&& store) {
  const int64_t kernels = g.kernels / g.groups;
  const int64_t depth = g.channels / g.groups * g.window.taps();
  double sums[4][kBlock];
  for (int64_t first = 0; first < g.out_count; first += kBlock) {
    const int64_t block = std::min(kBlock, g.out_count - first);
    for (int64_t k = 0; k < kernels; k += 4) {
      const int64_t rows = std::min<int64_t>(4, kernels - k);
      for (auto& row : sums) std::fill(row, row + block, 0.0);
      const float* from = weights + k * depth;
      if (rows == 4) {
        add_products<4>(from, depth, columns.data(), g.out_count, first, block, sums);
      } else {
        for (int64_t r = 0; r < rows; ++r)
          add_products<1>(from + r * depth, depth, columns.data(), g.out_count, first, block,
                          sums + r);
      }
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t i = 0; i < block; ++i) store(k + r, first + i, sums[r][i]);
    }
  }
}

Geometry geometry_of(const Call& call) {
  const auto& conv = call.get<ir::ConvAttributes>();
  const Dims& x = call.dims(0);
  const Dims& w = call.dims(1);
  if (x[1] != w[1] * conv.groups)
    fail("the input has {} channels, the weights take {}", x[1], w[1] * conv.groups);
  Geometry g{x[0], x[1], w[0], conv.groups, 0, 0, {}};
  g.window = {spatial(x), {}, spatial(w), conv.stride, conv.pads, conv.dilation};
  for (size_t i = 0; i + 2 < x.size(); ++i) {
    const int64_t extent = (w[i + 2] - 1) * conv.dilation[i] + 1;
    const int64_t room = x[i + 2] + conv.pads[i] + conv.pads[i + x.size() - 2] - extent;
    if (room < 0) fail("the kernel is larger than its padded input");
    g.window.output.push_back(room / conv.stride[i] + 1);
  }
  g.in_count = ir::volume(g.window.input);
  g.out_count = ir::volume(g.window.output);
  return g;
}

}  // namespace

Tensors convolution(const Call& call) {
  const Geometry g = geometry_of(call);
  Dims y = {g.batch, g.kernels};
  y.insert(y.end(), g.window.output.begin(), g.window.output.end());
  std::vector<std::vector<int64_t>> reads;
  for (int64_t t = 0; t < g.window.taps(); ++t) reads.push_back(g.window.reads(t));
  const std::vector<float> input = call.stored(0);
  const std::vector<float> weights = call.stored(1);
  const Epilogue epilogue(call, call.get<ir::ConvAttributes>());
  const int64_t channels = g.channels / g.groups;
  const int64_t kernels = g.kernels / g.groups;
  const int64_t depth = channels * g.window.taps();
  std::vector<double> factors;
  for (int64_t k = 0; k < g.kernels; ++k)
    factors.push_back(call.scale(0, 0) * call.scale(1, static_cast<size_t>(k)));
  std::vector<float> columns(static_cast<size_t>(depth * g.out_count));
  std::vector<float> result(static_cast<size_t>(ir::volume(y)));
  for (int64_t n = 0; n < g.batch; ++n)
    for (int64_t group = 0; group < g.groups; ++group) {
      const int64_t first_kernel = group * kernels;
      lay_out(g, reads, input.data() + (n * g.channels + group * channels) * g.in_count, columns);
      sum_kernels(g, weights.data() + first_kernel * depth, columns,
                  [&](int64_t k, int64_t i, double sum) {
                    const auto channel = static_cast<size_t>(first_kernel + k);
                    const auto at =
                        static_cast<size_t>((n * g.kernels + first_kernel + k) * g.out_count + i);
                    result[at] = epilogue(sum * factors[channel], channel, at);
                  });
    }
  return {call.from_reals(y, result)};
}

Tensors deconvolution(const Call& call) {
  const auto& deconv = call.get<ir::DeconvAttributes>();
  const Dims& x = call.dims(0);
  const Dims& w = call.dims(1);
  const size_t rank = x.size() - 2;
  const int64_t kernels = w[1] * deconv.groups;
  if (w[0] != x[1]) fail("the input has {} channels, the weights take {}", x[1], w[0]);
  Dims y = {x[0], kernels};
  for (size_t i = 0; i < rank; ++i)
    y.push_back((x[i + 2] - 1) * deconv.stride[i] + (w[i + 2] - 1) * deconv.dilation[i] + 1 +
                deconv.output_padding[i] - deconv.pads[i] - deconv.pads[i + rank]);
  // The window of the convolution whose gradient this is: where that reads y, this adds to it.
  const Window window{spatial(y),    spatial(x),  spatial(w),
                      deconv.stride, deconv.pads, deconv.dilation};
  const int64_t in_count = ir::volume(window.output);
  const int64_t out_count = ir::volume(window.input);
  const std::vector<float> input = call.stored(0);
  const std::vector<float> weights = call.stored(1);
  std::vector<double> sums(static_cast<size_t>(ir::volume(y)), 0.0);
  const int64_t channels = x[1] / deconv.groups;
  for (int64_t t = 0; t < window.taps(); ++t) {
    const std::vector<int64_t> writes = window.reads(t);
    for (int64_t n = 0; n < x[0]; ++n)
      for (int64_t c = 0; c < x[1]; ++c)
        for (int64_t k = 0; k < w[1]; ++k) {
          const float* plane = input.data() + (n * x[1] + c) * in_count;
          const double weight = weights[static_cast<size_t>((c * w[1] + k) * window.taps() + t)];
          double* out = sums.data() + (n * kernels + c / channels * w[1] + k) * out_count;
          for (int64_t i = 0; i < in_count; ++i) {
            const int64_t to = writes[static_cast<size_t>(i)];
            if (to >= 0) out[to] += weight * static_cast<double>(plane[i]);
          }
        }
  }
  const Epilogue epilogue(call, deconv);
  std::vector<float> result(sums.size());
  for (size_t i = 0; i < sums.size(); ++i) {
    const size_t channel = i / static_cast<size_t>(out_count) % static_cast<size_t>(kernels);
    // Scales of weights lie along axis 1: one a kernel of a group.
    const double factor = call.scale(0, 0) * call.scale(1, channel % static_cast<size_t>(w[1]));
    result[i] = epilogue(sums[i] * factor, channel, i);
  }
  return {call.from_reals(y, result)};
}

}  // namespace dlaexec::ref
