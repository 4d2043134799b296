// Where each element of a tensor lies in the DLA's memory: exact strides, sizes and offsets, and
// packing between them and dense tensors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "dla/generation.h"
#include "ir/attributes.h"
#include "ir/format.h"
#include "ir/tensor.h"

namespace dlaexec::dla {

/// The dimensions of a tensor on the DLA.
struct Nchw {
  int64_t n = 1, c = 1, h = 1, w = 1;

  int64_t count() const { return n * c * h * w; }
  DLAEXEC_FIELDS(n, c, h, w)
  friend bool operator==(const Nchw&, const Nchw&) = default;
};

/// "1x3x224x224"
std::string to_text(const Nchw& dims);

/// Bytes between neighbours. @c lanes channels lie side by side and form a surface; an element is
/// at
///   n * image + c / lanes * surface + h * line + w * pixel + c % lanes * element
struct Layout {
  int64_t lanes = 1;
  int64_t element = 1;  ///< size of one element
  int64_t pixel = 1, line = 1, surface = 1, image = 1;

  int64_t offset(int64_t n, int64_t c, int64_t h, int64_t w) const {
    return n * image + c / lanes * surface + h * line + w * pixel + c % lanes * element;
  }
  DLAEXEC_FIELDS(lanes, element, pixel, line, surface, image)
  friend bool operator==(const Layout&, const Layout&) = default;
};

/// The layout of a whole tensor in one of the four formats that the DLA knows: DlaLinear, DlaHwc4,
/// Chw16 (Float16), Chw32 (Int8). Throws an Error that says which are allowed for anything else.
Layout layout_of(ir::Format format, ir::DataType type, const Nchw& dims, Generation generation);

/// Bytes from the first to past the last of a tensor that has its buffer to itself.
int64_t size_bytes(const Layout& layout, const Nchw& dims);

/// Dimensions as the DLA sees them: [N,C,H,W] as it is, [N,C] as [N,C,1,1]. Throws an Error for any
/// other rank, or a dimension below 1.
Nchw nchw_of(const ir::Dims& dims);

/// Writes the elements of @p dense into @p packed, which lies as @p layout says; padding becomes
/// zero. Its type must be @p type, or for the DLA's two types Float32 (or Float16 for Int8), which
/// is then converted: to Int8 by round-to-nearest-even of value / @p scale, to Float16 as the DLA
/// rounds.
void pack(const ir::Tensor& dense, const Layout& layout, ir::DataType type, float scale,
          std::span<std::byte> packed);

/// The elements that @p packed holds, dense, in the type they have there.
ir::Tensor unpack(std::span<const std::byte> packed, const Layout& layout, ir::DataType type,
                  const ir::Dims& dims);

}  // namespace dlaexec::dla
