// What follows the sums of convolutions and matrix products: bias, residual, activation.
#pragma once

#include <vector>

#include "ref/activation.h"
#include "ref/call.h"

namespace dlaexec::ref {

class Epilogue {
 public:
  /// Reads the optional bias (input 2) and the residual (the last input, when the attributes say
  /// so). @p attributes have the epilogue's fields.
  template <class Attributes>
  Epilogue(const Call& call, const Attributes& attributes)
      : kind_(attributes.activation), alpha_(attributes.alpha), beta_(attributes.beta) {
    const size_t last = call.input_count() - 1;
    if (attributes.residual) residual_ = call.reals(last);
    if (call.has(2) && !(attributes.residual && last == 2)) bias_ = call.reals(2);
  }

  const std::vector<float>& bias() const { return bias_; }

  /// The output element @p index of output channel @p channel.
  float operator()(double sum, size_t channel, size_t index) const {
    if (!bias_.empty()) sum += bias_[bias_.size() == 1 ? 0 : channel];
    return without_bias(sum, index);
  }
  float without_bias(double sum, size_t index) const {
    if (!residual_.empty()) sum += residual_[residual_.size() == 1 ? 0 : index];
    return static_cast<float>(activate(kind_, alpha_, beta_, sum));
  }

 private:
  std::vector<float> bias_, residual_;
  ir::ActivationKind kind_;
  double alpha_, beta_;
};

}  // namespace dlaexec::ref
