// Products on tensor cores, plain or of patches: one problem, the tactics that solve it, the
// launch.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "gpu/kernels/conv_params.h"
#include "gpu/lowering.h"
#include "ir/attributes.h"

namespace dlaexec::gpu {

/// One way to run a product: sizes of conv_mma.cu, conv_wgmma.cu, or, fed by the copy engine,
/// conv_bulk.cu, with a split conv_share.cu, or conv_halo.cu.
struct ProductTactic {
  enum class Unit : uint8_t { Mma, Wgmma, Bulk, Halo };
  Unit unit = Unit::Mma;
  int rows = 128, k = 128;        ///< of a block's tile
  int warp_rows = 2, warp_k = 4;  ///< warps along each
  int row_bytes = 128, stages = 3;
  int split = 1;       ///< blocks that share a tile's sum
  bool stays = false;  ///< a block's weights are copied once and stay for all of its tiles
  friend bool operator==(const ProductTactic&, const ProductTactic&) = default;

  int threads() const {
    if (unit < Unit::Bulk) return warp_rows * warp_k * 32;
    return split == 1 ? (warp_rows + 4) * 32 : rows * 2 + 32;
  }
  /// True if threads have registers for the parts that full floats are cut into.
  bool takes_full_floats() const { return unit == Unit::Mma && rows * k <= 64 * threads(); }
};

/// False for a tactic that no kernel has a form for.
bool exists(const ProductTactic& tactic);

/// "mma 128x64 w2x2 r128 s4 k1", with " stay" where weights do, and back; nothing for a text that
/// is no tactic.
std::string to_text(const ProductTactic& tactic);
std::optional<ProductTactic> parse_product_tactic(const std::string& text);

/// The groups of a convolution whose output channels read those of their own group alone.
struct ChannelGroups {
  int64_t count, inputs_each, outputs_each;
  std::function<std::vector<std::byte>()> weights;  ///< [k][taps][channels of a group], dense

  int64_t inputs() const { return count * inputs_each; }
  int64_t outputs() const { return count * outputs_each; }
};

/// A product as add_product() launches it. The caller fills the sizes of @p p that do not depend on
/// the tactic; pointers come as places.
struct Product {
  ConvParams p = {};
  ir::DataType in = ir::DataType::Float16, out = ir::DataType::Float16;
  std::optional<ir::DataType> residual_type;
  ir::ActivationKind activation = ir::ActivationKind::None;
  bool full = false;            ///< floats are multiplied as such, not as tf32
  bool rows = false;            ///< 1 x 1 or a matrix: pixels follow each other at x_pixel_bytes
  bool is_convolution = false;  ///< of pixels as they lie: no matrix, and no pixels that overlap
  std::optional<ChannelGroups> groups;  ///< have weights of their own; @p p is told of them, too
  int64_t batch = 1;
  int64_t sum_bytes = 0;  ///< along the sum, of one row
  Place x, weights, bias, multiplier, residual, y;
  std::string problem;
  double operations = 0, bytes = 0;
};

/// The tactics that fit, best first by the cost model, at most @p most.
std::vector<ProductTactic> tactics_for(const Product& product, const Target& target, size_t most);

/// True for a product that @p tactic can run, and is not too large or too small for.
bool fits(const Product& product, const ProductTactic& tactic, const Target& target);

/// Seconds that the model expects of @p tactic.
double predicted_seconds(const Product& product, const ProductTactic& tactic, const Target& target);

/// The kernel of @p tactic for @p product.
Kernel product_kernel(const Product& product, const ProductTactic& tactic, const Target& target);

/// Dynamic shared memory of a block.
int64_t shared_bytes(const Product& product, const ProductTactic& tactic, const Target& target);

/// Every tile of the catalogue that @p target can run, unsplit and with weights that come and go.
std::vector<ProductTactic> all_product_tactics(const Target& target);

/// Chooses a tactic and adds the launch.
void add_product(Lowering& lowering, const ir::Node& node, std::string_view suffix,
                 Product product);

}  // namespace dlaexec::gpu
