// Two products of which the second multiplies what the first makes of the same pixels: a block's
// last 1 x 1 convolution and the next block's first, run as one launch where that is faster.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gpu/families.h"
#include "gpu/jit.h"
#include "gpu/product.h"

namespace dlaexec::gpu {

/// Both as if they ran by themselves; second.x is first.y. All elements are of one type, half or
/// int8; only the first may add a residual, or have a stride.
struct Pair {
  Product first, second;
  /// Makes what the first adds, from pixels of its own, for nobody else; no activation.
  std::optional<Product> shortcut;
  std::string problem;
};

/// A tactic's text and the seconds that the model expects of it.
struct PairTactic {
  std::string text;
  double seconds = 0;
};

/// A family of kernels that run pairs. They add no constants of their own: the tuner runs all
/// tactics of a problem on the same ones.
struct PairWay {
  /// Those that fit, in any order.
  std::vector<PairTactic> (*tactics)(const Pair&, const Target&);
  /// The launch, of @p node; null when @p tactic is none of this way's.
  Step* (*add)(Lowering&, const ir::Node& node, const Pair&, const std::string& tactic);
  /// Kernel instances that a Hopper can be asked for, for tests that compile them.
  std::vector<Kernel> (*kernels)(const Target&, Coverage);
};

/// A cluster of blocks shares a tile of pixels: for few pixels (pair_cluster.cpp).
extern const PairWay kClusterPairs;
/// A block keeps a tile of pixels and the copy engine feeds it: for many (pair_bulk.cpp).
extern const PairWay kBulkPairs;

/// Every way's kernels for @p target.
std::vector<Kernel> pair_kernels(const Target& target, Coverage coverage);

}  // namespace dlaexec::gpu
