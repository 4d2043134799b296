#include "cpu/epilogue.h"

#include "cpu/reorder.h"

namespace dlaexec::cpu {

void Epilogue::finish(float* numbers, int64_t count) const {
  if (activation.kind != ir::ActivationKind::None)
    pointwise_kernels(isa).activate(activation, numbers, numbers, count);
  round_numbers(isa, rounding, numbers, count);
}

Epilogue make_epilogue(Activation activation, const ir::Value& output, Isa isa) {
  Epilogue epilogue{activation, rounding_of(output), isa};
  if (activation.kind == ir::ActivationKind::Relu) {
    epilogue.low = 0;
    epilogue.activation.kind = ir::ActivationKind::None;
  } else if (activation.kind == ir::ActivationKind::Clip) {
    epilogue.low = activation.alpha;
    epilogue.high = activation.beta;
    epilogue.activation.kind = ir::ActivationKind::None;
  }
  return epilogue;
}

}  // namespace dlaexec::cpu
