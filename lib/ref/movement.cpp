// Ops that move elements: concat, split, slice, reshapes, transpose, pad, expand, tile, depth.
#include <algorithm>

#include "ref/call.h"
#include "ref/stride.h"

namespace dlaexec::ref {

Tensors concat(const Call& call) {
  const size_t axis = Call::axis_in(call.get<ir::AxisAttributes>().axis, call.rank(0));
  Dims y = call.dims(0);
  y[axis] = 0;
  for (size_t i = 0; i < call.input_count(); ++i) {
    const Dims& part = call.dims(i);
    for (size_t d = 0; d < y.size(); ++d)
      if (part.size() != y.size() || (d != axis && part[d] != y[d]))
        fail("shapes {} and {} do not join along axis {}", ir::to_text(call.dims(0)),
             ir::to_text(part), axis);
    y[axis] += part[axis];
  }
  Tensor result(call.result(0).type, y);
  const Dims strides = ir::dense_strides(y);
  int64_t offset = 0;
  for (size_t i = 0; i < call.input_count(); ++i) {
    scatter_strided(result, call.movable(i), offset, strides);
    offset += call.dims(i)[axis] * strides[axis];
  }
  return {result};
}

Tensors split(const Call& call) {
  const Dims& dims = call.dims(0);
  const size_t axis = Call::axis_in(call.get<ir::AxisAttributes>().axis, call.rank(0));
  std::vector<int64_t> sizes;
  if (call.has(1)) {
    sizes = call.ints(1);
  } else {
    const auto parts = static_cast<int64_t>(call.output_count());
    const int64_t each = (dims[axis] + parts - 1) / parts;
    sizes.assign(static_cast<size_t>(parts), each);
    sizes.back() = dims[axis] - each * (parts - 1);
  }
  int64_t total = 0;
  for (const int64_t size : sizes) total += size;
  const bool fits = sizes.size() == call.output_count() && total == dims[axis] &&
                    *std::min_element(sizes.begin(), sizes.end()) >= 0;
  if (!fits) fail("sizes {} do not split an axis of {}", join(sizes, ","), dims[axis]);
  const Dims strides = ir::dense_strides(dims);
  Tensors outputs;
  int64_t offset = 0;
  for (size_t i = 0; i < sizes.size(); ++i) {
    Dims y = dims;
    y[axis] = sizes[i];
    outputs.push_back(call.wants(i) ? gather_strided(call.movable(0, i), y, offset, strides)
                                    : Tensor());
    offset += sizes[i] * strides[axis];
  }
  return outputs;
}

Tensors slice(const Call& call) {
  Dims y = call.dims(0);
  const std::vector<int64_t> starts = call.ints(1);
  const std::vector<int64_t> ends = call.ints(2);
  const std::vector<int64_t> axes = call.has(3) ? call.ints(3) : std::vector<int64_t>();
  const std::vector<int64_t> steps = call.has(4) ? call.ints(4) : std::vector<int64_t>();
  const size_t count = starts.size();
  if (ends.size() != count || (call.has(3) && axes.size() != count) ||
      (call.has(4) && steps.size() != count) || (!call.has(3) && count > y.size()))
    fail("starts, ends, axes and steps differ in length");
  Dims strides = ir::dense_strides(y);
  int64_t offset = 0;
  for (size_t i = 0; i < count; ++i) {
    const size_t axis = call.has(3) ? Call::axis_in(axes[i], call.rank(0)) : i;
    const int64_t step = call.has(4) ? steps[i] : 1;
    const int64_t size = y[axis];
    if (step == 0) fail("a step is 0");
    const int64_t start = starts[i] < 0 ? starts[i] + size : starts[i];
    const int64_t end = ends[i] < -size ? -1 : ends[i] < 0 ? ends[i] + size : ends[i];
    const int64_t first = std::clamp<int64_t>(start, step > 0 ? 0 : -1, step > 0 ? size : size - 1);
    const int64_t last = std::clamp<int64_t>(end, step > 0 ? 0 : -1, step > 0 ? size : size - 1);
    const int64_t span = step > 0 ? last - first : first - last;
    const int64_t stride = step > 0 ? step : step == INT64_MIN ? INT64_MAX : -step;
    y[axis] = span <= 0 ? 0 : (span - 1) / stride + 1;
    if (y[axis] > 0) offset += first * strides[axis];
    strides[axis] *= y[axis] > 1 ? step : 1;
  }
  return {gather_strided(call.movable(0), y, ir::volume(y) == 0 ? 0 : offset, strides)};
}

namespace {

Dims reshaped(const Call& call) {
  const Dims& x = call.dims(0);
  const std::vector<int64_t> wanted = call.ints(1);
  Dims y(wanted.begin(), wanted.end());
  std::optional<size_t> inferred;
  int64_t known = 1;
  for (size_t i = 0; i < y.size(); ++i) {
    if (y[i] == 0 && !call.get<ir::ReshapeAttributes>().allow_zero) {
      if (i >= x.size()) fail("the shape copies dimension {} of {}", i, x.size());
      y[i] = x[i];
    }
    if (y[i] == -1 && !inferred)
      inferred = i;
    else if (y[i] < 0)
      fail("the shape {} has a dimension below 0", join(wanted, ","));
    else
      known = ir::volume({known, y[i]});
  }
  if (inferred) y[*inferred] = known == 0 ? 0 : call.tensor(0).count() / known;
  if (ir::volume(y) != call.tensor(0).count())
    fail("{} elements of shape {} cannot take shape {}", call.tensor(0).count(), ir::to_text(x),
         join(wanted, ","));
  return y;
}

Dims squeezed(const Dims& x, const ir::Ints& axes) {
  Dims y;
  std::vector<char> dropped(x.size(), axes.empty());
  for (const int64_t axis : axes) {
    const size_t at = Call::axis_in(axis, static_cast<int64_t>(x.size()));
    if (x[at] != 1) fail("axis {} of shape {} is squeezed; it is not 1", at, ir::to_text(x));
    dropped[at] = 1;
  }
  for (size_t i = 0; i < x.size(); ++i)
    if (!dropped[i] || x[i] != 1) y.push_back(x[i]);
  return y;
}

Dims unsqueezed(const Dims& x, const ir::Ints& axes) {
  Dims y(x.size() + axes.size(), -1);
  for (const int64_t axis : axes) {
    int64_t& dim = y[Call::axis_in(axis, static_cast<int64_t>(y.size()))];
    if (dim == 1) fail("axis {} is given twice", axis);
    dim = 1;
  }
  size_t next = 0;
  for (int64_t& dim : y)
    if (dim == -1) dim = x[next++];
  return y;
}

}  // namespace

Tensors reshape(const Call& call) {
  const Dims& x = call.dims(0);
  const auto axes = [&] {
    return call.has(1) ? call.ints(1) : call.get<ir::AxesAttributes>().axes;
  };
  Dims y;
  switch (call.node().op) {
    case ir::Op::Reshape:
      y = reshaped(call);
      break;
    case ir::Op::Flatten: {
      const int64_t axis = call.get<ir::AxisAttributes>().axis;
      y = {ir::volume(Dims(x.begin(), x.begin() + axis)),
           ir::volume(Dims(x.begin() + axis, x.end()))};
      break;
    }
    case ir::Op::Squeeze:
      y = squeezed(x, axes());
      break;
    default:
      y = unsqueezed(x, axes());
  }
  return {call.movable(0).reshaped(y)};
}

Tensors transpose(const Call& call) {
  const Dims& x = call.dims(0);
  const Dims strides = ir::dense_strides(x);
  Dims y;
  Dims turned;
  for (const int64_t axis : call.get<ir::TransposeAttributes>().perm) {
    y.push_back(x[static_cast<size_t>(axis)]);
    turned.push_back(strides[static_cast<size_t>(axis)]);
  }
  return {gather_strided(call.movable(0), y, 0, turned)};
}

namespace {

/// The element of an axis of @p size that position @p at of the padded axis shows.
int64_t source(ir::PadMode mode, int64_t at, int64_t size) {
  if (at >= 0 && at < size) return at;
  switch (mode) {
    case ir::PadMode::Constant:
      return -1;
    case ir::PadMode::Edge:
      return std::clamp<int64_t>(at, 0, size - 1);
    case ir::PadMode::Wrap:
      return (at % size + size) % size;
    case ir::PadMode::Reflect: {
      if (size == 1) return 0;
      const int64_t period = 2 * (size - 1);
      const int64_t folded = (at % period + period) % period;
      return folded < size ? folded : period - folded;
    }
  }
  return -1;
}

/// Pads one axis; negative pads cut.
Tensor pad_axis(const Tensor& x, size_t axis, int64_t begin, int64_t end, ir::PadMode mode,
                const Tensor& fill) {
  Dims y = x.dims();
  const int64_t size = y[axis];
  y[axis] += begin + end;
  if (y[axis] < 0) fail("pads take more than axis {} has", axis);
  if (size == 0 && mode != ir::PadMode::Constant && y[axis] > 0)
    fail("an empty axis has no elements to repeat");
  room_for(y);
  Tensor result(x.type(), y);
  const int64_t inner = ir::dense_strides(y)[axis];
  const int64_t outer = y[axis] == 0 ? 0 : result.count() / std::max<int64_t>(1, y[axis] * inner);
  with_word(ir::size_bytes(x.type()), [&]<class Word>() {
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t k = 0; k < y[axis]; ++k) {
        const int64_t from = source(mode, k - begin, size);
        Word* to = mutable_words<Word>(result) + (o * y[axis] + k) * inner;
        if (from < 0)
          std::fill(to, to + inner, words<Word>(fill)[0]);
        else
          std::copy_n(words<Word>(x) + (o * size + from) * inner, inner, to);
      }
  });
  return result;
}

}  // namespace

