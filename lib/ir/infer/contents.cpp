// Elements of small integer values that follow from constants and shapes: the arithmetic that
// exports write around Reshape, Expand, Slice and friends.
#include <algorithm>

#include "ir/infer/site.h"

namespace dlaexec::ir {
namespace {

/// Values with more elements are data, not shapes.
constexpr int64_t kMostElements = 1024;

/// The contents of every input, or nothing when one is not known.
std::optional<std::vector<const Contents*>> all_inputs(const Site& site) {
  std::vector<const Contents*> all;
  for (size_t i = 0; i < site.input_count(); ++i) {
    const Contents* contents = site.contents(i);
    if (!contents) return std::nullopt;
    all.push_back(contents);
  }
  return all;
}

std::optional<Dims> output_dims(const Site& site) {
  const Shape& shape = site.graph().value(site.node().outputs[0]).shape;
  if (!is_static(shape)) return std::nullopt;
  Dims dims = dims_of(shape);
  if (volume(dims) > kMostElements) return std::nullopt;
  return dims;
}

/// The element of @p from at the position @p index of a result of @p dims, broadcasting.
const Dim& broadcast_at(const Contents& from, const Dims& dims, int64_t index) {
  const Dims strides = dense_strides(from.dims);
  int64_t at = 0;
  for (size_t i = dims.size(); i-- > 0;) {
    const int64_t position = index % dims[i];
    index /= dims[i];
    if (i + from.dims.size() < dims.size()) continue;
    const size_t axis = i + from.dims.size() - dims.size();
    if (from.dims[axis] != 1) at += position * strides[axis];
  }
  return from.elements[static_cast<size_t>(at)];
}

std::optional<Dim> compare(ElementwiseKind kind, const Dim& a, const Dim& b) {
  if (!a.is_known() || !b.is_known()) {
    // A symbol is a size, so it is never negative: exports ask "is it -1?".
    const bool differs = (a.is_known() && a.value < 0) || (b.is_known() && b.value < 0);
    if (kind == ElementwiseKind::Equal && differs) return 0;
    if (kind == ElementwiseKind::Equal && a == b) return 1;
    return std::nullopt;
  }
  switch (kind) {
    case ElementwiseKind::Equal:
      return a.value == b.value;
    case ElementwiseKind::Less:
      return a.value < b.value;
    case ElementwiseKind::Greater:
      return a.value > b.value;
    case ElementwiseKind::LessOrEqual:
      return a.value <= b.value;
    case ElementwiseKind::GreaterOrEqual:
      return a.value >= b.value;
    case ElementwiseKind::And:
      return a.value && b.value;
    case ElementwiseKind::Or:
      return a.value || b.value;
    default:
      return std::nullopt;
  }
}

std::optional<Dim> combine(ElementwiseKind kind, const Dim& a, const Dim& b) {
  switch (kind) {
    case ElementwiseKind::Sum:
      return sum(a, b);
    case ElementwiseKind::Sub:
      return difference(a, b);
    case ElementwiseKind::Prod:
      return product(a, b);
    case ElementwiseKind::Div:
      // Integer division truncates; it equals the floor for sizes, which are not negative.
      if (b == Dim(0) || (a.is_known() && a.value < 0) || (b.is_known() && b.value < 0))
        return std::nullopt;
      return floor_quotient(a, b);
    case ElementwiseKind::Min:
      return smaller(a, b);
    case ElementwiseKind::Max:
      return larger(a, b);
    case ElementwiseKind::Mod:
      if (!a.is_known() || !b.is_known() || b.value <= 0) return std::nullopt;
      return a.value - floor_quotient(a, b).value * b.value;
    default:
      return compare(kind, a, b);
  }
}

std::optional<Contents> elementwise(const Site& site, const Dims& dims) {
  const auto inputs = all_inputs(site);
  if (!inputs) return std::nullopt;
  Contents result{dims, {}};
  for (int64_t i = 0; i < volume(dims); ++i) {
    const Dim& a = broadcast_at(*(*inputs)[0], dims, i);
    const Dim& b = broadcast_at(*(*inputs)[1], dims, i);
    if (site.node().op == Op::Where) {
      if (!a.is_known()) return std::nullopt;
      result.elements.push_back(a.value ? b : broadcast_at(*(*inputs)[2], dims, i));
      continue;
    }
    const auto element = combine(site.node().get<ElementwiseAttributes>().kind, a, b);
    if (!element) return std::nullopt;
    result.elements.push_back(*element);
  }
  return result;
}

std::optional<Contents> shape_op(const Site& site, const Dims& dims) {
  const Shape& x = site.shape(0);
  if (!is_ranked(x)) return std::nullopt;
  if (site.node().op == Op::Size) return Contents{{}, {element_count(x)}};
  const int64_t start = site.node().get<ShapeAttributes>().start;
  const auto rank = static_cast<int64_t>(x.size());
  const int64_t first = std::clamp<int64_t>(start < 0 ? start + rank : start, 0, rank);
  return Contents{dims, Shape(x.begin() + first, x.begin() + first + dims[0])};
}

std::optional<Contents> concat(const Site& site, const Dims& dims) {
  const auto inputs = all_inputs(site);
  if (!inputs) return std::nullopt;
  const size_t axis = Site::axis_in(site.node().get<AxisAttributes>().axis, site.rank(0));
  const int64_t outer = volume(Dims(dims.begin(), dims.begin() + static_cast<long>(axis)));
  Contents result{dims, {}};
  for (int64_t i = 0; i < outer; ++i)
    for (const Contents* part : *inputs) {
      const auto run = static_cast<int64_t>(part->elements.size()) / outer;
      result.elements.insert(result.elements.end(), part->elements.begin() + i * run,
                             part->elements.begin() + (i + 1) * run);
    }
  return result;
}

std::optional<Contents> gather(const Site& site, const Dims& dims) {
  const Contents* data = site.contents(0);
  const auto indices = site.ints(1);
  const size_t axis = Site::axis_in(site.node().get<AxisAttributes>().axis, site.rank(0));
  if (!data || !indices || axis != 0 || data->dims.empty()) return std::nullopt;
  const int64_t run =
      static_cast<int64_t>(data->elements.size()) / std::max<int64_t>(1, data->dims[0]);
  Contents result{dims, {}};
  for (const int64_t index : *indices) {
    const auto at = static_cast<int64_t>(Site::axis_in(index, data->dims[0]));
    result.elements.insert(result.elements.end(), data->elements.begin() + at * run,
                           data->elements.begin() + (at + 1) * run);
  }
  return result;
}

/// Of one dimension, or of the first of several.
std::optional<Contents> slice(const Site& site, const Dims& dims) {
  const Contents* data = site.contents(0);
  const auto starts = site.ints(1);
  const auto axes = site.has(3) ? site.ints(3) : Ints{0};
  const auto steps = site.has(4) ? site.ints(4) : Ints{1};
  const bool simple = data && starts && axes && steps && starts->size() == 1 && axes->size() == 1 &&
                      !data->dims.empty() && Site::axis_in((*axes)[0], site.rank(0)) == 0;
  if (!simple) return std::nullopt;
  const int64_t count = data->dims[0];
  const int64_t step = (*steps)[0];
  const int64_t start = (*starts)[0] < 0 ? (*starts)[0] + count : (*starts)[0];
  const int64_t first = step > 0 ? std::max<int64_t>(0, start) : std::min(start, count - 1);
  const int64_t run = count == 0 ? 0 : static_cast<int64_t>(data->elements.size()) / count;
  Contents result{dims, {}};
  for (int64_t i = 0; i < dims[0]; ++i) {
    const auto from = data->elements.begin() + (first + i * step) * run;
    result.elements.insert(result.elements.end(), from, from + run);
  }
  return result;
}

std::optional<Contents> transpose(const Site& site, const Dims& dims) {
  const Contents* data = site.contents(0);
  if (!data) return std::nullopt;
  const Ints& perm = site.node().get<TransposeAttributes>().perm;
  const Dims strides = dense_strides(data->dims);
  Contents result{dims, {}};
  for (int64_t i = 0; i < volume(dims); ++i) {
    int64_t rest = i;
    int64_t at = 0;
    for (size_t d = dims.size(); d-- > 0; rest /= dims[d])
      at += rest % dims[d] * strides[static_cast<size_t>(perm[d])];
    result.elements.push_back(data->elements[static_cast<size_t>(at)]);
  }
  return result;
}

std::optional<Contents> expand(const Site& site, const Dims& dims) {
  const Contents* data = site.contents(0);
  if (!data) return std::nullopt;
  Contents result{dims, {}};
  for (int64_t i = 0; i < volume(dims); ++i)
    result.elements.push_back(broadcast_at(*data, dims, i));
  return result;
}

std::optional<Contents> range(const Site& site, const Dims& dims) {
  const auto start = site.ints(0);
  const auto step = site.ints(2);
  if (!start || !step) return std::nullopt;
  Contents result{dims, {}};
  for (int64_t i = 0; i < dims[0]; ++i) result.elements.push_back((*start)[0] + i * (*step)[0]);
  return result;
}

std::optional<Contents> reduce(const Site& site, const Dims& dims) {
  const Contents* data = site.contents(0);
  const auto& attributes = site.node().get<ReduceAttributes>();
  if (!data || volume(dims) != 1 || site.has(1)) return std::nullopt;
  if (attributes.kind != ReduceKind::Prod && attributes.kind != ReduceKind::Sum)
    return std::nullopt;
  const bool multiplies = attributes.kind == ReduceKind::Prod;
  Dim total = multiplies ? 1 : 0;
  for (const Dim& element : data->elements)
    total = multiplies ? product(total, element) : sum(total, element);
  return Contents{dims, {total}};
}

std::optional<Contents> same_elements(const Site& site, const Dims& dims) {
  const Contents* data = site.contents(0);
  if (!data) return std::nullopt;
  return Contents{dims, data->elements};
}

}  // namespace

std::optional<Contents> result_contents(const Site& site) {
  const ValueId output = site.node().outputs.empty() ? kNoValue : site.node().outputs[0];
  if (output == kNoValue || is_float(site.graph().value(output).type)) return std::nullopt;
  const auto dims = output_dims(site);
  if (!dims) return std::nullopt;
  switch (site.node().op) {
    case Op::Shape:
    case Op::Size:
      return shape_op(site, *dims);
    case Op::Elementwise:
    case Op::Where:
      return elementwise(site, *dims);
    case Op::Concat:
      return concat(site, *dims);
    case Op::Gather:
      return gather(site, *dims);
    case Op::Slice:
      return slice(site, *dims);
    case Op::Transpose:
      return transpose(site, *dims);
    case Op::Expand:
      return expand(site, *dims);
    case Op::Range:
      return range(site, *dims);
    case Op::Reduce:
      return reduce(site, *dims);
    case Op::ConstantOfShape: {
      const auto value = static_cast<int64_t>(site.node().get<ConstantOfShapeAttributes>().value);
      return Contents{*dims, Shape(static_cast<size_t>(volume(*dims)), Dim(value))};
    }
    case Op::Cast:
    case Op::Identity:
    case Op::Reshape:
    case Op::Flatten:
    case Op::Squeeze:
    case Op::Unsqueeze:
      return same_elements(site, *dims);
    default:
      return std::nullopt;
  }
}

}  // namespace dlaexec::ir
