#include "cpu/operands.h"

#include "cpu/numbers.h"

namespace dlaexec::cpu {

std::optional<std::vector<float>> known_bias(const Request& request, size_t input, int64_t outputs,
                                             float scale) {
  if (!request.has_input(input)) return std::vector<float>(static_cast<size_t>(outputs), 0.0f);
  if (request.constant(input) == nullptr) return std::nullopt;
  const ir::Dims dims = request.input_dims(input);
  std::vector<float> numbers = real_numbers(request.input(input));
  if (numbers.size() == 1) numbers.assign(static_cast<size_t>(outputs), numbers[0]);
  const bool is_row =
      dims.empty() || dims.back() == static_cast<int64_t>(numbers.size()) || ir::volume(dims) == 1;
  if (!is_row || static_cast<int64_t>(numbers.size()) != outputs) return std::nullopt;
  for (float& number : numbers) number *= scale;
  return numbers;
}

bool is_like_output(const Request& request, int input) {
  return input < 0 || request.input_dims(static_cast<size_t>(input)) == request.output_dims();
}

std::vector<int64_t> batch_steps(const ir::Dims& operand, const ir::Dims& output) {
  const size_t missing = output.size() - operand.size();
  std::vector<int64_t> steps(output.size() - 2, 0);
  int64_t step = operand[operand.size() - 1] * operand[operand.size() - 2];
  for (size_t i = output.size() - 2; i-- > missing;) {
    const int64_t dim = operand[i - missing];
    if (dim != 1) steps[i] = step;
    step *= dim;
  }
  return steps;
}

int64_t batch_offset(int64_t index, const ir::Dims& output, const std::vector<int64_t>& steps) {
  int64_t offset = 0;
  for (size_t i = steps.size(); i-- > 0;) {
    offset += index % output[i] * steps[i];
    index /= output[i];
  }
  return offset;
}

}  // namespace dlaexec::cpu