Tensors pad(const Call& call) {
  const std::vector<int64_t> pads = call.ints(1);
  const auto rank = static_cast<size_t>(call.rank(0));
  const std::vector<int64_t> axes = call.has(3) ? call.ints(3) : std::vector<int64_t>();
  const size_t count = call.has(3) ? axes.size() : rank;
  if (pads.size() != 2 * count) fail("{} pads are given for {} axes", pads.size(), count);
  const Tensor fill =
      call.has(2) && call.tensor(2).count() == 1 ? call.movable(2) : call.from_reals({}, {0.0f});
  Tensor x = call.movable(0);
  for (size_t i = 0; i < count; ++i) {
    const size_t axis = call.has(3) ? Call::axis_in(axes[i], call.rank(0)) : i;
    if (pads[i] != 0 || pads[i + count] != 0)
      x = pad_axis(x, axis, pads[i], pads[i + count], call.get<ir::PadAttributes>().mode, fill);
  }
  return {x};
}

Tensors expand(const Call& call) {
  const std::vector<int64_t> wanted = call.ints(1);
  const Dims y = broadcast(call.dims(0), Dims(wanted.begin(), wanted.end()));
  room_for(y);
  return {gather_strided(call.movable(0), y, 0, broadcast_strides(call.dims(0), y))};
}

