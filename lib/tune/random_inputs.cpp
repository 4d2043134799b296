#include "tune/random_inputs.h"

#include <cstring>
#include <random>

#include "base/half.h"

namespace dlaexec::tune {
namespace {

using ir::DataType;

template <class Element, class Draw>
std::vector<std::byte> drawn(Draw&& draw) {
  constexpr size_t kBytes = 1 << 16;  // repeated: time depends on no more than the values' spread
  std::vector<std::byte> bytes(kBytes);
  for (size_t at = 0; at < kBytes; at += sizeof(Element)) {
    const Element element(draw());
    std::memcpy(bytes.data() + at, &element, sizeof element);
  }
  return bytes;
}

std::vector<std::byte> pattern_of(DataType type) {
  std::mt19937 random(7);
  const auto real = [&] { return static_cast<float>(random() % 2001) / 1000.f - 1.f; };
  switch (type) {
    case DataType::Float32:
      return drawn<float>(real);
    case DataType::Float16:
      return drawn<Half>(real);
    case DataType::Int8:
    case DataType::UInt8:
      return drawn<uint8_t>([&] { return static_cast<uint8_t>(random()); });
    default:
      return std::vector<std::byte>(16);
  }
}

}  // namespace

void fill_inputs(gpu::Execution& execution, const gpu::Lowered& lowered) {
  for (size_t i = 0; i < lowered.inputs.size(); ++i) {
    execution.fill(i, pattern_of(lowered.inputs[i].type));
    execution.stream().synchronize();  // the pattern goes with this turn of the loop
  }
}

}  // namespace dlaexec::tune
