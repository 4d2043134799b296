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

Kernel kernel_with_epilogue(const Request& request, std::string name, Layout layout, int residual) {
  Kernel kernel;
  kernel.name = std::move(name);
  kernel.inputs.assign(request.node.inputs.size(), std::nullopt);
  kernel.inputs[0] = layout;
  if (residual >= 0) {
    kernel.inputs[static_cast<size_t>(residual)] = layout;
    kernel.may_overwrite = {residual};
  }
  kernel.outputs = {layout};
  kernel.rounds = Rounds::Itself;
  return kernel;
}

}  // namespace dlaexec::cpu
