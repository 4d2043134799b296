// SDP operations whose result depends on few values, as tables: the scalar code fills them once,
// so that every element is looked up and has the same bits.
#include <algorithm>
#include <vector>

#include "dla/core/blocks.h"
#include "dla/core/prepared.h"
#include "dla/core/sdp_arithmetic.h"

namespace dlaexec::dla::core {
namespace {

constexpr int64_t kMostResults = 65536;

/// What decides the result of an element.
struct Cause {
  int64_t channel = 0;
  uint16_t value = 0, other = 0;  ///< stored bits
};

/// One result by the scalar arithmetic.
class Evaluator {
 public:
  Evaluator(const Loadable& loadable, const Operation& operation)
      : operation_(operation),
        sdp_(std::get<SdpParameters>(operation.parameters)),
        is_input_int8_(loadable.cube(operation.input).type == ir::DataType::Int8),
        is_output_int8_(loadable.cube(operation.output).type == ir::DataType::Int8) {
    memory_.loadable = &loadable;
  }

  /// The stored bits of the output.
  uint16_t operator()(const Cause& cause) const {
    if (operation_.precision == ir::DataType::Int8) return integer(cause);
    const float value = real(cause.value, sdp_.input);
    const float result =
        float_result(sdp_, memory_, value, [&](const SdpOperand& o) { return operand(o, cause); });
    if (!is_output_int8_) return to_half(result).bits;
    return static_cast<uint8_t>(to_int8(result, sdp_.output));
  }

 private:
  static int8_t int8_of(uint16_t bits) { return static_cast<int8_t>(bits); }

  float real(uint16_t bits, const Converter& converter) const {
    return is_input_int8_ ? real_of(int8_of(bits), converter)
                          : real_of(Half::from_bits(bits), converter);
  }
  uint16_t held(const SdpOperand& operand, const Cause& cause) const {
    return operand.cube == operation_.input ? cause.value : cause.other;
  }
  static size_t constant(const SdpOperand& operand, const Cause& cause) {
    return operand.extent == OperandExtent::PerChannel ? static_cast<size_t>(cause.channel) : 0;
  }

  uint16_t integer(const Cause& cause) const {
    const auto operand = [&](const SdpOperand& o) {
      const int64_t number = o.cube == kNoCube
                                 ? memory_.constants<int16_t>(o.constants)[constant(o, cause)]
                                 : int8_of(held(o, cause));
      return integer_operand(o, number);
    };
    return static_cast<uint8_t>(integer_result(sdp_, int8_of(cause.value), operand));
  }

  float operand(const SdpOperand& o, const Cause& cause) const {
    if (o.cube == kNoCube) return memory_.constants<float>(o.constants)[constant(o, cause)];
    return real(held(o, cause), o.converter);
  }

  const Operation& operation_;
  const SdpParameters& sdp_;
  const bool is_input_int8_, is_output_int8_;
  Memory memory_;  ///< for its constants
};

/// Every operand of the stages.
std::vector<const SdpOperand*> operands(const SdpParameters& sdp) {
  std::vector<const SdpOperand*> found;
  for (const SdpStage& stage : sdp.stages) {
    if (stage.alu != SdpAlu::None) found.push_back(&stage.alu_operand);
    if (stage.mul != SdpMul::None) found.push_back(&stage.mul_operand);
  }
  return found;
}

/// What an SDP operation makes of each value that its input can hold, by channel where constants
/// differ from channel to channel; or of each pair of Int8 values, where it takes a second tensor.
class SdpTable final : public Prepared {
 public:
  /// Null for an operation that no table of at most 65536 results stands for, or whose tensors are
  /// smaller than their table.
  static std::unique_ptr<SdpTable> make(const Loadable& loadable, const Operation& operation,
                                        ThreadPool& threads);

  void run(const Memory& memory, ThreadPool& threads) override;

 private:
  SdpTable(const Loadable& loadable, const Operation& operation) : operation_(operation) {
    is_input_int8_ = loadable.cube(operation.input).type == ir::DataType::Int8;
    is_output_int8_ = loadable.cube(operation.output).type == ir::DataType::Int8;
  }
  void fill(const Loadable& loadable, ThreadPool& threads);
  int64_t rows(const Loadable& loadable) const;
  int64_t values() const { return is_input_int8_ ? 256 : 65536; }
  template <class In, class Out>
  void run_as(const Memory& memory, ThreadPool& threads) const;

