#include "gpu/walk.h"

#include <algorithm>

namespace dlaexec::gpu {
namespace {

std::vector<WalkAxis> axes_of(std::span<const View> out, std::span<const View> in) {
  const View& first = out.front();
  std::vector<WalkAxis> axes(first.dims.size());
  for (size_t d = 0; d < axes.size(); ++d) {
    axes[d].size = first.dims[d];
    for (const View& view : out) axes[d].stride.push_back(view.strides[d]);
    for (const View& view : in) {
      const size_t skipped = first.dims.size() - view.dims.size();
      const bool moves = d >= skipped && view.dims[d - skipped] != 1;
      axes[d].stride.push_back(moves ? view.strides[d - skipped] : 0);
    }
  }
  return axes;
}

/// True if the axis @p inner continues @p outer for every operand, so that both are one.
bool melts(const WalkAxis& outer, const WalkAxis& inner) {
  for (size_t k = 0; k < inner.stride.size(); ++k)
    if (outer.stride[k] != inner.stride[k] * inner.size) return false;
  return true;
}

}  // namespace

Walk walk_of(std::span<const View> out, std::span<const View> in, bool keeps_finite) {
  const View& first = out.front();
  std::vector<WalkAxis> axes = axes_of(out, in);
  Walk walk;
  const bool padded = first.arrangement == Arrangement::Pixels && first.pixel() != first.dims[1];
  const bool all_pixels = std::all_of(in.begin(), in.end(), [&](const View& view) {
    return view.arrangement == Arrangement::Pixels && view.dims == first.dims &&
           view.strides == first.strides;
  });
  if (padded) axes[1].size = first.pixel();
  // Padding that may be computed along needs no limit, and the axes melt into one.
  const bool limited = padded && !(all_pixels && keeps_finite);
  const int64_t valid = limited ? first.dims[1] : INT32_MAX;
  std::stable_sort(axes.begin(), axes.end(),
                   [](const WalkAxis& a, const WalkAxis& b) { return a.stride[0] > b.stride[0]; });
  for (const WalkAxis& axis : axes) {
    if (axis.size == 1) continue;
    const bool inner = limited && axis.stride[0] == 1;
    if (!walk.axes.empty() && !inner && melts(walk.axes.back(), axis)) {
      walk.axes.back().size *= axis.size;
      walk.axes.back().stride = axis.stride;
      continue;
    }
    walk.axes.push_back(axis);
  }
  if (walk.axes.empty()) {
    walk.axes.push_back({1, std::vector<int64_t>(out.size() + in.size(), 0)});
    std::fill_n(walk.axes[0].stride.begin(), out.size(), 1);
  }
  walk.inner_valid = valid;
  return walk;
}

int vector_of(const Walk& walk, std::span<const View> out, std::span<const View> in) {
  const WalkAxis& inner = walk.axes.back();
  const auto fits = [&](int64_t count) {
    if (inner.size % count != 0) return false;
    for (size_t k = 0; k < inner.stride.size(); ++k) {
      const bool result = k < out.size();
      const View& view = result ? out[k] : in[k - out.size()];
      if (inner.stride[k] != 1 && (result || inner.stride[k] != 0)) return false;
      const int64_t size = static_cast<int64_t>(ir::size_bytes(view.type));
      if (result && count * size > 16) return false;
      if (view.place.offset % std::min<int64_t>(16, count * size) != 0) return false;
      for (size_t d = 0; d + 1 < walk.axes.size(); ++d)
        if (walk.axes[d].stride[k] % count != 0) return false;
    }
    return true;
  };
  for (const int count : {16, 8, 4, 2})
    if (fits(count)) return count;
  return 1;
}

}  // namespace dlaexec::gpu
