// Products that the copy engine feeds: conv_bulk.cu, and conv_share.cu where blocks share a sum.
#pragma once

#include "gpu/product.h"

namespace dlaexec::gpu {

/// Every tile, unsplit.
std::vector<ProductTactic> bulk_tactics();

/// What the copy engine can walk: rows that start on 16 bytes, results that leave as they are kept.
bool fits_bulk(const ProductTactic& tactic, const Product& product, const Target& target);

/// Dynamic shared memory of a block.
int64_t bulk_shared_bytes(const Product& product, const ProductTactic& t);

/// Seconds that the model expects.
double bulk_seconds(const Product& product, const ProductTactic& t, const Target& target);

Kernel bulk_kernel(const Product& product, const ProductTactic& t);

/// Adds the launch.
Step& add_bulk(Lowering& lowering, const ir::Node& node, std::string_view suffix,
               const Product& product, const ProductTactic& t);

/// The longer of computing and moving; the shorter breaks ties, so that tactics still differ where
/// memory bounds them all.
double in_balance(double computing, double moving);

/// The types of @p product as template arguments.
std::string type_list(const Product& product);

}  // namespace dlaexec::gpu
