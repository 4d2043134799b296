// The kinds of kernels that run products: how the tactics of each are made, judged and launched.
#pragma once

#include "gpu/product.h"

namespace dlaexec::gpu {

/// One kind. Functions take tactics of this kind alone.
struct ProductUnit {
  /// Every tactic that @p target can run, unsplit and with weights that come and go.
  std::vector<ProductTactic> (*tactics)(const Target& target);
  /// True for a product that the tactic can run, and is not too large or too small for.
  bool (*takes)(const Product& product, const ProductTactic& tactic, const Target& target);
  /// Dynamic shared memory of a block.
  int64_t (*shared_bytes)(const Product& product, const ProductTactic& tactic,
                          const Target& target);
  /// Device memory through which blocks share a sum.
  int64_t (*scratch_bytes)(const Product& product, const ProductTactic& tactic,
                           const Target& target);
  /// Seconds that the model expects.
  double (*seconds)(const Product& product, const ProductTactic& tactic, const Target& target);
  Kernel (*kernel)(const Product& product, const ProductTactic& tactic, const Target& target);
  /// Adds the launch.
  Step& (*add)(Lowering& lowering, const ir::Node& node, std::string_view suffix,
               const Product& product, const ProductTactic& tactic);
};

extern const ProductUnit kTiledUnit;  ///< conv_mma.cu and conv_wgmma.cu (product_tiled.cpp)
extern const ProductUnit kBulkUnit;   ///< conv_bulk.cu and conv_share.cu (product_bulk.cpp)
extern const ProductUnit kHaloUnit;   ///< conv_halo.cu (product_halo.cpp)

/// No device memory: the scratch_bytes of kinds whose blocks send their sums.
int64_t no_scratch(const Product& product, const ProductTactic& tactic, const Target& target);

/// The longer of computing and moving; the shorter breaks ties, so that tactics still differ where
/// memory bounds them all.
double in_balance(double computing, double moving);

/// How device code reads the input of @p product: an Access of conv_feed.cuh.
std::string_view access_name(const Product& product);

/// The types of @p product as template arguments.
std::string type_list(const Product& product);

}  // namespace dlaexec::gpu
