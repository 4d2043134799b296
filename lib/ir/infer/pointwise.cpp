// Shapes of elementwise ops, reductions and searches.
#include <algorithm>

#include "ir/infer/site.h"

namespace dlaexec::ir {

Shapes elementwise_shapes(const Site& site) {
  Shape y = site.shape(0);
  for (size_t i = 1; i < site.input_count(); ++i) y = broadcast(y, site.shape(i));
  if (site.node().op == Op::PRelu && y.size() != site.shape(0).size())
    fail("the slope of shape {} has more dimensions than the input of shape {}",
         to_text(site.shape(1)), to_text(site.shape(0)));
  return {y};
}

Shapes scale_shapes(const Site& site) {
  const Shape& x = site.shape(0);
  for (const size_t i : {size_t{1}, size_t{2}}) {
    if (!site.has(i)) continue;
    const Shape& factor = site.shape(i);
    const bool one = factor.size() <= 1 && element_count(factor) == Dim(1);
    const bool channels = factor.size() == 1 && x.size() > 1 && factor[0] == x[1];
    if (!one && !channels && factor != x)
      fail(
          "'{}' has shape {}; an input of shape {} takes one value, one a channel, or its own "
          "shape",
          site.value(i).name, to_text(factor), to_text(x));
  }
  return {x};
}

Shapes reduce_shapes(const Site& site) {
  const auto& reduce = site.node().get<ReduceAttributes>();
  const Shape& x = site.shape(0);
  Ints axes = reduce.axes;
  if (site.has(1)) {
    const auto known = site.ints(1);
    if (!known) {
      const Dim count = element_count(site.shape(1));
      if (reduce.keep_dims) return {site.data_dependent_shape(0, site.rank(0))};
      if (!count.is_known()) return {unranked()};
      return {site.data_dependent_shape(0, site.rank(0) - count.value)};
    }
    axes = *known;
  }
  std::vector<char> reduced(x.size(), 0);
  for (const int64_t axis : axes) reduced[Site::axis_in(axis, site.rank(0))] = 1;
  Shape y;
  for (size_t i = 0; i < x.size(); ++i) {
    if (!reduced[i])
      y.push_back(x[i]);
    else if (reduce.keep_dims)
      y.push_back(1);
  }
  return {y};
}

Shapes arg_reduce_shapes(const Site& site) {
  const auto& reduce = site.node().get<ArgReduceAttributes>();
  Shape y = site.shape(0);
  const size_t axis = Site::axis_in(reduce.axis, site.rank(0));
  if (y[axis] == Dim(0)) fail("there is no largest element: the dimension of axis {} is 0", axis);
  if (reduce.keep_dims)
    y[axis] = 1;
  else
    y.erase(y.begin() + static_cast<long>(axis));
  return {y};
}

Shapes top_k_shapes(const Site& site) {
  const auto& top = site.node().get<TopKAttributes>();
  Shape y = site.shape(0);
  const size_t axis = Site::axis_in(top.axis, site.rank(0));
  const Contents* count = site.contents(1);
  if (count && count->elements.size() != 1)
    fail("k has {} elements; it must be one number", count->elements.size());
  const Dim k = count ? count->elements[0] : site.data_dependent(0, axis);
  if (k.is_known() && (k.value < 0 || (y[axis].is_known() && k.value > y[axis].value)))
    fail("k is {}; the axis has {} elements", k.value, to_text(Shape{y[axis]}));
  y[axis] = k;
  return Shapes(site.output_count(), y);
}

Shapes unique_shapes(const Site& site) {
  Shape y = site.shape(0);
  const size_t axis = Site::axis_in(site.node().get<UniqueAttributes>().axis, site.rank(0));
  const Dim all = y[axis];
  const Dim found = y[axis] = site.data_dependent(0, axis);
  Shapes shapes = {y, {found}, {all}, {found}};
  shapes.resize(site.output_count());
  return shapes;
}

Shapes gather_shapes(const Site& site) {
  const Shape& x = site.shape(0);
  const Shape& indices = site.shape(1);
  site.require_rank(0, 1);
  const size_t axis = Site::axis_in(site.node().get<AxisAttributes>().axis, site.rank(0));
  if (site.node().op == Op::GatherElements) {
    site.require_rank(1, site.rank(0), site.rank(0));
    return {indices};
  }
  Shape y(x.begin(), x.begin() + static_cast<long>(axis));
  y.insert(y.end(), indices.begin(), indices.end());
  y.insert(y.end(), x.begin() + static_cast<long>(axis) + 1, x.end());
  return {y};
}

Shapes gather_nd_shapes(const Site& site) {
  const Shape& x = site.shape(0);
  const Shape& indices = site.shape(1);
  site.require_rank(0, 1);
  site.require_rank(1, 1);
  const int64_t batch = site.node().get<GatherNdAttributes>().batch_dims;
  if (!indices.back().is_known()) return {unranked()};
  const int64_t depth = indices.back().value;
  if (batch < 0 || batch >= site.rank(1) || depth < 1 || batch + depth > site.rank(0))
    fail("indices of shape {} with batch_dims {} do not fit data of shape {}", to_text(indices),
         batch, to_text(x));
  Shape y(indices.begin(), indices.end() - 1);
  y.insert(y.end(), x.begin() + batch + depth, x.end());
  return {y};
}

Shapes scatter_shapes(const Site& site) {
  site.require_rank(0, 1);
  if (site.node().op == Op::ScatterElements) {
    site.require_rank(1, site.rank(0), site.rank(0));
    site.require_rank(2, site.rank(0), site.rank(0));
    Site::axis_in(site.node().get<ScatterAttributes>().axis, site.rank(0));
  } else {
    site.require_rank(1, 1);
  }
  return {site.shape(0)};
}

Shapes one_hot_shapes(const Site& site) {
  Shape y = site.shape(0);
  const int64_t rank = site.rank(0) + 1;
  const size_t axis = Site::axis_in(site.node().get<AxisAttributes>().axis, rank);
  const Contents* depth = site.contents(1);
  const Dim size =
      depth && depth->elements.size() == 1 ? depth->elements[0] : site.data_dependent(0, axis);
  y.insert(y.begin() + static_cast<long>(axis), size);
  return {y};
}

Shapes range_shapes(const Site& site) {
  const auto start = site.ints(0);
  const auto step = site.ints(2);
  const Contents* limit = site.contents(1);
  const bool known = start && step && limit && start->size() == 1 && step->size() == 1 &&
                     limit->elements.size() == 1;
  if (!known) return {{site.data_dependent(0, 0)}};
  if ((*step)[0] == 0) fail("the step is 0");
  const Dim span = difference(limit->elements[0], (*start)[0]);
  const Dim count = ceil_quotient((*step)[0] < 0 ? difference(0, span) : span,
                                  (*step)[0] < 0 ? -(*step)[0] : (*step)[0]);
  return {{count.is_known() ? Dim(std::max<int64_t>(0, count.value)) : count}};
}

Shapes constant_of_shape_shapes(const Site& site) {
  if (const Contents* sizes = site.contents(0)) {
    for (const Dim& dim : sizes->elements)
      if (dim.is_known() && dim.value < 0) fail("a dimension of the shape is {}", dim.value);
    return {sizes->elements};
  }
  site.require_rank(0, 1, 1);
  const Dim& rank = site.shape(0)[0];
  return {rank.is_known() ? site.data_dependent_shape(0, rank.value) : unranked()};
}

}  // namespace dlaexec::ir
