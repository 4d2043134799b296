// com.microsoft.MatMulNBits: a product by weights of 2, 4 or 8 bits with a scale for each block.
#include "onnx/operators.h"

namespace dlaexec::onnx {
namespace {

/// How the weights lie: for each of N columns, its K elements in blocks, several in a byte, the
/// first in the lowest bits.
struct Packing {
  int64_t columns, depth, bits, block;
  int64_t blocks() const { return (depth + block - 1) / block; }
  int64_t bytes_of_block() const { return block * bits / 8; }
  int64_t bytes_of_points() const { return (blocks() * bits + 7) / 8; }
};

Packing packing_of(Node& node) {
  constexpr int64_t kMostElements = int64_t{1} << 29;
  const Packing packing = {node.required_integer("N"), node.required_integer("K"),
                           node.integer("bits", 4), node.required_integer("block_size")};
  const auto [columns, depth, bits, block] = packing;
  if (bits != 2 && bits != 4 && bits != 8) fail("bits is {}; 2, 4 and 8 are supported", bits);
  if (block < 8 || block > kMostElements || block % 8 != 0)
    fail("block_size is {}; it must be a multiple of 8", block);
  if (columns < 1 || depth < 1 || columns > kMostElements / depth)
    fail("K is {} and N is {}; 1 or more, and at most {} weights, are needed", depth, columns,
         kMostElements);
  node.ignore("accuracy_level");
  return packing;
}

/// A constant operand of at least @p count elements.
const ir::Tensor& table(Node& node, size_t input, std::string_view what, int64_t count) {
  const ir::Tensor* tensor = node.constant(node.in(input));
  if (!tensor) fail("{} depend on data; they must be constant", what);
  if (tensor->count() != count)
    fail("there are {} {}; {} are needed", tensor->count(), what, count);
  return *tensor;
}

/// Element @p i of numbers of @p bits.
int64_t unpacked(const std::byte* from, int64_t i, int64_t bits) {
  const int64_t each = 8 / bits;
  return (std::to_integer<int64_t>(from[i / each]) >> (i % each * bits)) & ((1 << bits) - 1);
}

/// What is taken from each weight, for each column and block.
std::vector<float> zero_points(Node& node, const Packing& packing) {
  const int64_t blocks = packing.blocks(), count = packing.columns * blocks;
  std::vector<float> points(static_cast<size_t>(count),
                            static_cast<float>(1 << (packing.bits - 1)));
  if (!node.has(3)) return points;
  if (ir::is_float(node.type_of(node.in(3))))
    return table(node, 3, "zero points", count).to_floats();
  const ir::Tensor& packed =
      table(node, 3, "bytes of zero points", packing.columns * packing.bytes_of_points());
  for (int64_t i = 0; i < count; ++i)
    points[static_cast<size_t>(i)] = static_cast<float>(unpacked(
        packed.bytes().data() + i / blocks * packing.bytes_of_points(), i % blocks, packing.bits));
  return points;
}

/// The weights as reals, [depth, columns].
ir::Tensor unpacked_weights(Node& node, const Packing& packing) {
  const int64_t blocks = packing.blocks();
  const ir::Tensor& packed =
      table(node, 1, "bytes of weights", packing.columns * blocks * packing.bytes_of_block());
  const std::vector<float> scales = table(node, 2, "scales", packing.columns * blocks).to_floats();
  const std::vector<float> points = zero_points(node, packing);
  std::vector<float> weights(static_cast<size_t>(packing.depth * packing.columns));
  for (int64_t column = 0; column < packing.columns; ++column)
    for (int64_t k = 0; k < packing.depth; ++k) {
      const int64_t block = column * blocks + k / packing.block;
      const std::byte* from = packed.bytes().data() + block * packing.bytes_of_block();
      const auto at = static_cast<size_t>(block);
      const auto whole = static_cast<float>(unpacked(from, k % packing.block, packing.bits));
      weights[static_cast<size_t>(k * packing.columns + column)] =
          (whole - points[at]) * scales[at];
    }
  return ir::Tensor::of({packing.depth, packing.columns}, weights);
}

}  // namespace

ValueIds matmul_bits(Node& node) {
  if (node.has(4)) fail("an order of the weights (input 4) is not supported");
  const ValueId x = node.in(0);
  const ir::Tensor weights = unpacked_weights(node, packing_of(node));
  const ValueId y = node.add(Op::MatMul, {x, node.constant(weights.converted(node.type_of(x)))});
  return {node.has(5) ? node.binary(ElementwiseKind::Sum, y, node.in(5)) : y};
}

}  // namespace dlaexec::onnx
