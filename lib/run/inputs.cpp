#include "run/inputs.h"

#include <algorithm>
#include <cstring>
#include <random>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "dla/format.h"
#include "ir/npy.h"

namespace dlaexec::run {
namespace {

/// The generator and the arithmetic on top of it that trtexec gets from GNU's C++ library, spelled
/// out so that every machine draws the same numbers.
class Draw {
 public:
  explicit Draw(uint32_t seed) : generator_(seed) {}

  /// Uniform in [-1, 1).
  float real() {
    const float unit = static_cast<float>(generator_() - generator_.min()) / 2147483648.0f;
    return std::min(unit, 0x1.fffffep-1f) * 2 - 1;
  }
  /// Uniform in [low, high].
  int32_t integer(int32_t low, int32_t high) {
    constexpr uint32_t kRange = std::minstd_rand0::max() - std::minstd_rand0::min();
    const auto count = static_cast<uint32_t>(high - low) + 1;
    const uint32_t width = kRange / count;
    uint32_t drawn = 0;
    do drawn = static_cast<uint32_t>(generator_() - generator_.min());
    while (drawn >= width * count);
    return low + static_cast<int32_t>(drawn / width);
  }

 private:
  std::minstd_rand0 generator_;
};

bool is_npy(const MappedFile& file) {
  constexpr std::string_view kMagic = "\x93NUMPY";
  return file.bytes().size() >= kMagic.size() &&
         std::memcmp(file.bytes().data(), kMagic.data(), kMagic.size()) == 0;
}

/// What NumPy wrote is linear and says what it holds; both must be what the binding wants.
ir::Tensor from_npy(const MappedFile& file, const std::string& path, const Binding& binding,
                    const ir::Dims& dims) {
  ir::Tensor tensor = ir::read_npy(file.bytes(), path);
  if (tensor.type() != binding.type || tensor.dims() != dims ||
      binding.format != ir::Format::Linear)
    fail("'{}' holds {} {} as NumPy writes it; input '{}' is {} {} {}", path,
         ir::to_text(tensor.dims()), ir::text(tensor.type()), binding.name, ir::to_text(dims),
         ir::text(binding.type), ir::text(binding.format));
  return tensor;
}

template <class T>
T draw(Draw& from) {
  if constexpr (std::is_same_v<T, bool>)
    return from.integer(0, 1) != 0;
  else if constexpr (std::is_same_v<T, uint8_t>)
    return static_cast<T>(from.integer(0, 255));
  else if constexpr (std::is_integral_v<T>)
    return static_cast<T>(from.integer(-128, 127));
  else
    return T(from.real());
}

}  // namespace

ir::Tensor random_input(ir::DataType type, const ir::Dims& dims, uint32_t seed) {
  ir::Tensor tensor(type, dims);
  Draw from(seed);
  ir::dispatch(type, [&]<class T>() {
    for (T& element : tensor.mutable_as<T>()) element = draw<T>(from);
  });
  return tensor;
}

namespace {

/// Layers whose result holds the elements of their first input, in some order.
bool hands_on(const ir::Node& node) {
  switch (node.op) {
    case ir::Op::Cast:
    case ir::Op::Identity:
    case ir::Op::Reshape:
    case ir::Op::Flatten:
    case ir::Op::Squeeze:
    case ir::Op::Unsqueeze:
    case ir::Op::Transpose:
    case ir::Op::Expand:
    case ir::Op::Reformat:
      return true;
    default:
      return false;
  }
}

/// Layers that ask for no element of theirs.
bool asks_size_alone(const ir::Node& node) {
  return node.op == ir::Op::Shape || node.op == ir::Op::Size;
}

}  // namespace

std::optional<int64_t> table_rows(const ir::Graph& graph, ir::ValueId id) {
  const ir::DataType type = graph.value(id).type;
  if (type != ir::DataType::Int32 && type != ir::DataType::Int64) return std::nullopt;
  std::optional<int64_t> fewest;
  std::vector<char> same(graph.values.size(), 0);  // values that hold the input's elements
  same[static_cast<size_t>(id)] = 1;
  for (const ir::Node& node : graph.nodes) {
    const bool has_body =
        node.op == ir::Op::If || node.op == ir::Op::Loop || node.op == ir::Op::Scan;
    if (has_body) return std::nullopt;  // which may use it by name
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i] == ir::kNoValue || !same[static_cast<size_t>(node.inputs[i])]) continue;
      if (asks_size_alone(node)) continue;
      if (i == 0 && hands_on(node)) {
        same[static_cast<size_t>(node.outputs[0])] = 1;
        continue;
      }
      if (node.op != ir::Op::Gather || i != 1) return std::nullopt;
      const ir::Shape& table = graph.value(node.inputs[0]).shape;
      const auto axis = static_cast<size_t>(node.get<ir::AxisAttributes>().axis);
      if (axis >= table.size() || !table[axis].is_known() || table[axis].value < 1)
        return std::nullopt;
      fewest = std::min(fewest.value_or(INT64_MAX), table[axis].value);
    }
  }
  return fewest;
}

ir::Tensor random_input_for(const ir::Graph& graph, ir::ValueId id, const ir::Dims& dims,
                            uint32_t seed) {
  const ir::DataType type = graph.value(id).type;
  const std::optional<int64_t> rows = table_rows(graph, id);
  return rows ? random_rows(type, dims, *rows, seed) : random_input(type, dims, seed);
}

ir::Tensor random_rows(ir::DataType type, const ir::Dims& dims, int64_t rows, uint32_t seed) {
  ir::Tensor tensor(type, dims);
  Draw from(seed);
  const auto last = static_cast<int32_t>(std::min<int64_t>(rows, 1 << 24) - 1);
  ir::dispatch(type, [&]<class T>() {
    for (T& element : tensor.mutable_as<T>()) element = static_cast<T>(from.integer(0, last));
  });
  return tensor;
}

ir::Tensor load_input(const std::string& path, const Binding& binding, const ir::Dims& dims,
                      dla::Generation generation) {
  const MappedFile file(path);
  if (is_npy(file)) return from_npy(file, path, binding, dims);
  const auto require = [&](size_t needed) {
    const size_t size = file.bytes().size();
    const auto facts = [&] {
      return format("'{}' has {} bytes; input '{}' of {} {} {} needs {}", path, size, binding.name,
                    ir::to_text(dims), ir::text(binding.type), ir::text(binding.format), needed);
    };
    if (size < needed) fail("{}", facts());
    if (size > needed) log::warning("{}; the rest is ignored", facts());
  };
  if (binding.format == ir::Format::Linear) {
    ir::Tensor tensor(binding.type, dims);
    require(tensor.size_bytes());
    std::memcpy(tensor.mutable_bytes().data(), file.bytes().data(), tensor.size_bytes());
    return tensor;
  }
  const dla::Nchw nchw = dla::nchw_of(dims);
  const dla::Layout layout = dla::layout_of(binding.format, binding.type, nchw, generation);
  require(static_cast<size_t>(dla::size_bytes(layout, nchw)));
  return dla::unpack(file.bytes(), layout, binding.type, dims);
}

}  // namespace dlaexec::run
