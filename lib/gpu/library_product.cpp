// Products that a library runs instead of a kernel of this project: what of a product it is told.
#include <cstring>

#include "base/error.h"
#include "base/half.h"
#include "gpu/product.h"

namespace dlaexec::gpu {

std::optional<LibraryProduct> library_product_of(const Product& product) {
  const ConvParams& p = product.p;
  const auto elements = [&](int64_t bytes) {
    return bytes / static_cast<int64_t>(ir::size_bytes(product.in));
  };
  LibraryProduct asked;
  asked.in = product.in;
  asked.out = product.out;
  asked.full = product.full;
  asked.activation = product.activation;
  asked.batch = product.batch;
  asked.m = p.pixels;
  asked.n = p.k_written;
  asked.k = elements(p.channel_bytes);
  asked.x = {elements(p.x_pixel_bytes), elements(p.x_batch_bytes)};
  asked.w = {elements(p.weight_row_bytes), elements(p.weights_batch_bytes)};
  asked.y = {p.y_pixel, p.y_batch};
  asked.has_residual = product.residual_type.has_value();
  asked.residual = {p.residual_pixel, p.residual_batch};
  const bool same_residual = !product.residual_type || product.residual_type == product.out;
  for (const Place& place : {product.x, product.weights, product.residual, product.y})
    if (place.offset % kLibraryAlignment != 0) return std::nullopt;
  if (!product.rows || !same_residual || why_not_library(asked)) return std::nullopt;
  return asked;
}

namespace {

/// The bias in the type that the library asks for: that of the results.
Place library_bias(Lowering& lowering, const Product& product) {
  if (product.out == ir::DataType::Float32) return product.bias;
  const Constant floats = lowering.constant_at(product.bias);
  return lowering.constant(floats.bytes / 2, [make = floats.make] {
    const std::vector<std::byte> bytes = make();
    std::vector<std::byte> halves(bytes.size() / 2);
    for (size_t i = 0; i < halves.size() / sizeof(Half); ++i) {
      float value = 0;
      std::memcpy(&value, bytes.data() + i * sizeof value, sizeof value);
      const Half half(value);
      std::memcpy(halves.data() + i * sizeof half, &half, sizeof half);
    }
    return halves;
  });
}

}  // namespace

Step& add_library_product(Lowering& lowering, const ir::Node& node, std::string_view suffix,
                          const Product& product, const LibraryTactic& tactic) {
  const std::optional<LibraryProduct> asked = library_product_of(product);
  DLAEXEC_CHECK(asked);
  const Place bias = library_bias(lowering, product);
  Place workspace;
  if (tactic.workspace_bytes > 0) workspace = lowering.scratch(tactic.workspace_bytes);
  Step& step = lowering.add(node, suffix, {}, {}, ProductAddresses{});
  step.library = {*asked, tactic};
  patch(step, &ProductAddresses::x, product.x);
  patch(step, &ProductAddresses::w, product.weights);
  patch(step, &ProductAddresses::bias, bias);
  patch(step, &ProductAddresses::residual, product.residual);
  patch(step, &ProductAddresses::y, product.y);
  patch(step, &ProductAddresses::workspace, workspace);
  return step;
}

}  // namespace dlaexec::gpu
