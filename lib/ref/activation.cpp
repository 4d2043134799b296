#include "ref/activation.h"

#include <algorithm>
#include <cmath>

#include "ref/call.h"

namespace dlaexec::ref {
namespace {

double softplus(double x) { return x > 30 ? x : std::log1p(std::exp(x)); }

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

double gelu_tanh(double x) {
  constexpr double kRootTwoOverPi = 0.79788456080286535588;
  return 0.5 * x * (1 + std::tanh(kRootTwoOverPi * (x + 0.044715 * x * x * x)));
}

}  // namespace

double activate(ir::ActivationKind kind, double alpha, double beta, double x) {
  using Kind = ir::ActivationKind;
  switch (kind) {
    case Kind::None:
      return x;
    case Kind::Relu:
      return x < 0 ? 0 : x;  // NaN stays NaN
    case Kind::Clip:
      return std::isnan(x) ? x : std::min(std::max(x, alpha), beta);
    case Kind::LeakyRelu:
      return x < 0 ? alpha * x : x;
    case Kind::Sigmoid:
      return sigmoid(x);
    case Kind::Tanh:
      return std::tanh(x);
    case Kind::Elu:
      return x < 0 ? alpha * std::expm1(x) : x;
    case Kind::Selu:
      return beta * (x < 0 ? alpha * std::expm1(x) : x);
    case Kind::Celu:
      return std::max(0.0, x) + std::min(0.0, alpha * std::expm1(x / alpha));
    case Kind::Softplus:
      return softplus(x);
    case Kind::Softsign:
      return x / (1 + std::abs(x));
    case Kind::HardSigmoid:
      return std::max(0.0, std::min(1.0, alpha * x + beta));
    case Kind::HardSwish:
      return x * std::max(0.0, std::min(1.0, x / 6 + 0.5));
    case Kind::GeluErf:
      return 0.5 * x * (1 + std::erf(x * 0.70710678118654752440));
    case Kind::GeluTanh:
      return gelu_tanh(x);
    case Kind::Mish:
      return x * std::tanh(softplus(x));
    case Kind::Silu:
      return x * sigmoid(alpha * x);
    case Kind::ThresholdedRelu:
      return x > alpha ? x : 0;
    case Kind::Shrink:
      return x < -alpha ? x + beta : x > alpha ? x - beta : 0;
  }
  return x;
}

Tensors activation(const Call& call) {
  const auto& attributes = call.get<ir::ActivationAttributes>();
  std::vector<float> reals = call.reals(0);
  for (float& x : reals)
    x = static_cast<float>(activate(attributes.kind, attributes.alpha, attributes.beta, x));
  return {call.from_reals(call.dims(0), reals)};
}

}  // namespace dlaexec::ref
