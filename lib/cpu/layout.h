// How a value lies in memory while a program runs.
#pragma once

#include <cstdint>

#include "ir/shape.h"
#include "ir/type.h"

namespace dlaexec::cpu {

/// Channels that lie side by side in the blocked order: one AVX-512 vector, two of AVX2, four of
/// NEON.
inline constexpr int64_t kBlock = 16;

/// The order of elements.
///   Linear   row-major as the IR has it
///   Blocked  [N][C/16][spatial...][16] of a value [N, C, spatial...]; the last block's lanes past
///   C
///            hold anything
enum class Order : uint8_t { Linear, Blocked };

/// Order and element type. Float16, BFloat16 and Int8 values may lie as Float32 that holds exactly
/// the real numbers they stand for.
struct Layout {
  ir::DataType storage = ir::DataType::Float32;
  Order order = Order::Linear;
  friend auto operator<=>(const Layout&, const Layout&) = default;
};

inline constexpr Layout kLinear{ir::DataType::Float32, Order::Linear};
inline constexpr Layout kBlocked{ir::DataType::Float32, Order::Blocked};

/// What a value [N, C, spatial...] is to kernels that see images: rank 2 has one pixel, rank 3 one
/// row.
struct ImageDims {
  int64_t batch = 1, channels = 1, height = 1, width = 1;
  int64_t pixels() const { return height * width; }
  int64_t blocks() const { return (channels + kBlock - 1) / kBlock; }
  friend bool operator==(const ImageDims&, const ImageDims&) = default;
};

/// Whether a value of these dimensions can be Blocked.
constexpr bool can_block(const ir::Dims& dims) { return dims.size() >= 2 && dims.size() <= 4; }

ImageDims image_dims(const ir::Dims& dims);

/// Bytes that a value occupies.
int64_t size_bytes(const ir::Dims& dims, Layout layout);

constexpr int64_t round_up(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}
constexpr int64_t divide_up(int64_t value, int64_t by) { return (value + by - 1) / by; }

}  // namespace dlaexec::cpu
