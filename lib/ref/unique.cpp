// The different slices of a tensor along an axis.
#include <algorithm>
#include <numeric>

#include "ref/call.h"
#include "ref/stride.h"

namespace dlaexec::ref {
namespace {

/// A tensor as [outer, size, inner], size being that of an axis.
struct Slices {
  int64_t outer, size, inner;
};

/// Where along the axis slices are that equal each other, in ascending order.
using Places = std::vector<int64_t>;

/// All slices, equal ones together, in the order of their elements.
template <class Number>
std::vector<Places> equal_slices(const std::vector<Number>& x, const Slices& slices) {
  const auto element = [&](int64_t place, int64_t i) {
    const int64_t outer = i / slices.inner;
    return x[static_cast<size_t>((outer * slices.size + place) * slices.inner + i % slices.inner)];
  };
  const auto less = [&](int64_t a, int64_t b) {
    for (int64_t i = 0; i < slices.outer * slices.inner; ++i)
      if (element(a, i) != element(b, i)) return element(a, i) < element(b, i);
    return false;
  };
  Places order(static_cast<size_t>(slices.size));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), less);
  std::vector<Places> groups;
  for (const int64_t place : order) {
    if (groups.empty() || less(groups.back().front(), place)) groups.emplace_back();
    groups.back().push_back(place);
  }
  return groups;
}

/// The slices of @p x at @p places.
Tensor taken(const Tensor& x, Dims dims, const Slices& slices, const Places& places) {
  Tensor y(x.type(), std::move(dims));
  with_word(ir::size_bytes(x.type()), [&]<class Word>() {
    Word* to = mutable_words<Word>(y);
    for (int64_t outer = 0; outer < slices.outer; ++outer)
      for (const int64_t place : places)
        to = std::copy_n(words<Word>(x) + (outer * slices.size + place) * slices.inner,
                         slices.inner, to);
  });
  return y;
}

}  // namespace

Tensors unique(const Call& call) {
  const auto& attributes = call.get<ir::UniqueAttributes>();
  Dims dims = call.dims(0);
  const size_t axis = Call::axis_in(attributes.axis, call.rank(0));
  const auto at = dims.begin() + static_cast<long>(axis);
  const Slices slices{ir::volume(Dims(dims.begin(), at)), *at,
                      ir::volume(Dims(at + 1, dims.end()))};
  std::vector<Places> groups =
      call.is_integer(0) ? equal_slices(call.ints(0), slices) : equal_slices(call.reals(0), slices);
  if (!attributes.sorted) std::sort(groups.begin(), groups.end());  // by their first places
  Places first, counts, group_of(static_cast<size_t>(slices.size));
  for (const Places& group : groups) {
    for (const int64_t place : group) group_of[static_cast<size_t>(place)] = std::ssize(first);
    first.push_back(group.front());
    counts.push_back(std::ssize(group));
  }
  dims[axis] = std::ssize(first);
  Tensors results = {taken(call.movable(0), dims, slices, first)};
  for (const Places* ints : {&first, &group_of, &counts})
    results.push_back(call.wants(results.size())
                          ? call.from_ints({std::ssize(*ints)}, *ints, results.size())
                          : Tensor());
  return results;
}

}  // namespace dlaexec::ref
