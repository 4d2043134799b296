// The shape of a resize. With scales it is floor(size * scale); ref/ computes the same.
#include <cmath>

#include "ir/infer/site.h"

namespace dlaexec::ir {
namespace {

/// With keep_aspect one scale serves all axes.
void even_out(const Site& site, const std::vector<size_t>& axes, Shape& y) {
  const auto& resize = site.node().get<ResizeAttributes>();
  const Shape& x = site.shape(0);
  double chosen = 0;
  bool first = true;
  for (const size_t axis : axes) {
    if (!x[axis].is_known() || !y[axis].is_known() || x[axis].value == 0) return;
    const double scale = static_cast<double>(y[axis].value) / static_cast<double>(x[axis].value);
    const bool better =
        resize.keep_aspect == KeepAspect::NotLarger ? scale < chosen : scale > chosen;
    if (first || better) chosen = scale;
    first = false;
  }
  for (const size_t axis : axes)
    y[axis] = static_cast<int64_t>(std::floor(static_cast<double>(x[axis].value) * chosen + 0.5));
}

}  // namespace

Shapes resize_shapes(const Site& site) {
  const auto& resize = site.node().get<ResizeAttributes>();
  Shape y = site.shape(0);
  std::vector<size_t> axes;
  for (const int64_t axis : resize.axes) axes.push_back(Site::axis_in(axis, site.rank(0)));
  if (axes.empty())
    for (size_t i = 0; i < y.size(); ++i) axes.push_back(i);
  if (site.has(3)) {
    const Contents* sizes = site.contents(3);
    if (sizes && sizes->elements.size() != axes.size())
      fail("{} sizes are given for {} axes", sizes->elements.size(), axes.size());
    for (size_t i = 0; i < axes.size(); ++i) {
      y[axes[i]] = sizes ? sizes->elements[i] : site.data_dependent(0, axes[i]);
      if (y[axes[i]].is_known() && y[axes[i]].value < 0) fail("a size is {}", y[axes[i]].value);
    }
    if (resize.keep_aspect != KeepAspect::Stretch) even_out(site, axes, y);
    return {y};
  }
  if (!site.has(2)) fail("neither scales nor sizes are given; one of them is required");
  const Tensor* scales = site.graph().constant(site.node(), 2);
  if (scales && scales->count() != static_cast<int64_t>(axes.size()))
    fail("{} scales are given for {} axes", scales->count(), axes.size());
  const std::vector<float> factors = scales ? scales->to_floats() : std::vector<float>();
  for (size_t i = 0; i < axes.size(); ++i) {
    Dim& size = y[axes[i]];
    if (!scales) {
      size = site.data_dependent(0, axes[i]);
      continue;
    }
    if (!(factors[i] > 0 && factors[i] < 1e6f))
      fail("a scale is {}; it must be above 0", factors[i]);
    if (size.is_known())
      size = static_cast<int64_t>(std::floor(static_cast<double>(size.value) * factors[i]));
    else if (factors[i] == std::floor(factors[i]))
      size = product(size, static_cast<int64_t>(factors[i]));
    else
      size = site.data_dependent(0, axes[i]);
  }
  return {y};
}

}  // namespace dlaexec::ir
