// batch_norm, instance_norm, group_norm, layer_norm, rms_norm, lp_norm, lrn, softmax.
#include <algorithm>
#include <cmath>

#include "ref/call.h"
#include "ref/stride.h"

namespace dlaexec::ref {
namespace {

/// Dimensions around an axis: [outer][axis][inner].
struct Split {
  int64_t outer, size, inner;
};

Split split_at(const Dims& dims, size_t axis) {
  return {ir::volume(Dims(dims.begin(), dims.begin() + static_cast<long>(axis))), dims[axis],
          ir::volume(Dims(dims.begin() + static_cast<long>(axis) + 1, dims.end()))};
}

struct Moments {
  double mean, variance;
};

Moments moments(const float* x, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += x[i];
  const double mean = sum / static_cast<double>(count);
  double squares = 0;
  for (int64_t i = 0; i < count; ++i) squares += (x[i] - mean) * (x[i] - mean);
  return {mean, squares / static_cast<double>(count)};
}

}  // namespace

Tensors batch_norm(const Call& call) {
  const Dims& dims = call.dims(0);
  const Split split = dims.size() > 1 ? split_at(dims, 1) : Split{ir::volume(dims), 1, 1};
  std::vector<float> x = call.reals(0);
  const auto scale_by = call.reals(1);
  const auto bias = call.reals(2);
  const auto mean = call.reals(3);
  const auto variance = call.reals(4);
  const double epsilon = call.get<ir::BatchNormAttributes>().epsilon;
  for (size_t i = 0; i < x.size(); ++i) {
    const size_t c = i / static_cast<size_t>(split.inner) % static_cast<size_t>(split.size);
    x[i] = static_cast<float>((x[i] - static_cast<double>(mean[c])) /
                                  std::sqrt(variance[c] + epsilon) * scale_by[c] +
                              bias[c]);
  }
  return {call.from_reals(dims, x)};
}

Tensors channel_norm(const Call& call) {
  const auto& attributes = call.get<ir::NormAttributes>();
  const Dims& dims = call.dims(0);
  const int64_t channels = dims[1];
  const int64_t groups = call.node().op == ir::Op::GroupNorm ? attributes.groups : channels;
  if (groups < 1 || channels % groups != 0)
    fail("{} channels do not divide into {} groups", channels, groups);
  std::vector<float> x = call.reals(0);
  const auto scale_by = call.reals(1);
  const auto bias = call.reals(2);
  const int64_t inner = split_at(dims, 1).inner;
  const int64_t run = channels / groups * inner;
  for (int64_t at = 0; at < static_cast<int64_t>(x.size()); at += run) {
    float* first = x.data() + at;
    const Moments m = moments(first, run);
    const double factor = 1 / std::sqrt(m.variance + attributes.epsilon);
    for (int64_t i = 0; i < run; ++i) {
      const auto c = static_cast<size_t>((at + i) / inner % channels);
      first[i] = static_cast<float>((first[i] - m.mean) * factor * scale_by[c] + bias[c]);
    }
  }
  return {call.from_reals(dims, x)};
}

namespace {

/// Normalizes runs of everything from the axis on; the scale and bias broadcast to the input.
void normalize_rows(const Call& call, size_t axis, std::vector<float>& x) {
  const auto& attributes = call.get<ir::NormAttributes>();
  const Dims& dims = call.dims(0);
  const int64_t run = ir::volume(Dims(dims.begin() + static_cast<long>(axis), dims.end()));
  const bool centred = call.node().op == ir::Op::LayerNorm;
  const auto parameter = [&](size_t input) {
    if (!call.has(input)) return std::vector<float>();
    const Tensor whole = Tensor::of(call.dims(input), call.reals(input));
    return gather_strided(whole, dims, 0, broadcast_strides(whole.dims(), dims)).to_floats();
  };
  const std::vector<float> scale_by = parameter(1);
  const std::vector<float> bias = parameter(2);
  for (int64_t at = 0; run > 0 && at < static_cast<int64_t>(x.size()); at += run) {
    float* first = x.data() + at;
    const Moments m = moments(first, run);
    const double mean = centred ? m.mean : 0;
    const double square = m.variance + (centred ? 0 : m.mean * m.mean);
    const double factor = 1 / std::sqrt(square + attributes.epsilon);
    for (int64_t i = 0; i < run; ++i) {
      double y = (first[i] - mean) * factor;
      if (!scale_by.empty()) y *= scale_by[static_cast<size_t>(at + i)];
      if (!bias.empty()) y += bias[static_cast<size_t>(at + i)];
      first[i] = static_cast<float>(y);
    }
  }
}

void divide_by_norm(const Split& split, int64_t p, std::vector<float>& x) {
  for (int64_t o = 0; o < split.outer; ++o)
    for (int64_t i = 0; i < split.inner; ++i) {
      float* first = x.data() + o * split.size * split.inner + i;
      double norm = 0;
      for (int64_t k = 0; k < split.size; ++k) {
        const double element = first[k * split.inner];
        norm += p == 1 ? std::abs(element) : element * element;
      }
      if (p != 1) norm = std::sqrt(norm);
      for (int64_t k = 0; k < split.size; ++k) {
        float& element = first[k * split.inner];
        element = norm == 0 ? 0.0f : static_cast<float>(element / norm);
      }
    }
}

}  // namespace

Tensors axis_norm(const Call& call) {
  const auto& attributes = call.get<ir::NormAttributes>();
  const size_t axis = Call::axis_in(attributes.axis, call.rank(0));
  std::vector<float> x = call.reals(0);
  if (call.node().op == ir::Op::LpNorm)
    divide_by_norm(split_at(call.dims(0), axis), attributes.p, x);
  else
    normalize_rows(call, axis, x);
  return {call.from_reals(call.dims(0), x)};
}

Tensors lrn(const Call& call) {
  const auto& attributes = call.get<ir::LrnAttributes>();
  const Split split = split_at(call.dims(0), 1);
  const std::vector<float> x = call.reals(0);
  std::vector<float> result(x.size());
  const int64_t before = (attributes.size - 1) / 2;
  const int64_t after = attributes.size - 1 - before;
  for (size_t i = 0; i < x.size(); ++i) {
    const int64_t c = static_cast<int64_t>(i) / split.inner % split.size;
    double squares = 0;
    for (int64_t k = std::max<int64_t>(0, c - before); k <= std::min(split.size - 1, c + after);
         ++k) {
      const double neighbour =
          x[static_cast<size_t>(static_cast<int64_t>(i) + (k - c) * split.inner)];
      squares += neighbour * neighbour;
    }
    const double base =
        attributes.bias + attributes.alpha / static_cast<double>(attributes.size) * squares;
    result[i] = static_cast<float>(x[i] / std::pow(base, attributes.beta));
  }
  return {call.from_reals(call.dims(0), result)};
}

namespace {

void softmax_run(ir::SoftmaxKind kind, float* first, int64_t size, int64_t inner) {
  double largest = first[0];
  int64_t at = 0;
  for (int64_t k = 1; k < size; ++k)
    if (first[k * inner] > largest) {
      largest = first[k * inner];
      at = k;
    }
  if (kind == ir::SoftmaxKind::Hardmax) {
    for (int64_t k = 0; k < size; ++k) first[k * inner] = k == at ? 1.0f : 0.0f;
    return;
  }
  double sum = 0;
  for (int64_t k = 0; k < size; ++k) sum += std::exp(first[k * inner] - largest);
  for (int64_t k = 0; k < size; ++k) {
    const double shifted = first[k * inner] - largest;
    first[k * inner] = static_cast<float>(
        kind == ir::SoftmaxKind::Softmax ? std::exp(shifted) / sum : shifted - std::log(sum));
  }
}

}  // namespace

Tensors softmax(const Call& call) {
  const auto& attributes = call.get<ir::SoftmaxAttributes>();
  const Dims& dims = call.dims(0);
  std::vector<float> x = call.reals(0);
  if (x.empty()) return {call.from_reals(dims, x)};
  if (dims.empty()) {
    softmax_run(attributes.kind, x.data(), 1, 1);
    return {call.from_reals(dims, x)};
  }
  Split split{1, 1, 1};
  if (attributes.flatten) {
    const auto axis = static_cast<long>(attributes.axis);
    split = {ir::volume(Dims(dims.begin(), dims.begin() + axis)),
             ir::volume(Dims(dims.begin() + axis, dims.end())), 1};
  } else {
    split = split_at(dims, Call::axis_in(attributes.axis, call.rank(0)));
  }
  for (int64_t o = 0; o < split.outer; ++o)
    for (int64_t i = 0; i < split.inner; ++i)
      softmax_run(attributes.kind, x.data() + o * split.size * split.inner + i, split.size,
                  split.inner);
  return {call.from_reals(dims, x)};
}

}  // namespace dlaexec::ref
