// The maps by which the copy engine walks what products read and write.
#pragma once

#include "gpu/product.h"

namespace dlaexec::gpu {

/// A matrix of rows as boxes: @p row_bytes from row to row, @p columns elements that are there.
BoxMap rows_map(ir::DataType type, int64_t columns, int64_t rows, int64_t row_bytes,
                int64_t box_columns, int64_t box_rows);

/// The weights of @p product, @p row_bytes of @p columns of its columns at a time: in the order
/// that PanelWay of panel.cuh asks for (copy_columns in bulk.cuh takes both).
BoxMap columns_map(const Product& product, int64_t columns, int64_t row_bytes = 128);

/// The input of @p product as rows of patches: base pixels run over the output, each tap adds its
/// offset.
BoxMap patches_map(const Product& product, int64_t box_channels, int64_t box_pixels);

/// True where a map of patches can say how @p p reads its input.
bool has_patches_map(const ConvParams& p);

/// Whole rows of images with their borders: what a tile of conv_halo.cu reads of the input, and
/// what it writes.
BoxMap input_rows_map(const Product& product, int64_t box_channels, int64_t box_rows);
BoxMap output_rows_map(const Product& product, int64_t box_channels, int64_t box_rows);

}  // namespace dlaexec::gpu
