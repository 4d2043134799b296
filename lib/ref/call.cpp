#include "ref/call.h"

#include <algorithm>
#include <cmath>

namespace dlaexec::ref {
namespace {

bool is_scaled(ir::DataType type, const ir::Quantization& quantization) {
  return type == ir::DataType::Int8 && quantization.is_known();
}

/// Which scale belongs to each element: index / inner % count.
struct ScaleWalk {
  int64_t inner = 1;
  int64_t count = 1;
};

ScaleWalk scale_walk(const Dims& dims, const ir::Quantization& quantization) {
  if (quantization.scales.size() == 1) return {};
  const auto axis = static_cast<size_t>(quantization.axis);
  DLAEXEC_CHECK(axis < dims.size() &&
                dims[axis] == static_cast<int64_t>(quantization.scales.size()));
  return {ir::volume(Dims(dims.begin() + static_cast<long>(axis) + 1, dims.end())), dims[axis]};
}

int8_t round_to_int8(float real, float scale) {
  const float steps = std::nearbyint(real / scale);  // half to even, the default rounding mode
  if (std::isnan(steps)) return 0;
  return static_cast<int8_t>(std::clamp(steps, -128.0f, 127.0f));
}

}  // namespace

Tensor round_to(ir::DataType type, const ir::Quantization& quantization, Dims dims,
                const std::vector<float>& reals) {
  if (!is_scaled(type, quantization)) return Tensor::of(std::move(dims), reals).converted(type);
  const ScaleWalk walk = scale_walk(dims, quantization);
  Tensor result(type, std::move(dims));
  const auto out = result.mutable_as<int8_t>();
  for (size_t i = 0; i < out.size(); ++i) {
    const int64_t at = static_cast<int64_t>(i) / walk.inner % walk.count;
    out[i] = round_to_int8(reals[i], quantization.scales[static_cast<size_t>(at)]);
  }
  return result;
}

std::vector<float> reals_of(const Tensor& tensor, const ir::Quantization& quantization) {
  std::vector<float> reals = tensor.to_floats();
  if (!is_scaled(tensor.type(), quantization)) return reals;
  const ScaleWalk walk = scale_walk(tensor.dims(), quantization);
  for (size_t i = 0; i < reals.size(); ++i) {
    const int64_t at = static_cast<int64_t>(i) / walk.inner % walk.count;
    reals[i] *= quantization.scales[static_cast<size_t>(at)];
  }
  return reals;
}

size_t room_for(const Dims& dims) {
  constexpr int64_t kMost = int64_t{1} << 29;
  const int64_t count = ir::volume(dims);
  if (count > kMost)
    fail("a result of {} has {} elements; at most {} are made", ir::to_text(dims), count, kMost);
  return static_cast<size_t>(count);
}

Dims broadcast(const Dims& a, const Dims& b) {
  const size_t rank = std::max(a.size(), b.size());
  Dims result(rank);
  for (size_t i = 0; i < rank; ++i) {
    const int64_t left = i + a.size() < rank ? 1 : a[i + a.size() - rank];
    const int64_t right = i + b.size() < rank ? 1 : b[i + b.size() - rank];
    if (left != right && left != 1 && right != 1)
      fail("shapes {} and {} do not broadcast", ir::to_text(a), ir::to_text(b));
    result[i] = left == 1 ? right : left;
  }
  return result;
}

const Tensor& Call::tensor(size_t input) const {
  if (!has(input)) fail("input {} is absent; it is required", input);
  return inputs_[input];
}

const ir::Quantization& Call::quantization(size_t input) const {
  return graph_.value(node_.inputs[input]).quantization;
}

std::vector<float> Call::reals(size_t input) const {
  return reals_of(tensor(input), quantization(input));
}

bool Call::is_integer(size_t input) const {
  const ir::DataType type = tensor(input).type();
  return !ir::is_float(type) && !is_scaled(type, quantization(input));
}

double Call::scale(size_t input, size_t index) const {
  const ir::Quantization& known = quantization(input);
  if (!is_scaled(tensor(input).type(), known)) return 1;
  return known.scales.size() == 1 ? known.scales[0] : known.scales[index];
}

Tensor Call::from_reals(Dims dims, const std::vector<float>& reals, size_t output) const {
  return round_to(result(output).type, result(output).quantization, std::move(dims), reals);
}

Tensor Call::from_ints(Dims dims, const std::vector<int64_t>& ints, size_t output) const {
  const ir::Value& value = result(output);
  if (is_scaled(value.type, value.quantization))
    return from_reals(std::move(dims), std::vector<float>(ints.begin(), ints.end()), output);
  return Tensor::of(std::move(dims), ints).converted(value.type);
}

Tensor Call::movable(size_t input, size_t output) const {
  const Tensor& from = tensor(input);
  const ir::Value& to = result(output);
  const bool to_scaled = is_scaled(to.type, to.quantization);
  const bool same = from.type() == to.type && (is_integer(input) || ir::is_float(from.type())
                                                   ? !to_scaled
                                                   : quantization(input) == to.quantization);
  if (same) return from;
  if (is_integer(input) && !to_scaled) return from.converted(to.type);
  return from_reals(from.dims(), reals(input), output);
}

size_t Call::axis_in(int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank) fail("axis {} is outside {} dimensions", axis, rank);
  return static_cast<size_t>(axis < 0 ? axis + rank : axis);
}

}  // namespace dlaexec::ref
