// From a typed graph segment to a loadable.
#pragma once

#include <string>

#include "base/error.h"
#include "dla/loadable.h"
#include "ir/graph.h"

namespace dlaexec::dla {

/// What one loadable may use of the memory pools, in bytes: powers of two of at least 4 KiB.
struct PoolLimits {
  int64_t sram = 0, local = int64_t{1} << 30, global = int64_t{1} << 29;
};

/// The limits that hold when the user names none.
PoolLimits default_pools(Generation generation);

struct CompileOptions {
  Generation generation = Generation::Orin;
  PoolLimits pools = default_pools(Generation::Orin);
};

/// What stands against a segment: a layer in it, or that the whole is too large for its pools.
enum class Obstacle : uint8_t { Layer, Memory };

/// Why a segment does not become a loadable. The sentence names the layer and the reason.
class Refusal : public Error {
 public:
  Refusal(std::string layer, std::string reason, Obstacle obstacle = Obstacle::Layer)
      : Error(Fault::Failed,
              format("layer '{}' cannot be compiled for the DLA: {}", layer, reason)),
        layer_(std::move(layer)),
        reason_(std::move(reason)),
        obstacle_(obstacle) {}

  /// The node that does not compile; of a segment that is too large, the one at which it is
  /// largest.
  const std::string& layer() const { return layer_; }
  const std::string& reason() const { return reason_; }
  Obstacle obstacle() const { return obstacle_; }

 private:
  std::string layer_, reason_;
  Obstacle obstacle_;
};

/// Compiles @p segment: values Float16 or Int8 (with scales), weights Float16 or Int8 with a scale
/// per kernel or one, bias Float32, layers fused as ir/attributes.h says. An input or output whose
/// format is one of the DLA's gets it; a Linear one gets the format that suits its users best,
/// which the loadable's cubes then tell. Throws a Refusal for a layer or a combination that the
/// hardware does not do or that does not fit the pools, an Error for illegal pool sizes.
Loadable compile(const ir::Graph& segment, const CompileOptions& options);

/// Throws an Error with the nearest legal sizes for a limit that is no power of two of at least
/// 4 KiB.
void require_legal(const PoolLimits& limits);

}  // namespace dlaexec::dla
