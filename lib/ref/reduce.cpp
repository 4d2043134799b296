// reduce, arg_reduce, cumsum, topk.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "ref/call.h"
#include "ref/stride.h"

namespace dlaexec::ref {
namespace {

/// The input with its reduced axes moved last: [kept][reduced].
struct Runs {
  Dims result;  ///< dimensions of the output
  Dims kept, reduced;
  Dims kept_strides, reduced_strides;
};

Runs runs_of(const Dims& dims, const ir::Ints& axes, bool keep_dims) {
  std::vector<char> is_reduced(dims.size(), 0);
  for (const int64_t axis : axes)
    is_reduced[Call::axis_in(axis, static_cast<int64_t>(dims.size()))] = 1;
  const Dims strides = ir::dense_strides(dims);
  Runs runs;
  for (size_t i = 0; i < dims.size(); ++i) {
    (is_reduced[i] ? runs.reduced : runs.kept).push_back(dims[i]);
    (is_reduced[i] ? runs.reduced_strides : runs.kept_strides).push_back(strides[i]);
    if (!is_reduced[i])
      runs.result.push_back(dims[i]);
    else if (keep_dims)
      runs.result.push_back(1);
  }
  return runs;
}

/// The elements so that each run is contiguous.
template <class Element>
std::vector<Element> in_runs(const Runs& runs, const std::vector<Element>& x) {
  Dims dims = runs.kept;
  dims.insert(dims.end(), runs.reduced.begin(), runs.reduced.end());
  Dims strides = runs.kept_strides;
  strides.insert(strides.end(), runs.reduced_strides.begin(), runs.reduced_strides.end());
  std::vector<Element> result(x.size());
  const int64_t row = dims.empty() ? 1 : dims.back();
  for_each_row<1>(dims, {strides}, [&](int64_t first, const std::array<int64_t, 1>& at) {
    for (int64_t i = 0; i < row; ++i)
      result[static_cast<size_t>(first + i)] =
          x[static_cast<size_t>(at[0] + i * last_stride(strides))];
  });
  return result;
}

double log_sum_exp(const float* x, int64_t count) {
  double largest = -std::numeric_limits<double>::infinity();
  for (int64_t i = 0; i < count; ++i) largest = std::max<double>(largest, x[i]);
  if (std::isinf(largest)) return largest;
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += std::exp(x[i] - largest);
  return largest + std::log(sum);
}

double reduce_run(ir::ReduceKind kind, const float* x, int64_t count) {
  using Kind = ir::ReduceKind;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const auto fold = [&](double start, auto step) {
    for (int64_t i = 0; i < count; ++i) start = step(start, static_cast<double>(x[i]));
    return start;
  };
  const auto add = [](double a, double b) { return a + b; };
  const auto add_absolute = [](double a, double b) { return a + std::abs(b); };
  const auto add_square = [](double a, double b) { return a + b * b; };
  switch (kind) {
    case Kind::Sum:
      return fold(0, add);
    case Kind::Mean:
      return fold(0, add) / static_cast<double>(count);
    case Kind::Max:
      return fold(-kInfinity, [](double a, double b) { return b > a || std::isnan(b) ? b : a; });
    case Kind::Min:
      return fold(kInfinity, [](double a, double b) { return b < a || std::isnan(b) ? b : a; });
    case Kind::Prod:
      return fold(1, [](double a, double b) { return a * b; });
    case Kind::L1:
      return fold(0, add_absolute);
    case Kind::L2:
      return std::sqrt(fold(0, add_square));
    case Kind::LogSum:
      return std::log(fold(0, add));
    case Kind::LogSumExp:
      return log_sum_exp(x, count);
    case Kind::SumSquare:
      return fold(0, add_square);
  }
  return 0;
}

/// Least and largest of integers; of nothing: the type's own ends, as ONNX has it.
int64_t reduce_run(ir::ReduceKind kind, const int64_t* x, int64_t count, ir::DataType type) {
  using Kind = ir::ReduceKind;
  uint64_t sum = kind == Kind::Prod ? 1 : 0;
  switch (kind) {
    case Kind::Max:
    case Kind::Min: {
      if (count > 0)
        return kind == Kind::Max ? *std::max_element(x, x + count)
                                 : *std::min_element(x, x + count);
      if (type == ir::DataType::Bool || type == ir::DataType::UInt8)
        return kind == Kind::Max ? 0 : type == ir::DataType::Bool ? 1 : 255;
      const int bits = static_cast<int>(8 * ir::size_bytes(type)) - 1;
      const auto least = -(int64_t{1} << (bits - 1)) * 2;
      return kind == Kind::Max ? least : -(least + 1);
    }
    case Kind::Sum:
      for (int64_t i = 0; i < count; ++i) sum += static_cast<uint64_t>(x[i]);
      return static_cast<int64_t>(sum);
    case Kind::Prod:
      for (int64_t i = 0; i < count; ++i) sum *= static_cast<uint64_t>(x[i]);
      return static_cast<int64_t>(sum);
    case Kind::SumSquare:
      for (int64_t i = 0; i < count; ++i)
        sum += static_cast<uint64_t>(x[i]) * static_cast<uint64_t>(x[i]);
      return static_cast<int64_t>(sum);
    default: {
      const std::vector<float> reals(x, x + count);
      return static_cast<int64_t>(reduce_run(kind, reals.data(), count));
    }
  }
}

}  // namespace

Tensors reduce(const Call& call) {
  const auto& attributes = call.get<ir::ReduceAttributes>();
  const ir::Ints axes = call.has(1) ? call.ints(1) : attributes.axes;
  const Runs runs = runs_of(call.dims(0), axes, attributes.keep_dims);
  const int64_t run = ir::volume(runs.reduced);
  const auto count = static_cast<size_t>(ir::volume(runs.kept));
  if (call.is_integer(0)) {
    const std::vector<int64_t> x = in_runs(runs, call.ints(0));
    std::vector<int64_t> result(count);
    for (size_t i = 0; i < count; ++i)
      result[i] = reduce_run(attributes.kind, x.data() + static_cast<int64_t>(i) * run, run,
                             call.tensor(0).type());
    return {call.from_ints(runs.result, result)};
  }
  const std::vector<float> x = in_runs(runs, call.reals(0));
  std::vector<float> result(count);
  for (size_t i = 0; i < count; ++i)
    result[i] = static_cast<float>(
        reduce_run(attributes.kind, x.data() + static_cast<int64_t>(i) * run, run));
  return {call.from_reals(runs.result, result)};
}

Tensors arg_reduce(const Call& call) {
  const auto& attributes = call.get<ir::ArgReduceAttributes>();
  const Runs runs = runs_of(call.dims(0), {attributes.axis}, attributes.keep_dims);
  const int64_t run = ir::volume(runs.reduced);
  const std::vector<float> x = in_runs(runs, call.reals(0));
  std::vector<int64_t> result(static_cast<size_t>(ir::volume(runs.kept)), 0);
  for (size_t i = 0; i < result.size(); ++i) {
    const float* first = x.data() + static_cast<int64_t>(i) * run;
    for (int64_t k = 1; k < run; ++k) {
      const float best = first[result[i]];
      const bool better = attributes.max ? first[k] > best : first[k] < best;
      if (better || (attributes.last && first[k] == best)) result[i] = k;
    }
  }
  return {call.from_ints(runs.result, result)};
}

Tensors cumsum(const Call& call) {
  const auto& attributes = call.get<ir::CumSumAttributes>();
  const Dims& dims = call.dims(0);
  const size_t axis = Call::axis_in(call.ints(1).at(0), call.rank(0));
  const int64_t inner = ir::volume(Dims(dims.begin() + static_cast<long>(axis) + 1, dims.end()));
  const int64_t size = dims[axis];
  const auto accumulate = [&](auto x, auto zero) {
    auto result = x;
    const int64_t outer = size * inner == 0 ? 0 : static_cast<int64_t>(x.size()) / (size * inner);
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t i = 0; i < inner; ++i) {
        auto sum = zero;
        for (int64_t k = 0; k < size; ++k) {
          const int64_t step = attributes.reverse ? size - 1 - k : k;
          const auto at = static_cast<size_t>((o * size + step) * inner + i);
          const auto before = sum;
          sum += x[at];
          result[at] = static_cast<typename decltype(result)::value_type>(
              attributes.exclusive ? before : sum);
        }
      }
    return result;
  };
  if (call.is_integer(0)) return {call.from_ints(dims, accumulate(call.ints(0), int64_t{0}))};
  return {call.from_reals(dims, accumulate(call.reals(0), 0.0))};
}

