#include "gpu/library_step.h"

#include <cstring>

#include "base/error.h"
#include "base/half.h"
#include "gpu/cublaslt.h"
#include "gpu/cudnn.h"
#include "gpu/product_groups.h"

namespace dlaexec::gpu {
namespace {

LibraryOperands operands_of(const Product& product) {
  return {product.x, product.weights, product.bias, product.residual, product.y};
}

/// The product for cuBLASLt.
LibraryProduct matrices_of(const Product& product) {
  const ConvParams& p = product.p;
  const auto elements = [&](int64_t bytes) {
    return bytes / static_cast<int64_t>(ir::size_bytes(product.in));
  };
  return {.in = product.in,
          .out = product.out,
          .activation = product.activation,
          .full = product.full,
          .batch = product.batch,
          .m = p.pixels,
          .n = p.k_written,
          .k = elements(p.channel_bytes),
          .x = {elements(p.x_pixel_bytes), elements(p.x_batch_bytes)},
          .w = {elements(p.weight_row_bytes), elements(p.weights_batch_bytes)},
          .y = {p.y_pixel, p.y_batch},
          .residual = {p.residual_pixel, p.residual_batch},
          .has_residual = product.residual_type.has_value()};
}

/// The product for cuDNN, with the channels that pad pixels.
LibraryConvolution convolution_of(const Product& product) {
  const ConvParams& p = product.p;
  const int64_t size = static_cast<int64_t>(ir::size_bytes(product.in));
  return {.type = product.in,
          .activation = product.activation,
          .full = product.full,
          .images = p.pixels / (p.out_h * p.out_w),
          .c = p.channel_bytes / size,
          .h = p.in_h,
          .w = p.in_w,
          .k = p.k_written,
          .out_h = p.out_h,
          .out_w = p.out_w,
          .groups = product.groups ? product.groups->count : 1,
          .taps_h = p.taps_h,
          .taps_w = p.taps_w,
          .stride_h = p.stride_h,
          .stride_w = p.stride_w,
          .pad_h = p.pad_h,
          .pad_w = p.pad_w,
          .dilation_h = p.dilation_h,
          .dilation_w = p.dilation_w,
          .has_residual = product.residual_type.has_value()};
}

/// The product's weights, one row directly behind the other.
Place dense_weights(Lowering& lowering, const Product& product) {
  if (product.groups) return group_weights(lowering, product);
  const size_t row = static_cast<size_t>(product.sum_bytes),
               step = static_cast<size_t>(product.p.weight_row_bytes),
               rows = static_cast<size_t>(product.p.k_written);
  if (row == step) return product.weights;
  return lowering.constant(static_cast<int64_t>(rows * row),
                           [make = lowering.constant_at(product.weights).make, row, step, rows] {
                             const std::vector<std::byte> padded = make();
                             std::vector<std::byte> dense(rows * row);
                             for (size_t i = 0; i < rows; ++i)
                               std::memcpy(dense.data() + i * row, padded.data() + i * step, row);
                             return dense;
                           });
}

}  // namespace

bool are_aligned(const LibraryOperands& operands) {
  for (const Place& place : {operands.x, operands.weights, operands.residual, operands.y})
    if (place.offset % kLibraryAlignment != 0) return false;
  return true;
}

std::optional<LibraryProblem> library_problem_of(const Product& product, LibraryKind kind) {
  const bool same_residual = !product.residual_type || product.residual_type == product.out;
  if (!same_residual || !are_aligned(operands_of(product))) return std::nullopt;
  if (kind == LibraryKind::CublasLt) {
    const LibraryProduct asked = matrices_of(product);
    if (product.rows && !why_not_library(asked)) return asked;
  } else if (product.is_convolution && product.in == product.out) {
    const LibraryConvolution asked = convolution_of(product);
    // Groups leave no room for channels that pad.
    if (product.groups &&
        (asked.c != product.groups->inputs() || asked.k != product.groups->outputs()))
      return std::nullopt;
    if (!why_not_library(asked)) return asked;
  }
  return std::nullopt;
}

Place library_bias(Lowering& lowering, const Place& bias, ir::DataType results) {
  if (results == ir::DataType::Float32) return bias;
  const Constant floats = lowering.constant_at(bias);
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

Step& add_library_step(Lowering& lowering, const ir::Node& node, std::string_view suffix,
                       const LibraryProblem& problem, const LibraryTactic& tactic,
                       const LibraryOperands& operands) {
  Place workspace;
  if (tactic.workspace_bytes > 0) workspace = lowering.scratch(tactic.workspace_bytes);
  Step& step = lowering.add(node, suffix, {}, {}, LibraryAddresses{});
  step.library = {problem, tactic};
  patch(step, &LibraryAddresses::x, operands.x);
  patch(step, &LibraryAddresses::w, operands.weights);
  patch(step, &LibraryAddresses::bias, operands.bias);
  patch(step, &LibraryAddresses::residual, operands.residual);
  patch(step, &LibraryAddresses::y, operands.y);
  patch(step, &LibraryAddresses::workspace, workspace);
  return step;
}

Step& add_library_product(Lowering& lowering, const ir::Node& node, std::string_view suffix,
                          const Product& product, const LibraryTactic& tactic) {
  const std::optional<LibraryProblem> asked = library_problem_of(product, tactic.library);
  DLAEXEC_CHECK(asked);
  LibraryOperands operands = operands_of(product);
  operands.bias = library_bias(lowering, product.bias, product.out);
  if (tactic.library == LibraryKind::Cudnn) operands.weights = dense_weights(lowering, product);
  return add_library_step(lowering, node, suffix, *asked, tactic, operands);
}

}  // namespace dlaexec::gpu