  const Operation& operation_;
  bool is_input_int8_ = false, is_output_int8_ = false;
  CubeId other_ = kNoCube;  ///< the second tensor
  bool by_channel_ = false;
  /// The stored bits of the output. Index: channel or first value, then the (second) value.
  std::vector<uint8_t> bytes_;
  std::vector<uint16_t> halves_;
};

std::unique_ptr<SdpTable> SdpTable::make(const Loadable& loadable, const Operation& operation,
                                         ThreadPool& threads) {
  const auto* sdp = std::get_if<SdpParameters>(&operation.parameters);
  if (sdp == nullptr) return nullptr;
  std::unique_ptr<SdpTable> table(new SdpTable(loadable, operation));
  const Cube& input = loadable.cube(operation.input);
  for (const SdpOperand* operand : operands(*sdp)) {
    if (operand->cube == operation.input) continue;
    if (operand->cube == kNoCube) {
      if (operand->extent == OperandExtent::PerElement) return nullptr;
      table->by_channel_ |= operand->extent == OperandExtent::PerChannel;
      continue;
    }
    const Cube& other = loadable.cube(operand->cube);
    if (table->other_ != kNoCube && table->other_ != operand->cube) return nullptr;
    if (other.type != input.type || !(other.dims == input.dims)) return nullptr;
    table->other_ = operand->cube;
  }
  if (table->other_ != kNoCube && table->by_channel_) return nullptr;
  const int64_t results = table->rows(loadable) * table->values();
  if (results > kMostResults || results > input.dims.count()) return nullptr;
  table->fill(loadable, threads);
  return table;
}

int64_t SdpTable::rows(const Loadable& loadable) const {
  if (other_ != kNoCube) return values();
  return by_channel_ ? loadable.cube(operation_.input).dims.c : 1;
}

void SdpTable::fill(const Loadable& loadable, ThreadPool& threads) {
  const auto count = static_cast<size_t>(rows(loadable) * values());
  is_output_int8_ ? bytes_.resize(count) : halves_.resize(count);
  const Evaluator evaluate(loadable, operation_);
  constexpr int64_t kGrain = 1024;
  threads.parallel_ranges(static_cast<int64_t>(count), kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const auto row = static_cast<uint16_t>(i / values());
      const auto column = static_cast<uint16_t>(i % values());
      const Cause cause = other_ != kNoCube ? Cause{0, row, column} : Cause{row, column, 0};
      const uint16_t result = evaluate(cause);
      const auto at = static_cast<size_t>(i);
      is_output_int8_ ? bytes_[at] = static_cast<uint8_t>(result) : halves_[at] = result;
    }
  });
}

template <class In, class Out>
void SdpTable::run_as(const Memory& memory, ThreadPool& threads) const {
  const CubeView input = memory.view(operation_.input), output = memory.view(operation_.output);
  const CubeView second = memory.view(other_ == kNoCube ? operation_.input : other_);
  const Out* const table = [&] {
    if constexpr (sizeof(Out) == 1) return bytes_.data();
    if constexpr (sizeof(Out) == 2) return halves_.data();
  }();
  const int64_t lanes = common_lanes(input.layout(), output.layout(), second.layout());
  const auto row = [&](int64_t n, int64_t c, int64_t channels, int64_t h) {
    for (int64_t w = 0; w < output.dims().w; ++w) {
      const Position at{n, c, h, w};
      const auto* const x = reinterpret_cast<const In*>(input.at(at));
      const auto* const y = reinterpret_cast<const In*>(second.at(at));
      auto* const z = reinterpret_cast<Out*>(output.at(at));
      if (other_ != kNoCube)
        for (int64_t i = 0; i < channels; ++i) z[i] = table[x[i] * 256 + y[i]];
      else if (by_channel_)
        for (int64_t i = 0; i < channels; ++i) z[i] = table[(c + i) * values() + x[i]];
      else
        for (int64_t i = 0; i < channels; ++i) z[i] = table[x[i]];
    }
  };
  for_each_block_row(output.dims(), lanes, threads, row);
}

void SdpTable::run(const Memory& memory, ThreadPool& threads) {
  if (is_input_int8_)
    return is_output_int8_ ? run_as<uint8_t, uint8_t>(memory, threads)
                           : run_as<uint8_t, uint16_t>(memory, threads);
  return is_output_int8_ ? run_as<uint16_t, uint8_t>(memory, threads)
                         : run_as<uint16_t, uint16_t>(memory, threads);
}

}  // namespace

std::unique_ptr<Prepared> prepare_sdp_table(const Loadable& loadable, const Operation& operation,
                                            ThreadPool& threads) {
  return SdpTable::make(loadable, operation, threads);
}

}  // namespace dlaexec::dla::core
