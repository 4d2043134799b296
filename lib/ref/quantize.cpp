// quantize, dequantize, cast, identity, and values made from shapes.
#include <algorithm>
#include <cmath>

#include "ref/call.h"

namespace dlaexec::ref {
namespace {

/// Which scale belongs to each element: of the whole tensor, of an axis, or of a block along it.
class ScaleIndex {
 public:
  ScaleIndex(const Call& call) {
    const auto& attributes = call.get<ir::QuantizeAttributes>();
    const Dims& x = call.dims(0);
    const Dims& scales = call.dims(1);
    if (ir::volume(scales) == 1 && attributes.block == 0) return;
    const size_t axis = Call::axis_in(attributes.axis, call.rank(0));
    axis_size_ = x[axis];
    inner_ = ir::volume(Dims(x.begin() + static_cast<long>(axis) + 1, x.end()));
    block_ = std::max<int64_t>(1, attributes.block);
    blocked_ = attributes.block > 0;
    const int64_t groups = (axis_size_ + block_ - 1) / block_;
    groups_ = groups;
    const int64_t wanted =
        blocked_ ? ir::volume(x) / std::max<int64_t>(1, axis_size_) * groups : axis_size_;
    if (ir::volume(scales) != wanted)
      fail("scales of shape {} do not fit an input of shape {} along axis {}", ir::to_text(scales),
           ir::to_text(x), axis);
  }

  size_t operator()(size_t i) const {
    const auto at = static_cast<int64_t>(i);
    if (axis_size_ == 0) return 0;
    const int64_t group = at / inner_ % axis_size_ / block_;
    if (!blocked_) return static_cast<size_t>(group);
    const int64_t outer = at / (inner_ * axis_size_);
    return static_cast<size_t>((outer * groups_ + group) * inner_ + at % inner_);
  }

 private:
  int64_t axis_size_ = 0, inner_ = 1, block_ = 1, groups_ = 1;
  bool blocked_ = false;
};

/// Zero points, zeros when absent.
std::vector<int64_t> zero_points(const Call& call) {
  std::vector<int64_t> points(static_cast<size_t>(call.tensor(1).count()), 0);
  if (!call.has(2)) return points;
  const std::vector<int64_t> given = call.ints(2);
  if (given.size() != points.size())
    fail("{} zero points are given for {} scales", given.size(), points.size());
  return given;
}

struct Limits {
  double low, high;
};

Limits limits_of(ir::DataType type) {
  switch (type) {
    case ir::DataType::Int8:
      return {-128, 127};
    case ir::DataType::UInt8:
      return {0, 255};
    case ir::DataType::Int32:
      return {-2147483648.0, 2147483647.0};
    default:
      fail("a value is quantized to {}; i8 and u8 are supported", text(type));
  }
}

}  // namespace

Tensors quantize(const Call& call) {
  const std::vector<float> x = call.reals(0);
  const std::vector<float> scales = call.reals(1);
  const std::vector<int64_t> zeros = zero_points(call);
  const ScaleIndex index(call);
  const ir::DataType type = call.get<ir::QuantizeAttributes>().to;
  const Limits limits = limits_of(type);
  std::vector<int64_t> result(x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    const size_t at = index(i);
    const double steps = std::nearbyint(x[i] / scales[at]) + static_cast<double>(zeros[at]);
    result[i] =
        std::isnan(steps) ? 0 : static_cast<int64_t>(std::clamp(steps, limits.low, limits.high));
  }
  return {Tensor::of(call.dims(0), result).converted(type)};
}

Tensors dequantize(const Call& call) {
  const std::vector<int64_t> x = call.ints(0);
  const std::vector<float> scales = call.reals(1);
  const std::vector<int64_t> zeros = zero_points(call);
  const ScaleIndex index(call);
  std::vector<float> result(x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    const size_t at = index(i);
    result[i] = static_cast<float>(static_cast<double>(x[i] - zeros[at]) * scales[at]);
  }
  return {call.from_reals(call.dims(0), result)};
}

Tensors cast(const Call& call) {
  if (call.is_integer(0)) return {call.from_ints(call.dims(0), call.ints(0))};
  return {call.from_reals(call.dims(0), call.reals(0))};
}

Tensors identity(const Call& call) { return {call.movable(0)}; }

Tensors shape(const Call& call) {
  if (call.node().op == ir::Op::Size) return {call.from_ints({}, {call.tensor(0).count()})};
  const auto& attributes = call.get<ir::ShapeAttributes>();
  const int64_t rank = call.rank(0);
  const auto clamp = [&](int64_t at) {
    return std::clamp<int64_t>(at < 0 ? at + rank : at, 0, rank);
  };
  const int64_t start = clamp(attributes.start);
  const int64_t end = std::max(start, clamp(attributes.end));
  const Dims& dims = call.dims(0);
  return {call.from_ints({end - start}, {dims.begin() + start, dims.begin() + end})};
}

Tensors constant_of_shape(const Call& call) {
  const std::vector<int64_t> wanted = call.ints(0);
  for (const int64_t dim : wanted)
    if (dim < 0) fail("a dimension of the shape is {}", dim);
  const auto& attributes = call.get<ir::ConstantOfShapeAttributes>();
  const Dims dims(wanted.begin(), wanted.end());
  const size_t count = room_for(dims);
  if (ir::is_float(attributes.type))
    return {call.from_reals(dims, std::vector<float>(count, static_cast<float>(attributes.value)))};
  return {
      call.from_ints(dims, std::vector<int64_t>(count, static_cast<int64_t>(attributes.value)))};
}

namespace {

/// The elements of a range as long as @p span steps.
size_t steps_in(double span) {
  if (!(span < 9e18)) fail("the range has no end");
  return room_for({static_cast<int64_t>(std::max(0.0, std::ceil(span)))});
}

}  // namespace

Tensors range(const Call& call) {
  const auto one = [&](size_t input) {
    if (call.tensor(input).count() != 1)
      fail("start, limit and step are one number each; input {} has {}", input,
           call.tensor(input).count());
  };
  for (size_t i = 0; i < 3; ++i) one(i);
  if (call.is_integer(0)) {
    const int64_t start = call.ints(0)[0];
    const int64_t step = call.ints(2)[0];
    if (step == 0) fail("the step is 0");
    const double span = (static_cast<double>(call.ints(1)[0]) - static_cast<double>(start)) /
                        static_cast<double>(step);
    std::vector<int64_t> result(steps_in(span));
    for (size_t i = 0; i < result.size(); ++i)  // unsigned: i * step may pass what i64 holds
      result[i] = static_cast<int64_t>(static_cast<uint64_t>(start) +
                                       static_cast<uint64_t>(i) * static_cast<uint64_t>(step));
    return {call.from_ints({static_cast<int64_t>(result.size())}, result)};
  }
  const double start = call.reals(0)[0];
  const double step = call.reals(2)[0];
  const double span = (call.reals(1)[0] - start) / step;
  std::vector<float> result(steps_in(span));
  for (size_t i = 0; i < result.size(); ++i)
    result[i] = static_cast<float>(start + static_cast<double>(i) * step);
  return {call.from_reals({static_cast<int64_t>(result.size())}, result)};
}

}  // namespace dlaexec::ref
