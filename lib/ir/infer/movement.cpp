// Shapes of ops that move elements: concat, slices, reshapes and friends.
#include <algorithm>

#include "ir/infer/site.h"

namespace dlaexec::ir {
namespace {

/// Dimensions that an input asks for: its elements, or symbols when they are not known.
Shape wanted_shape(const Site& site, size_t input) {
  if (const Contents* contents = site.contents(input)) return contents->elements;
  site.require_rank(input, 1, 1);
  const Dim& rank = site.shape(input)[0];
  return rank.is_known() ? site.data_dependent_shape(0, rank.value) : unranked();
}

/// One dimension of a slice; all bounds are known.
Dim sliced(const Dim& size, int64_t start, int64_t end, int64_t step, const Dim& otherwise) {
  if (step == 0) fail("a step is 0; it must not be");
  if (!size.is_known()) {
    // With a symbol: only what does not depend on its value.
    if (start == 0 && end >= INT32_MAX && step == 1) return size;
    if (start >= 0 && end >= INT32_MAX && step > 0)
      return ceil_quotient(difference(size, start), step);
    if (start == 0 && end < 0 && step == 1) return sum(size, end);
    if (step == -1 && start == -1 && end <= INT32_MIN) return size;
    return otherwise;
  }
  const int64_t count = size.value;
  const auto clamp = [&](int64_t at, int64_t low, int64_t high) {
    return std::clamp(at < 0 ? at + count : at, low, high);
  };
  const int64_t first = step > 0 ? clamp(start, 0, count) : clamp(start, -1, count - 1);
  // A negative end that is far below the axis means "past the first element".
  const int64_t last =
      step > 0 ? clamp(end, 0, count) : (end < -count ? -1 : clamp(end, -1, count - 1));
  const int64_t span = step > 0 ? last - first : first - last;
  const int64_t size_of_step = step > 0 ? step : -(step + 1) + 1;
  return span <= 0 ? 0 : (span - 1) / size_of_step + 1;
}

}  // namespace

Shapes concat_shapes(const Site& site) {
  Shape y = site.shape(0);
  const size_t axis = Site::axis_in(site.node().get<AxisAttributes>().axis, site.rank(0));
  for (size_t i = 1; i < site.input_count(); ++i) {
    const Shape& part = site.shape(i);
    bool fits = part.size() == y.size();
    for (size_t d = 0; fits && d < y.size(); ++d) {
      if (d == axis || part[d] == y[d]) continue;
      fits = !part[d].is_known() || !y[d].is_known();
      if (!y[d].is_known()) y[d] = part[d];
    }
    if (!fits)
      fail("shapes {} and {} do not join along axis {}: the other dimensions must be equal",
           to_text(site.shape(0)), to_text(part), axis);
    y[axis] = sum(y[axis], part[axis]);
  }
  return {y};
}

Shapes split_shapes(const Site& site) {
  const Shape& x = site.shape(0);
  const size_t axis = Site::axis_in(site.node().get<AxisAttributes>().axis, site.rank(0));
  const size_t parts = site.output_count();
  Shapes shapes(parts, x);
  const Contents* sizes = site.contents(1);
  if (sizes) {
    if (sizes->elements.size() != parts)
      fail("{} sizes are given for {} outputs", sizes->elements.size(), parts);
    Dim total = 0;
    for (size_t i = 0; i < parts; ++i) {
      shapes[i][axis] = sizes->elements[i];
      total = sum(total, sizes->elements[i]);
    }
    if (total.is_known() && x[axis].is_known() && total != x[axis])
      fail("the sizes add up to {}; the axis has {}", total.value, x[axis].value);
  } else if (site.has(1)) {
    for (size_t i = 0; i < parts; ++i) shapes[i][axis] = site.data_dependent(i, axis);
  } else {
    const auto count = static_cast<int64_t>(parts);
    const Dim each = ceil_quotient(x[axis], count);
    for (Shape& shape : shapes) shape[axis] = each;
    shapes.back()[axis] = difference(x[axis], product(each, count - 1));
    if (shapes.back()[axis].is_known() && shapes.back()[axis].value < 0)
      fail("{} elements do not split into {} parts", x[axis].value, parts);
    if (!x[axis].is_known()) shapes.back()[axis] = each;  // an even split, as every export means it
  }
  return shapes;
}

Shapes slice_shapes(const Site& site) {
  Shape y = site.shape(0);
  const auto starts = site.ints(1);
  const auto ends = site.ints(2);
  const auto steps = site.has(4) ? site.ints(4) : Ints();
  const auto axes = site.has(3) ? site.ints(3) : Ints();
  site.require_rank(1, 1, 1);
  if (!axes) return {site.data_dependent_shape(0, site.rank(0))};
  const Dim& counted = site.shape(1)[0];
  const size_t count = starts               ? starts->size()
                       : ends               ? ends->size()
                       : counted.is_known() ? static_cast<size_t>(counted.value)
                                            : y.size();
  if ((starts && starts->size() != count) || (ends && ends->size() != count) ||
      (!axes->empty() && axes->size() != count) || (axes->empty() && count > y.size()) ||
      (steps && site.has(4) && steps->size() != count))
    fail("starts, ends, axes and steps differ in length");
  for (size_t i = 0; i < count; ++i) {
    const size_t axis = axes->empty() ? i : Site::axis_in((*axes)[i], site.rank(0));
    const Dim unknown = site.data_dependent(0, axis);
    if (!starts || !ends || !steps)
      y[axis] = unknown;
    else
      y[axis] = sliced(y[axis], (*starts)[i], (*ends)[i], site.has(4) ? (*steps)[i] : 1, unknown);
  }
  return {y};
}

Shapes reshape_shapes(const Site& site) {
  const Shape& x = site.shape(0);
  const bool allow_zero = site.node().get<ReshapeAttributes>().allow_zero;
  const bool known = site.contents(1) != nullptr;
  Shape y = wanted_shape(site, 1);
  if (!known) return {y};
  std::optional<size_t> inferred;
  for (size_t i = 0; i < y.size(); ++i) {
    if (y[i] == Dim(0) && !allow_zero) {
      if (i >= x.size()) fail("the shape copies dimension {} of an input that has {}", i, x.size());
      y[i] = x[i];
    } else if (y[i] == Dim(-1)) {
      if (inferred) fail("the shape has -1 twice; only one dimension can be inferred");
      inferred = i;
    } else if (y[i].is_known() && y[i].value < 0) {
      fail("the shape has a dimension of {}", y[i].value);
    }
  }
  if (inferred) {
    y[*inferred] = 1;
    const Dim part = element_count(y);
    y[*inferred] = part == Dim(0) ? Dim(0) : remaining(x, y);
  }
  const Dim before = element_count(x);
  const Dim after = element_count(y);
  if (before.is_known() && after.is_known() && before != after)
    fail("{} elements of shape {} cannot take shape {}", before.value, to_text(x), to_text(y));
  return {y};
}

Shapes flatten_shapes(const Site& site) {
  const Shape& x = site.shape(0);
  const int64_t axis = site.node().get<AxisAttributes>().axis;
  if (axis < 0 || axis > site.rank(0)) fail("axis is {}; 0 to {} are allowed", axis, site.rank(0));
  const auto middle = x.begin() + axis;
  return {{element_count(Shape(x.begin(), middle)), element_count(Shape(middle, x.end()))}};
}

Shapes squeeze_shapes(const Site& site) {
  const Shape& x = site.shape(0);
  Ints axes = site.node().get<AxesAttributes>().axes;
  if (site.has(1)) {
    const auto known = site.ints(1);
    const Dim count = element_count(site.shape(1));
    if (!known && !count.is_known()) return {unranked()};
    if (!known) return {site.data_dependent_shape(0, site.rank(0) - count.value)};
    axes = *known;
  }
  std::vector<char> dropped(x.size(), 0);
  for (const int64_t wanted : axes) {
    const size_t axis = Site::axis_in(wanted, site.rank(0));
    if (x[axis].is_known() && x[axis].value != 1)
      fail("axis {} of shape {} is squeezed; only a dimension of 1 can be", axis, to_text(x));
    dropped[axis] = 1;
  }
  Shape y;
  for (size_t i = 0; i < x.size(); ++i)
    if (!dropped[i] && !(axes.empty() && x[i] == Dim(1))) y.push_back(x[i]);
  return {y};
}

Shapes unsqueeze_shapes(const Site& site) {
  const Shape& x = site.shape(0);
  Ints axes = site.node().get<AxesAttributes>().axes;
  if (site.has(1)) {
    const auto known = site.ints(1);
    const Dim count = element_count(site.shape(1));
    if (!known && !count.is_known()) return {unranked()};
    if (!known) return {site.data_dependent_shape(0, site.rank(0) + count.value)};
    axes = *known;
  }
  const int64_t rank = site.rank(0) + static_cast<int64_t>(axes.size());
  std::vector<char> fresh(static_cast<size_t>(rank), 0);
  for (const int64_t wanted : axes) {
    char& mark = fresh[Site::axis_in(wanted, rank)];
    if (mark) fail("axis {} is given twice", wanted);
    mark = 1;
  }
  Shape y;
  size_t next = 0;
  for (const char is_new : fresh) y.push_back(is_new ? Dim(1) : x[next++]);
  return {y};
}

Shapes transpose_shapes(const Site& site) {
  const Shape& x = site.shape(0);
  const Ints& perm = site.node().get<TransposeAttributes>().perm;
  Ints sorted = perm;
  std::sort(sorted.begin(), sorted.end());
  bool fits = perm.size() == x.size();
  for (size_t i = 0; fits && i < perm.size(); ++i) fits = sorted[i] == static_cast<int64_t>(i);
  if (!fits) fail("perm {} is no order of {} dimensions", join(perm, ","), x.size());
  Shape y;
  for (const int64_t axis : perm) y.push_back(x[static_cast<size_t>(axis)]);
  return {y};
}

Shapes pad_shapes(const Site& site) {
  Shape y = site.shape(0);
  const auto axes = site.has(3) ? site.ints(3) : Ints();
  const Contents* pads = site.contents(1);
  if (!axes || !pads) return {site.data_dependent_shape(0, site.rank(0))};
  const size_t count = site.has(3) ? axes->size() : y.size();
  if (pads->elements.size() != 2 * count)
    fail("pads has {} entries; {} axes need {}", pads->elements.size(), count, 2 * count);
  for (size_t i = 0; i < count; ++i) {
    const size_t axis = site.has(3) ? Site::axis_in((*axes)[i], site.rank(0)) : i;
    y[axis] = sum(y[axis], sum(pads->elements[i], pads->elements[i + count]));
    if (y[axis].is_known() && y[axis].value < 0) fail("pads take more than axis {} has", axis);
  }
  return {y};
}

Shapes expand_shapes(const Site& site) {
  const Shape wanted = wanted_shape(site, 1);
  if (!is_ranked(wanted)) return {wanted};
  return {broadcast(site.shape(0), wanted)};
}

Shapes tile_shapes(const Site& site) {
  Shape y = site.shape(0);
  const Contents* repeats = site.contents(1);
  if (!repeats) return {site.data_dependent_shape(0, site.rank(0))};
  if (repeats->elements.size() != y.size())
    fail("{} repeats are given for {} dimensions", repeats->elements.size(), y.size());
  for (size_t i = 0; i < y.size(); ++i) {
    if (repeats->elements[i].is_known() && repeats->elements[i].value < 0)
      fail("a repeat is {}", repeats->elements[i].value);
    y[i] = product(y[i], repeats->elements[i]);
  }
  return {y};
}

Shapes depth_shapes(const Site& site) {
  const int64_t block = site.node().get<DepthAttributes>().block;
  site.require_rank(0, 4, 4);
  if (block < 1 || block > INT32_MAX) fail("the block is {}; it must be 1 or more", block);
  const Shape& x = site.shape(0);
  const bool to_space = site.node().op == Op::DepthToSpace;
  const auto divides = [](const Dim& dim, int64_t by) {
    if (dim.is_known() && dim.value % by != 0)
      fail("a dimension of {} does not divide by {}", dim.value, by);
    return floor_quotient(dim, by);
  };
  if (to_space)
    return {{x[0], divides(x[1], block * block), product(x[2], block), product(x[3], block)}};
  return {{x[0], product(x[1], block * block), divides(x[2], block), divides(x[3], block)}};
}

}  // namespace dlaexec::ir
