#include "dla/format.h"

#include <cmath>
#include <cstring>

#include "base/error.h"
#include "dla/numbers.h"
#include "ir/dla_formats.h"

namespace dlaexec::dla {
namespace {

constexpr int64_t kAtomBytes = 32;  // one memory atom: 32 bytes of channels of one pixel
constexpr int64_t kLinearLineBytes = 64;

constexpr int64_t round_up(int64_t value, int64_t unit) { return (value + unit - 1) / unit * unit; }

int64_t hwc4_line_unit(Generation generation) { return generation == Generation::Xavier ? 32 : 64; }

[[noreturn]] void refuse(ir::Format format, ir::DataType type) {
  fail(
      "format {} of {} does not exist on the DLA; it has dla_linear and dla_hwc4 of f16 or i8, "
      "chw16 of f16, chw32 of i8",
      ir::text(format), ir::text(type));
}

Layout linear_layout(int64_t element, const Nchw& dims) {
  Layout layout{1, element, element};
  layout.line = round_up(dims.w * element, kLinearLineBytes);
  layout.surface = dims.h * layout.line;
  layout.image = dims.c * layout.surface;
  return layout;
}

Layout hwc4_layout(int64_t element, const Nchw& dims, Generation generation) {
  if (dims.c != 1 && dims.c != 3 && dims.c != 4)
    fail("a dla_hwc4 tensor has {} channels; the format takes 1, 3 or 4", dims.c);
  const int64_t lanes = dims.c == 1 ? 1 : 4;
  Layout layout{lanes, element, lanes * element};
  layout.line = round_up(dims.w * layout.pixel, hwc4_line_unit(generation));
  layout.surface = dims.h * layout.line;
  layout.image = layout.surface;
  return layout;
}

Layout feature_layout(int64_t element, const Nchw& dims) {
  const int64_t lanes = kAtomBytes / element;
  Layout layout{lanes, element, kAtomBytes};
  layout.line = dims.w * layout.pixel;
  layout.surface = dims.h * layout.line;
  layout.image = (dims.c + lanes - 1) / lanes * layout.surface;
  return layout;
}

int8_t quantized(float value, float scale) {
  const float steps = std::nearbyint(value / scale);
  if (std::isnan(steps)) return 0;
  return static_cast<int8_t>(std::clamp(steps, -128.0f, 127.0f));
}

/// Calls body(dense index, packed offset) for every element.
template <class Body>
void for_each_element(const Layout& layout, const Nchw& dims, Body&& body) {
  int64_t index = 0;
  for (int64_t n = 0; n < dims.n; ++n)
    for (int64_t c = 0; c < dims.c; ++c)
      for (int64_t h = 0; h < dims.h; ++h) {
        int64_t offset = layout.offset(n, c, h, 0);
        for (int64_t w = 0; w < dims.w; ++w, offset += layout.pixel) body(index++, offset);
      }
}

/// Calls body() with an unsigned number of @p bytes bytes.
template <class Body>
void with_width(size_t bytes, Body&& body) {
  switch (bytes) {
    case 1:
      return body(uint8_t{});
    case 2:
      return body(uint16_t{});
    case 4:
      return body(uint32_t{});
    default:
      DLAEXEC_CHECK(bytes == 8);
      return body(uint64_t{});
  }
}

template <class T>
void store(std::byte* at, T value) {
  std::memcpy(at, &value, sizeof value);
}

}  // namespace

std::string to_text(const Nchw& dims) {
  return format("{}x{}x{}x{}", dims.n, dims.c, dims.h, dims.w);
}

Layout layout_of(ir::Format format, ir::DataType type, const Nchw& dims, Generation generation) {
  if (type != ir::DataType::Float16 && type != ir::DataType::Int8) refuse(format, type);
  const auto element = static_cast<int64_t>(ir::size_bytes(type));
  if (format == ir::Format::DlaLinear) return linear_layout(element, dims);
  if (format == ir::Format::DlaHwc4) return hwc4_layout(element, dims, generation);
  if (format == ir::cut_format(type)) return feature_layout(element, dims);
  refuse(format, type);
}

int64_t size_bytes(const Layout& layout, const Nchw& dims) { return dims.n * layout.image; }

Nchw nchw_of(const ir::Dims& dims) {
  Nchw result;
  if (dims.size() == 4)
    result = {dims[0], dims[1], dims[2], dims[3]};
  else if (dims.size() == 2)
    result = {dims[0], dims[1], 1, 1};
  else
    fail("a tensor of shape {} has rank {}; the DLA takes [N,C,H,W] or [N,C]", ir::to_text(dims),
         dims.size());
  if (std::min({result.n, result.c, result.h, result.w}) < 1)
    fail("a tensor of shape {} is empty; the DLA takes dimensions of at least 1",
         ir::to_text(dims));
  return result;
}

void pack(const ir::Tensor& dense, const Layout& layout, ir::DataType type, float scale,
          std::span<std::byte> packed) {
  const Nchw dims = nchw_of(dense.dims());
  DLAEXEC_CHECK(static_cast<int64_t>(packed.size()) >= size_bytes(layout, dims));
  std::memset(packed.data(), 0, packed.size());
  std::byte* const base = packed.data();
  if (dense.type() == type) {
    const std::byte* const from = dense.bytes().data();
    return with_width(static_cast<size_t>(layout.element), [&](auto number) {
      for_each_element(layout, dims, [&](int64_t index, int64_t offset) {
        std::memcpy(base + offset, from + static_cast<size_t>(index) * sizeof number,
                    sizeof number);
      });
    });
  }
  DLAEXEC_CHECK(type == ir::DataType::Int8 || type == ir::DataType::Float16);
  const auto convert = [&]<class From>(std::span<const From> from, auto&& converted) {
    for_each_element(layout, dims, [&](int64_t index, int64_t offset) {
      store(base + offset, converted(from[static_cast<size_t>(index)]));
    });
  };
  const bool to_int8 = type == ir::DataType::Int8;
  if (dense.type() == ir::DataType::Float32 && to_int8)
    convert(dense.as<float>(), [&](float value) { return quantized(value, scale); });
  else if (dense.type() == ir::DataType::Float16 && to_int8)
    convert(dense.as<Half>(), [&](Half value) { return quantized(float(value), scale); });
  else if (dense.type() == ir::DataType::Float32)
    convert(dense.as<float>(), [](float value) { return to_half(value); });
  else
    fail("a tensor of {} cannot be packed as {}; give {} or f32", ir::text(dense.type()),
         ir::text(type), ir::text(type));
}

ir::Tensor unpack(std::span<const std::byte> packed, const Layout& layout, ir::DataType type,
                  const ir::Dims& dims) {
  const Nchw shape = nchw_of(dims);
  DLAEXEC_CHECK(static_cast<int64_t>(packed.size()) >= size_bytes(layout, shape));
  ir::Tensor dense(type, dims);
  std::byte* const to = dense.mutable_bytes().data();
  const auto element = static_cast<size_t>(layout.element);
  DLAEXEC_CHECK(element == ir::size_bytes(type));
  with_width(element, [&](auto number) {
    for_each_element(layout, shape, [&](int64_t index, int64_t offset) {
      std::memcpy(to + static_cast<size_t>(index) * sizeof number, packed.data() + offset,
                  sizeof number);
    });
  });
  return dense;
}

}  // namespace dlaexec::dla
