#include "gpu/box_map.h"

namespace dlaexec::gpu {

BoxMap rows_map(ir::DataType type, int64_t columns, int64_t rows, int64_t row_bytes,
                int64_t box_columns, int64_t box_rows) {
  BoxMap map;
  map.type = type;
  map.dims = {static_cast<uint64_t>(columns), static_cast<uint64_t>(rows)};
  map.strides = {static_cast<uint64_t>(row_bytes)};
  map.box = {static_cast<uint32_t>(box_columns), static_cast<uint32_t>(box_rows)};
  map.steps = {1, 1};
  map.swizzle_bytes = static_cast<int>(box_columns) * static_cast<int>(ir::size_bytes(type));
  return map;
}

BoxMap columns_map(const Product& product, int64_t columns, int64_t row_bytes) {
  const ConvParams& p = product.p;
  const int64_t size = static_cast<int64_t>(ir::size_bytes(product.in));
  const int64_t elements = p.weight_row_bytes / size, box_elements = row_bytes / size;
  if (product.out != ir::DataType::Int8)
    return rows_map(product.in, elements, p.k_padded, p.weight_row_bytes, box_elements, columns);
  // Rows of weights in the order [16 j][2 h][4 q][e].
  const uint64_t row = static_cast<uint64_t>(p.weight_row_bytes);
  BoxMap map;
  map.type = product.in;
  map.dims = {static_cast<uint64_t>(elements), 2, 4, 2, static_cast<uint64_t>(p.k_padded / 16)};
  map.strides = {row, 4 * row, 2 * row, 16 * row};
  map.box = {static_cast<uint32_t>(box_elements), 2, 4, 2, static_cast<uint32_t>(columns / 16)};
  map.steps = {1, 1, 1, 1, 1};
  map.swizzle_bytes = static_cast<int>(row_bytes);
  return map;
}

bool has_patches_map(const ConvParams& p) {
  const auto is_corner = [](int upper) { return upper >= -128 && upper < 128; };
  return p.channel_bytes >= 128 && p.x_pixel_bytes >= p.channel_bytes && p.pad_h <= 100 &&
         p.pad_w <= 100 && p.stride_h <= 8 && p.stride_w <= 8 && p.dilation_h * p.taps_h <= 100 &&
         p.dilation_w * p.taps_w <= 100 &&
         is_corner((p.out_w - 1) * p.stride_w - p.pad_w - (p.in_w - 1)) &&
         is_corner((p.out_h - 1) * p.stride_h - p.pad_h - (p.in_h - 1));
}

BoxMap patches_map(const Product& product, int64_t box_channels, int64_t box_pixels) {
  const ConvParams& p = product.p;
  const auto size = static_cast<int>(ir::size_bytes(product.in));
  BoxMap map;
  map.type = product.in;
  const auto images = static_cast<uint64_t>(p.pixels / (p.out_h * p.out_w));
  map.dims = {static_cast<uint64_t>((p.last_window + p.channel_bytes) / size),
              static_cast<uint64_t>(p.in_w), static_cast<uint64_t>(p.in_h), images};
  map.strides = {static_cast<uint64_t>(p.x_pixel_bytes), static_cast<uint64_t>(p.x_row_bytes),
                 static_cast<uint64_t>(p.x_image_bytes)};
  map.box = {static_cast<uint32_t>(box_channels), static_cast<uint32_t>(box_pixels)};
  map.steps = {1, static_cast<uint32_t>(p.stride_w), static_cast<uint32_t>(p.stride_h), 1};
  map.lower = {-p.pad_w, -p.pad_h};
  map.upper = {(p.out_w - 1) * p.stride_w - p.pad_w - (p.in_w - 1),
               (p.out_h - 1) * p.stride_h - p.pad_h - (p.in_h - 1)};
  return map;
}

namespace {

/// @p pixel, @p row, @p image: bytes from one to the next.
BoxMap image_rows_map(const Product& product, ir::DataType type, std::vector<uint64_t> dims,
                      int64_t pixel, int64_t row, int64_t image, int64_t box_channels,
                      int64_t box_rows) {
  BoxMap map;
  map.type = type;
  map.dims = std::move(dims);
  map.strides = {static_cast<uint64_t>(pixel), static_cast<uint64_t>(row),
                 static_cast<uint64_t>(image)};
  map.box = {static_cast<uint32_t>(box_channels),
             static_cast<uint32_t>(product.p.out_w + product.p.taps_w - 1),
             static_cast<uint32_t>(box_rows), 1};
  map.steps = {1, 1, 1, 1};
  map.swizzle_bytes = static_cast<int>(box_channels) * static_cast<int>(ir::size_bytes(type));
  return map;
}

uint64_t images_of(const ConvParams& p) {
  return static_cast<uint64_t>(p.pixels / (p.out_h * p.out_w));
}

}  // namespace

BoxMap input_rows_map(const Product& product, int64_t box_channels, int64_t box_rows) {
  const ConvParams& p = product.p;
  const auto channels =
      static_cast<uint64_t>(p.channel_bytes / static_cast<int>(ir::size_bytes(product.in)));
  return image_rows_map(
      product, product.in,
      {channels, static_cast<uint64_t>(p.in_w), static_cast<uint64_t>(p.in_h), images_of(p)},
      p.x_pixel_bytes, p.x_row_bytes, p.x_image_bytes, box_channels, box_rows);
}

BoxMap output_rows_map(const Product& product, int64_t box_channels, int64_t box_rows) {
  const ConvParams& p = product.p;
  const int64_t pixel = p.y_pixel * static_cast<int64_t>(ir::size_bytes(product.out));
  return image_rows_map(product, product.out,
                        {static_cast<uint64_t>(p.k_written), static_cast<uint64_t>(p.out_w),
                         static_cast<uint64_t>(p.out_h), images_of(p)},
                        pixel, p.out_w * pixel, int64_t{p.out_h} * p.out_w * pixel, box_channels,
                        box_rows);
}

}  // namespace dlaexec::gpu