Tensors top_k(const Call& call) {
  const auto& attributes = call.get<ir::TopKAttributes>();
  const Dims& dims = call.dims(0);
  const size_t axis = Call::axis_in(attributes.axis, call.rank(0));
  const int64_t size = dims[axis];
  const int64_t inner = ir::volume(Dims(dims.begin() + static_cast<long>(axis) + 1, dims.end()));
  const std::vector<int64_t> count = call.ints(1);
  if (count.size() != 1 || count[0] < 0 || count[0] > size)
    fail("k is {}; the axis has {} elements", join(count, ","), size);
  Dims y = dims;
  y[axis] = count[0];
  const std::vector<float> keys = call.reals(0);
  const Tensor x = call.movable(0);
  Tensor values(x.type(), y);
  std::vector<int64_t> indices(static_cast<size_t>(ir::volume(y)));
  const int64_t outer = size * inner == 0 ? 0 : x.count() / (size * inner);
  for (int64_t run = 0; run < outer * inner; ++run) {
    const int64_t from = run / inner * size * inner + run % inner;
    const int64_t to = run / inner * count[0] * inner + run % inner;
    std::vector<int64_t> order(static_cast<size_t>(size));
    std::iota(order.begin(), order.end(), 0);
    const auto key = [&](int64_t k) { return keys[static_cast<size_t>(from + k * inner)]; };
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
      return attributes.largest ? key(a) > key(b) : key(a) < key(b);
    });
    with_word(ir::size_bytes(x.type()), [&]<class Word>() {
      for (int64_t k = 0; k < count[0]; ++k) {
        const int64_t at = order[static_cast<size_t>(k)];
        mutable_words<Word>(values)[to + k * inner] = words<Word>(x)[from + at * inner];
        indices[static_cast<size_t>(to + k * inner)] = at;
      }
    });
  }
  Tensors outputs = {values};
  if (call.wants(1)) outputs.push_back(call.from_ints(y, indices, 1));
  return outputs;
}

}  // namespace dlaexec::ref
