#include "dla/cbuf.h"

#include <algorithm>

#include "base/format.h"

namespace dlaexec::dla {
namespace {

constexpr int64_t ceil_div(int64_t value, int64_t by) { return (value + by - 1) / by; }
constexpr int64_t round_up(int64_t value, int64_t to) { return ceil_div(value, to) * to; }

int64_t kernel_bytes(const CbufLayer& layer) {
  const int64_t channels = layer.kernel_channels > 0 ? layer.kernel_channels : layer.channels;
  return channels * layer.kernel_h * layer.kernel_w * layer.element_bytes;
}

/// The largest @p measure in [1, @p highest] that fits. More never fits where less does not.
std::optional<int64_t> largest(CbufLayer layer, int64_t CbufLayer::*measure, int64_t highest) {
  int64_t fits = 0;
  for (int64_t low = 1, high = highest; low <= high;) {
    const int64_t middle = (low + high) / 2;
    layer.*measure = middle;
    if (cbuf_need(layer).fits()) {
      fits = middle;
      low = middle + 1;
    } else {
      high = middle - 1;
    }
  }
  if (fits == 0) return std::nullopt;
  return fits;
}

}  // namespace

int64_t kernel_group(int64_t element_bytes) { return element_bytes == 1 ? 32 : 16; }

CbufNeed cbuf_need(const CbufLayer& layer) {
  CbufNeed need;
  const int64_t bytes = kernel_bytes(layer);
  const int64_t at_once = layer.group > 0 ? layer.group : kernel_group(layer.element_bytes);
  const int64_t group = std::min(layer.kernels, at_once);
  need.weight_banks = ceil_div(round_up(bytes, kCbufEntryBytes), kCbufBankBytes);
  need.group_banks = ceil_div(round_up(group * bytes, kCbufEntryBytes), kCbufBankBytes);
  const int64_t atoms = ceil_div(layer.channels * layer.element_bytes, kCbufAtomBytes);
  need.entries_per_slice = ceil_div(atoms * layer.width, kCbufAtomsPerEntry);
  need.rows = (layer.kernel_h - 1) * layer.dilation_h + 1;
  need.data_banks = ceil_div(need.entries_per_slice * need.rows, kCbufEntriesPerBank);
  return need;
}

std::string arithmetic(const CbufLayer& layer) {
  const CbufNeed need = cbuf_need(layer);
  return format(
      "one kernel of {}x{}x{} elements of {} bytes takes {} of the {} banks; an input row takes "
      "ceil(ceil({}*{}/32) * {} / 4) = {} entries, {} rows under the kernel take "
      "ceil({}*{}/256) = {} banks; {} + {} = {}",
      layer.channels, layer.kernel_h, layer.kernel_w, layer.element_bytes, need.weight_banks,
      kCbufBanks, layer.channels, layer.element_bytes, layer.width, need.entries_per_slice,
      need.rows, need.entries_per_slice, need.rows, need.data_banks, need.weight_banks,
      need.data_banks, need.banks());
}

std::optional<int64_t> largest_width(CbufLayer layer) {
  return largest(layer, &CbufLayer::width, 8192);
}
std::optional<int64_t> largest_channels(CbufLayer layer) {
  return largest(layer, &CbufLayer::channels, 8192);
}
std::optional<int64_t> largest_dilation(CbufLayer layer) {
  return largest(layer, &CbufLayer::dilation_h, 32);
}

}  // namespace dlaexec::dla