Tensors tile(const Call& call) {
  const std::vector<int64_t> repeats = call.ints(1);
  if (repeats.size() != call.dims(0).size())
    fail("{} repeats are given for {} dimensions", repeats.size(), call.dims(0).size());
  Tensor x = call.movable(0);
  for (size_t axis = 0; axis < repeats.size(); ++axis) {
    if (repeats[axis] < 0) fail("a repeat is {}", repeats[axis]);
    const int64_t size = x.dims()[axis];
    const int64_t more = ir::volume({size, repeats[axis]}) - size;
    if (size > 0) x = pad_axis(x, axis, 0, more, ir::PadMode::Wrap, x);
  }
  return {x};
}

Tensors depth(const Call& call) {
  const auto& attributes = call.get<ir::DepthAttributes>();
  const Dims& x = call.dims(0);
  const int64_t b = attributes.block;
  // The block's two dimensions are split off the channels and moved beside height and width, or
  // the other way round.
  Dims y;
  Dims split;
  ir::Ints perm;
  if (call.node().op == ir::Op::SpaceToDepth) {
    split = {x[0], x[1], x[2] / b, b, x[3] / b, b};
    perm = {0, 3, 5, 1, 2, 4};
    y = {x[0], x[1] * b * b, x[2] / b, x[3] / b};
  } else {
    const bool dcr = attributes.order == ir::DepthOrder::Dcr;
    const int64_t channels = x[1] / (b * b);
    split = dcr ? Dims{x[0], b, b, channels, x[2], x[3]} : Dims{x[0], channels, b, b, x[2], x[3]};
    perm = dcr ? ir::Ints{0, 3, 4, 1, 5, 2} : ir::Ints{0, 1, 4, 2, 5, 3};
    y = {x[0], channels, x[2] * b, x[3] * b};
  }
  const Dims strides = ir::dense_strides(split);
  Dims moved;
  Dims turned;
  for (const int64_t axis : perm) {
    moved.push_back(split[static_cast<size_t>(axis)]);
    turned.push_back(strides[static_cast<size_t>(axis)]);
  }
  return {gather_strided(call.movable(0), moved, 0, turned).reshaped(y)};
}

}  // namespace dlaexec::ref
