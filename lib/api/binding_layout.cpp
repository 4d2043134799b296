#include "api/binding_layout.h"

#include "base/error.h"
#include "ir/dla_formats.h"

namespace dlaexec::api {
namespace {

/// What a GPU format does with channels: so many side by side, before the pixels or after them.
struct GpuFormat {
  ir::Format format;
  int64_t lanes;
  bool pixels_outside;  ///< a pixel's channels all lie together
};
constexpr GpuFormat kGpuFormats[] = {
    {ir::Format::Chw2, 2, false},   {ir::Format::Chw4, 4, false}, {ir::Format::Chw16, 16, false},
    {ir::Format::Chw32, 32, false}, {ir::Format::Hwc, 1, true},   {ir::Format::Hwc8, 8, true},
    {ir::Format::Hwc16, 16, true},
};

dla::Layout gpu_layout(const GpuFormat& row, int64_t element, const dla::Nchw& dims) {
  const int64_t vector = row.lanes * element;
  const int64_t vectors = (dims.c + row.lanes - 1) / row.lanes;
  dla::Layout layout{row.lanes, element, row.pixels_outside ? vectors * vector : vector};
  layout.line = dims.w * layout.pixel;
  layout.surface = row.pixels_outside ? vector : dims.h * layout.line;
  layout.image = row.pixels_outside ? dims.h * layout.line : vectors * layout.surface;
  return layout;
}

}  // namespace

std::optional<dla::Layout> binding_layout(ir::Format format, ir::DataType type,
                                          const ir::Dims& dims, dla::Generation generation) {
  if (format == ir::Format::Linear) return std::nullopt;
  const dla::Nchw nchw = dla::nchw_of(dims);
  if (ir::is_dla_format(format, type)) return dla::layout_of(format, type, nchw, generation);
  for (const GpuFormat& row : kGpuFormats)
    if (row.format == format)
      return gpu_layout(row, static_cast<int64_t>(ir::size_bytes(type)), nchw);
  fail("a binding of {} as {} is not supported; take one of two spatial dimensions",
       ir::to_text(dims), ir::text(format));
}

}  // namespace dlaexec::api
