#include <array>
#include <limits>

#include "dla/core/conv.h"
#include "dla/core/rows.h"
#include "dla/core/sdp.h"

namespace dlaexec::dla::core {
namespace {

constexpr int64_t kChannelBlock = 16;

/// One convolution at work.
class ScalarConv {
 public:
  ScalarConv(const Memory& memory, const Operation& operation, HalfSum half_sum)
      : half_sum_(half_sum),
        conv_(std::get<ConvParameters>(operation.parameters)),
        input_(memory.view(operation.input)),
        output_(memory.view(operation.output)),
        sdp_(memory, operation, conv_.sdp),
        int8_weights_(memory.constants<int8_t>(conv_.weights)),
        half_weights_(memory.constants<Half>(conv_.weights)),
        channels_(input_.dims().c / conv_.groups),
        kernels_(output_.dims().c / conv_.groups) {}

  void make(const Position& at) const {
    if (!input_.is_int8())
      return sdp_.deliver(at, half_sum_ == HalfSum::Nvdla ? nvdla_sum(at) : float_sum(at));
    const int32_t sum = saturate<int32_t>(integer_sum(at));
    if (output_.is_int8()) return sdp_.deliver(at, int64_t{sum});
    sdp_.deliver(at, static_cast<float>(sum) * static_cast<float>(factor(conv_.sdp.input)));
  }

 private:
  /// Calls body(input position, weight index) for the taps of channel @p c (of the group) that lie
  /// inside the input: kernel rows from the top, columns from the left.
  template <class Body>
  void for_each_tap(const Position& at, Body&& body) const {
    const int64_t top = at.h * conv_.stride.h - conv_.pad.top;
    const int64_t left = at.w * conv_.stride.w - conv_.pad.left;
    for (int64_t r = 0; r < conv_.kernel.h; ++r) {
      const int64_t h = top + r * conv_.dilation.h;
      if (h < 0 || h >= input_.dims().h) continue;
      for (int64_t s = 0; s < conv_.kernel.w; ++s) {
        const int64_t w = left + s * conv_.dilation.w;
        if (w >= 0 && w < input_.dims().w) body(h, w, r, s);
      }
    }
  }

  int64_t weight_index(int64_t k, int64_t c, int64_t r, int64_t s) const {
    return ((k * channels_ + c) * conv_.kernel.h + r) * conv_.kernel.w + s;
  }

  int64_t integer_sum(const Position& at) const {
    const int64_t first = at.c / kernels_ * channels_;
    int64_t sum = 0;
    for_each_tap(at, [&](int64_t h, int64_t w, int64_t r, int64_t s) {
      for (int64_t c = 0; c < channels_; ++c)
        sum += int64_t{input_.load<int8_t>({at.n, first + c, h, w})} *
               int8_weights_[weight_index(at.c, c, r, s)];
    });
    return sum;
  }

  /// The order of the sum, which is part of the definition: blocks of 16 channels of the group,
  /// then kernel rows, then columns, then the channels of the block; one accumulator that starts at
  /// +0. Each product is exact in FP32.
  float float_sum(const Position& at) const {
    const int64_t first = at.c / kernels_ * channels_;
    float sum = 0;
    for (int64_t block = 0; block < channels_; block += kChannelBlock)
      for_each_tap(at, [&](int64_t h, int64_t w, int64_t r, int64_t s) {
        const int64_t end = std::min(channels_, block + kChannelBlock);
        for (int64_t c = block; c < end; ++c)
          sum += conv_input(input_.load<Half>({at.n, first + c, h, w})) *
                 static_cast<float>(half_weights_[weight_index(at.c, c, r, s)]);
      });
    return sum;
  }

  /// NVDLA's order: blocks of 64 channels, then kernel rows, then columns; each is a cycle.
  float nvdla_sum(const Position& at) const {
    const int64_t first = at.c / kernels_ * channels_;
    double sum = 0;
    bool is_nan = false;
    for (int64_t block = 0; block < channels_; block += kNvdlaLanes)
      for_each_tap(at, [&](int64_t h, int64_t w, int64_t r, int64_t s) {
        std::array<Half, kNvdlaLanes> inputs, weights;
        const int64_t count = std::min(kNvdlaLanes, channels_ - block);
        for (int64_t i = 0; i < count; ++i) {
          const auto lane = static_cast<size_t>(i);
          inputs[lane] = input_.load<Half>({at.n, first + block + i, h, w});
          weights[lane] = half_weights_[weight_index(at.c, block + i, r, s)];
          is_nan = is_nan || std::isnan(static_cast<float>(inputs[lane]));
        }
        const auto lanes = static_cast<size_t>(count);
        sum += nvdla_cycle({inputs.data(), lanes}, {weights.data(), lanes});
      });
    return is_nan ? std::numeric_limits<float>::quiet_NaN() : nvdla_deliver(sum);
  }

  HalfSum half_sum_;
  const ConvParameters& conv_;
  CubeView input_, output_;
  Sdp sdp_;
  const int8_t* int8_weights_;
  const Half* half_weights_;
  int64_t channels_, kernels_;  ///< of one group
};

}  // namespace

float conv_input(Half half) {
  const float value = static_cast<float>(half);
  if (std::isnan(value)) return value;
  return std::clamp(value, -kConvInfinity, kConvInfinity);
}

void run_conv_scalar(const Memory& memory, const Operation& operation, ThreadPool& threads,
                     HalfSum half_sum) {
  const ScalarConv conv(memory, operation, half_sum);
  const Nchw& out = memory.view(operation.output).dims();
  const Tiling& tiling = operation.tiling;
  for (const Strip& strip : tiling.strips)
    for (int64_t first = 0; first < out.c; first += tiling.kernels_per_pass) {
      const int64_t kernels = std::min(tiling.kernels_per_pass, out.c - first);
      for_each_row({out.n, kernels, strip.out_rows, out.w}, threads,
                   [&](int64_t n, int64_t k, int64_t p) {
                     for (int64_t q = 0; q < out.w; ++q)
                       conv.make({n, first + k, strip.out_first + p, q});
                   });
    }
}

}  // namespace dlaexec::dla::core
