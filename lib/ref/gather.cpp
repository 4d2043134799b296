// gathers, scatters, one_hot, trilu, nonzero.
#include <algorithm>
#include <cmath>

#include "ref/call.h"
#include "ref/stride.h"

namespace dlaexec::ref {
namespace {

int64_t wrapped(int64_t index, int64_t size) {
  if (index < -size || index >= size) fail("index {} is outside a dimension of {}", index, size);
  return index < 0 ? index + size : index;
}

template <class T>
T combine(ir::Reduction reduction, T old, T update) {
  switch (reduction) {
    case ir::Reduction::None:
      return update;
    case ir::Reduction::Add:
      return old + update;
    case ir::Reduction::Mul:
      return old * update;
    case ir::Reduction::Max:
      return std::max(old, update);
    case ir::Reduction::Min:
      return std::min(old, update);
  }
  return update;
}

/// Applies updates to a copy of the data; at(i) is where update i goes.
template <class At>
Tensors scatter(const Call& call, ir::Reduction reduction, At&& at) {
  const auto apply = [&](auto data, const auto& updates) {
    for (size_t i = 0; i < updates.size(); ++i) {
      auto& target = data[static_cast<size_t>(at(i))];
      target = combine(reduction, target, updates[i]);
    }
    return data;
  };
  if (call.is_integer(0)) return {call.from_ints(call.dims(0), apply(call.ints(0), call.ints(2)))};
  return {call.from_reals(call.dims(0), apply(call.reals(0), call.reals(2)))};
}

/// The position of element @p i of a tensor of @p dims along each dimension.
Dims unravel(int64_t i, const Dims& dims) {
  Dims position(dims.size());
  for (size_t d = dims.size(); d-- > 0; i /= dims[d]) position[d] = i % dims[d];
  return position;
}

/// Where in @p dims the index @p position of a gather_elements or scatter_elements points.
int64_t element_offset(const Dims& dims, Dims position, size_t axis, int64_t index) {
  position[axis] = wrapped(index, dims[axis]);
  const Dims strides = ir::dense_strides(dims);
  int64_t offset = 0;
  for (size_t d = 0; d < dims.size(); ++d) {
    if (position[d] >= dims[d]) fail("indices are larger than the data");
    offset += position[d] * strides[d];
  }
  return offset;
}

}  // namespace

Tensors gather(const Call& call) {
  const Dims& x = call.dims(0);
  const size_t axis = Call::axis_in(call.get<ir::AxisAttributes>().axis, call.rank(0));
  const std::vector<int64_t> indices = call.ints(1);
  Dims y(x.begin(), x.begin() + static_cast<long>(axis));
  const int64_t outer = ir::volume(y);
  y.insert(y.end(), call.dims(1).begin(), call.dims(1).end());
  y.insert(y.end(), x.begin() + static_cast<long>(axis) + 1, x.end());
  const int64_t inner = ir::volume(Dims(x.begin() + static_cast<long>(axis) + 1, x.end()));
  const Tensor data = call.movable(0);
  Tensor result(data.type(), y);
  with_word(ir::size_bytes(data.type()), [&]<class Word>() {
    Word* to = mutable_words<Word>(result);
    for (int64_t o = 0; o < outer; ++o)
      for (const int64_t index : indices) {
        const Word* from = words<Word>(data) + (o * x[axis] + wrapped(index, x[axis])) * inner;
        to = std::copy_n(from, inner, to);
      }
  });
  return {result};
}

Tensors gather_elements(const Call& call) {
  const size_t axis = Call::axis_in(call.get<ir::AxisAttributes>().axis, call.rank(0));
  const std::vector<int64_t> indices = call.ints(1);
  const Tensor data = call.movable(0);
  Tensor result(data.type(), call.dims(1));
  with_word(ir::size_bytes(data.type()), [&]<class Word>() {
    for (size_t i = 0; i < indices.size(); ++i) {
      const Dims position = unravel(static_cast<int64_t>(i), call.dims(1));
      mutable_words<Word>(result)[i] =
          words<Word>(data)[element_offset(data.dims(), position, axis, indices[i])];
    }
  });
  return {result};
}

namespace {

/// The start of the slice that tuple @p i of @p indices (of @p depth numbers) points at, below
/// @p batch leading dimensions that the tuple shares with the data.
int64_t slice_offset(const Dims& data, const std::vector<int64_t>& indices, int64_t i,
                     int64_t depth, const Dims& batch_position) {
  const Dims strides = ir::dense_strides(data);
  int64_t offset = 0;
  for (size_t d = 0; d < batch_position.size(); ++d) offset += batch_position[d] * strides[d];
  for (int64_t d = 0; d < depth; ++d) {
    const auto axis = static_cast<size_t>(d) + batch_position.size();
    offset += wrapped(indices[static_cast<size_t>(i * depth + d)], data[axis]) * strides[axis];
  }
  return offset;
}

}  // namespace

Tensors gather_nd(const Call& call) {
  const Dims& x = call.dims(0);
  const Dims& index_dims = call.dims(1);
  const int64_t batch = call.get<ir::GatherNdAttributes>().batch_dims;
  const int64_t depth = index_dims.empty() ? 0 : index_dims.back();
  if (batch < 0 || depth < 1 || batch >= call.rank(1) || batch + depth > call.rank(0))
    fail("indices of shape {} do not fit data of shape {}", ir::to_text(index_dims),
         ir::to_text(x));
  const Dims tuples(index_dims.begin(), index_dims.end() - 1);
  Dims y = tuples;
  y.insert(y.end(), x.begin() + batch + depth, x.end());
  const int64_t inner = ir::volume(Dims(x.begin() + batch + depth, x.end()));
  const std::vector<int64_t> indices = call.ints(1);
  const Tensor data = call.movable(0);
  Tensor result(data.type(), y);
  with_word(ir::size_bytes(data.type()), [&]<class Word>() {
    for (int64_t i = 0; i < ir::volume(tuples); ++i) {
      const Dims position = unravel(i, tuples);
      const Dims in_batch(position.begin(), position.begin() + batch);
      const int64_t from = slice_offset(x, indices, i, depth, in_batch);
      std::copy_n(words<Word>(data) + from, inner, mutable_words<Word>(result) + i * inner);
    }
  });
  return {result};
}

Tensors scatter_elements(const Call& call) {
  const auto& attributes = call.get<ir::ScatterAttributes>();
  const size_t axis = Call::axis_in(attributes.axis, call.rank(0));
  const std::vector<int64_t> indices = call.ints(1);
  if (call.dims(1) != call.dims(2) || call.rank(1) != call.rank(0))
    fail("indices of shape {} and updates of shape {} do not fit data of shape {}",
         ir::to_text(call.dims(1)), ir::to_text(call.dims(2)), ir::to_text(call.dims(0)));
  return scatter(call, attributes.reduction, [&](size_t i) {
    return element_offset(call.dims(0), unravel(static_cast<int64_t>(i), call.dims(1)), axis,
                          indices[i]);
  });
}

Tensors scatter_nd(const Call& call) {
  const Dims& x = call.dims(0);
  const Dims& index_dims = call.dims(1);
  const int64_t depth = index_dims.empty() ? 0 : index_dims.back();
  if (depth < 1 || depth > call.rank(0))
    fail("indices of shape {} do not fit data of shape {}", ir::to_text(index_dims),
         ir::to_text(x));
  const int64_t inner = ir::volume(Dims(x.begin() + depth, x.end()));
  const std::vector<int64_t> indices = call.ints(1);
  if (call.tensor(2).count() != call.tensor(1).count() / depth * inner)
    fail("updates of shape {} do not fit indices of shape {}", ir::to_text(call.dims(2)),
         ir::to_text(index_dims));
  return scatter(call, call.get<ir::ScatterAttributes>().reduction, [&](size_t i) {
    const int64_t at = static_cast<int64_t>(i);
    return slice_offset(x, indices, at / inner, depth, {}) + at % inner;
  });
}

Tensors one_hot(const Call& call) {
  const std::vector<int64_t> indices = call.ints(0);
  const int64_t depth = call.ints(1).at(0);
  if (depth < 0 || call.tensor(2).count() != 2)
    fail("depth is {} and {} values are given; 0 or more and 2 are allowed", depth,
         call.tensor(2).count());
  Dims y = call.dims(0);
  const size_t axis = Call::axis_in(call.get<ir::AxisAttributes>().axis, call.rank(0) + 1);
  const int64_t inner = ir::volume(Dims(y.begin() + static_cast<long>(axis), y.end()));
  y.insert(y.begin() + static_cast<long>(axis), depth);
  const std::vector<float> values = call.reals(2);
  std::vector<float> result(room_for(y), values[0]);
  for (size_t i = 0; i < indices.size(); ++i) {
    const int64_t index = indices[i] < 0 ? indices[i] + depth : indices[i];
    if (index < 0 || index >= depth) continue;  // no position is hot
    const auto at = static_cast<int64_t>(i);
    result[static_cast<size_t>((at / inner * depth + index) * inner + at % inner)] = values[1];
  }
  return {call.from_reals(y, result)};
}

Tensors trilu(const Call& call) {
  const bool upper = call.get<ir::TriluAttributes>().upper;
  const int64_t k = call.has(1) ? call.ints(1).at(0) : 0;
  Tensor x = call.movable(0).clone();
  if (x.rank() < 2) fail("the input has {} dimensions; 2 or more are needed", x.rank());
  const int64_t columns = x.dims().back();
  const int64_t rows = x.dims()[x.dims().size() - 2];
  with_word(ir::size_bytes(x.type()), [&]<class Word>() {
    for (int64_t i = 0; i < x.count(); ++i) {
      const int64_t diagonal = i % columns - i / columns % rows;
      if (upper ? diagonal < k : diagonal > k) mutable_words<Word>(x)[i] = 0;
    }
  });
  return {x};
}

Tensors nonzero(const Call& call) {
  const std::vector<float> x = call.reals(0);
  std::vector<Dims> found;
  for (size_t i = 0; i < x.size(); ++i)
    if (x[i] != 0) found.push_back(unravel(static_cast<int64_t>(i), call.dims(0)));
  const auto rank = static_cast<size_t>(call.rank(0));
  std::vector<int64_t> result;
  for (size_t d = 0; d < rank; ++d)
    for (const Dims& position : found) result.push_back(position[d]);
  return {call.from_ints({static_cast<int64_t>(rank), static_cast<int64_t>(found.size())}, result)};
}

}  // namespace dlaexec::ref
