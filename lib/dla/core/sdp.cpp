#include "dla/core/sdp.h"

#include "dla/core/rows.h"
#include "dla/core/units.h"

namespace dlaexec::dla::core {
namespace {

/// The element of @p view that an operand repeats to @p at.
Position broadcast(const Nchw& dims, const Position& at) {
  return {dims.n == 1 ? 0 : at.n, dims.c == 1 ? 0 : at.c, dims.h == 1 ? 0 : at.h,
          dims.w == 1 ? 0 : at.w};
}

}  // namespace

float read_float(const CubeView& view, const Position& at, const Converter& converter) {
  return view.is_int8() ? real_of(view.load<int8_t>(at), converter)
                        : real_of(view.load<Half>(at), converter);
}

void write_float(const CubeView& view, const Position& at, float value,
                 const Converter& converter) {
  if (!view.is_int8()) return view.store(at, to_half(value));
  view.store(at, to_int8(value, converter));
}

Sdp::Sdp(const Memory& memory, const Operation& operation, const SdpParameters& parameters)
    : memory_(memory), parameters_(parameters), output_(memory.view(operation.output)) {}

int64_t Sdp::constant_index(const SdpOperand& operand, const Position& at) const {
  const Nchw& dims = output_.dims();
  switch (operand.extent) {
    case OperandExtent::PerLayer:
      return 0;
    case OperandExtent::PerChannel:
      return at.c;
    case OperandExtent::PerElement:
      return (at.c * dims.h + at.h) * dims.w + at.w;
  }
  __builtin_unreachable();
}

int64_t Sdp::integer_operand(const SdpOperand& operand, const Position& at) const {
  if (operand.cube == kNoCube)
    return core::integer_operand(
        operand, memory_.constants<int16_t>(operand.constants)[constant_index(operand, at)]);
  const CubeView view = memory_.view(operand.cube);
  return core::integer_operand(operand, view.load<int8_t>(broadcast(view.dims(), at)));
}

float Sdp::float_operand(const SdpOperand& operand, const Position& at) const {
  if (operand.cube == kNoCube)
    return memory_.constants<float>(operand.constants)[constant_index(operand, at)];
  const CubeView view = memory_.view(operand.cube);
  return read_float(view, broadcast(view.dims(), at), operand.converter);
}

void Sdp::deliver(const Position& at, int64_t value) const {
  const auto operand = [&](const SdpOperand& asked) { return integer_operand(asked, at); };
  output_.store(at, integer_result(parameters_, value, operand));
}

void Sdp::deliver(const Position& at, float value) const {
  const auto operand = [&](const SdpOperand& asked) { return float_operand(asked, at); };
  write_float(output_, at, float_result(parameters_, memory_, value, operand), parameters_.output);
}

void run_sdp(const Memory& memory, const Operation& operation, ThreadPool& threads) {
  const auto& parameters = std::get<SdpParameters>(operation.parameters);
  const CubeView input = memory.view(operation.input);
  const Sdp sdp(memory, operation, parameters);
  for_each_row(input.dims(), threads, [&](int64_t n, int64_t c, int64_t h) {
    for (int64_t w = 0; w < input.dims().w; ++w) {
      const Position at{n, c, h, w};
      if (operation.precision == ir::DataType::Int8)
        sdp.deliver(at, int64_t{input.load<int8_t>(at)});
      else
        sdp.deliver(at, read_float(input, at, parameters.input));
    }
  });
}

}  // namespace dlaexec::dla::core
