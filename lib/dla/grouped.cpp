#include "dla/grouped.h"

#include <algorithm>
#include <cmath>

#include "dla/cbuf.h"

namespace dlaexec::dla {
namespace {

constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// The most channels whose expanded kernels fit CBUF beside one bank of data.
int64_t slice_channels(const ConvParameters& conv, const MacArray& array, int64_t element) {
  const int64_t most =
      (kCbufBanks - 1) * kCbufBankBytes / (conv.kernel.h * conv.kernel.w * element);
  const auto side = static_cast<int64_t>(std::sqrt(static_cast<double>(most)));
  return std::max<int64_t>(array.kernels, side / array.kernels * array.kernels);
}

}  // namespace

int64_t channels_of_kernel_group(const Loadable& loadable, const Operation& convolution) {
  const auto& conv = std::get<ConvParameters>(convolution.parameters);
  const int64_t channels = loadable.cube(convolution.input).dims.c;
  if (conv.groups == 1) return channels;
  const CoreFacts& core = core_facts(loadable.generation);
  const bool is_int8 = convolution.precision == ir::DataType::Int8;
  const MacArray& array = is_int8 ? core.int8 : core.fp16;
  const int64_t own = channels / conv.groups;
  if (loadable.generation == Generation::Xavier) {
    const auto element = static_cast<int64_t>(size_bytes(convolution.precision));
    return std::min(channels, std::max(own, slice_channels(conv, array, element)));
  }
  const int64_t kernels_of_group = loadable.cube(convolution.output).dims.c / conv.groups;
  const int64_t groups = std::max<int64_t>(1, ceil_div(array.kernels, kernels_of_group));
  return std::min(channels, groups * own);
}

}  // namespace dlaexec::dla
