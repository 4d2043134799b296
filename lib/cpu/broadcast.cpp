#include "cpu/broadcast.h"

#include "base/error.h"

namespace dlaexec::cpu {
namespace {

std::vector<int64_t> steps_of(const ir::Dims& operand, const ir::Dims& output) {
  DLAEXEC_CHECK(operand.size() <= output.size());
  const std::vector<int64_t> dense = ir::dense_strides(operand);
  std::vector<int64_t> steps(output.size(), 0);
  const size_t missing = output.size() - operand.size();
  for (size_t i = 0; i < operand.size(); ++i)
    if (operand[i] != 1) steps[missing + i] = dense[i];
  return steps;
}

}  // namespace

int64_t Broadcast::runs() const {
  int64_t count = 1;
  for (size_t i = 0; i + 1 < dims.size(); ++i) count *= dims[i];
  return count;
}

int64_t Broadcast::offset(int operand, int64_t run) const {
  const std::vector<int64_t>& step = steps[static_cast<size_t>(operand)];
  int64_t offset = 0;
  for (size_t i = dims.size() - 1; i-- > 0;) {
    offset += run % dims[i] * step[i];
    run /= dims[i];
  }
  return offset;
}

Broadcast make_broadcast(const ir::Dims& left, const ir::Dims& right, const ir::Dims& output) {
  const std::vector<int64_t> a = steps_of(left, output), b = steps_of(right, output);
  Broadcast walk;
  for (size_t i = 0; i < output.size(); ++i) {
    if (output[i] == 1) continue;
    auto& [left_steps, right_steps] = walk.steps;
    const bool joins = !walk.dims.empty() && left_steps.back() == a[i] * output[i] &&
                       right_steps.back() == b[i] * output[i];
    if (joins) {
      walk.dims.back() *= output[i];
      left_steps.back() = a[i];
      right_steps.back() = b[i];
    } else {
      walk.dims.push_back(output[i]);
      left_steps.push_back(a[i]);
      right_steps.push_back(b[i]);
    }
  }
  if (walk.dims.empty()) walk = {{1}, {std::vector<int64_t>{0}, std::vector<int64_t>{0}}};
  return walk;
}

}  // namespace dlaexec::cpu
