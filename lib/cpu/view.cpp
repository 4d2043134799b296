// Nodes that change how elements are seen or typed, not where they lie: views, copies, concat.
#include <algorithm>
#include <cstring>
#include <memory>

#include "cpu/catalog.h"
#include "cpu/numbers.h"

namespace dlaexec::cpu {
std::optional<Kernel> make_view(const Request& request) {
  if (!same_numbers(request.input(0), request.output())) return std::nullopt;
  Layout layout = moving_layout(request.input(0));
  const bool same_dims = request.input_dims(0) == request.output_dims();
  if (layout == kLinear && same_dims && request.exists_as(0, kBlocked)) layout = kBlocked;
  Kernel kernel;
  kernel.name = "view";
  kernel.inputs.assign(request.node.inputs.size(), std::nullopt);
  kernel.inputs[0] = layout;
  kernel.outputs = {layout};
  kernel.view_offsets = {0};
  return kernel;
}

std::optional<Kernel> make_reformat(const Request& request) {
  if (!holds_reals(request.input(0)) || !holds_reals(request.output())) return std::nullopt;
  const Layout layout = request.exists_as(0, kBlocked) ? kBlocked : kLinear;
  Kernel kernel;
  kernel.inputs = {layout};
  kernel.outputs = {layout};
  // Float memory holds the same real numbers already, unless the new type has fewer.
  const bool narrows = request.output().type != ir::DataType::Float32 &&
                       !same_numbers(request.input(0), request.output());
  if (!narrows) {
    kernel.name = "view";
    kernel.view_offsets = {0};
    return kernel;
  }
  kernel.name = "round";
  kernel.may_overwrite = {0};
  const int64_t bytes = size_bytes(request.output_dims(), layout);
  kernel.run = [bytes](const Call& call) {
    if (call.output() != call.input(0))
      std::memcpy(call.output(), call.input(0), static_cast<size_t>(bytes));
  };
  return kernel;
}

std::optional<Kernel> make_concat(const Request& request) {
  const size_t axis = static_cast<size_t>(request.node.get<ir::AxisAttributes>().axis);
  const ir::Dims output = request.output_dims();
  const size_t count = request.node.inputs.size();
  bool blocked = can_block(output) && axis == 1 && holds_reals(request.output());
  bool any_blocked = false, same = true;
  for (size_t i = 0; i < count; ++i) {
    const bool is_last = i + 1 == count;
    if (!is_last && request.input_dims(i)[axis] % kBlock != 0) blocked = false;
    any_blocked |= request.exists_as(i, kBlocked);
    same &= same_numbers(request.input(i), request.output());
    if (holds_reals(request.input(i)) != holds_reals(request.output())) return std::nullopt;
  }
  if (!same && !holds_reals(request.output())) return std::nullopt;
  const Layout layout = blocked && any_blocked ? kBlocked : moving_layout(request.output());

  Kernel kernel;
  kernel.name = "concat";
  kernel.inputs.assign(count, layout);
  kernel.outputs = {layout};
  kernel.rounds = same ? Rounds::Itself : Rounds::Never;
  int64_t outer = 1;
  for (size_t i = 0; i < axis; ++i) outer *= output[i];
  kernel.joins_inputs = outer == 1 && same;
  std::vector<size_t> runs;  // bytes of each input for one index of the outer dimensions
  size_t whole = 0;
  for (size_t i = 0; i < count; ++i) {
    const int64_t bytes = size_bytes(request.input_dims(i), layout);
    runs.push_back(outer == 0 ? 0 : static_cast<size_t>(bytes / outer));
    whole += runs.back();
  }
  kernel.run = [runs, whole, outer](const Call& call) {
    const int64_t inputs = static_cast<int64_t>(runs.size());
    std::vector<size_t> at(runs.size(), 0);
    for (size_t i = 1; i < runs.size(); ++i) at[i] = at[i - 1] + runs[i - 1];
    call.pool.parallel_for(outer * inputs, [&](int64_t part) {
      const size_t i = static_cast<size_t>(part % inputs);
      const size_t n = static_cast<size_t>(part / inputs);
      if (runs[i] != 0)
        std::memcpy(call.outputs[0].data + n * whole + at[i], call.inputs[i].data + n * runs[i],
                    runs[i]);
    });
  };
  return kernel;
}

}  // namespace dlaexec::cpu
