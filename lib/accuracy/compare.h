// A plan beside another engine: the same samples through both, tensor by tensor.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "accuracy/difference.h"
#include "accuracy/peer.h"

namespace dlaexec::accuracy {

/// How far a tensor of the plan is from the peer's, over all samples.
struct TensorDifference {
  std::string tensor;
  std::string layer;  ///< the network layers that make it, with '+' between them
  Difference difference;
};

struct Comparison {
  PeerKind peer = PeerKind::Fp32;
  size_t samples = 0;
  std::string data;  ///< where the samples are from, for people
  std::vector<TensorDifference> outputs;
  /// In the order of the network: what plan and peer both show. Empty unless every tensor was
  /// looked at.
  std::vector<TensorDifference> layers;
  /// The first of `layers` whose SNR is below kGoodSnr.
  std::optional<size_t> first_bad;
};

/// Below this signal-to-noise ratio, in dB, a tensor counts as bad: the error is a tenth of the
/// signal.
inline constexpr double kGoodSnr = 20;

/// Gives sample @p index as inputs of the network in real numbers.
using SampleSource = std::function<std::vector<ir::Tensor>(size_t index)>;

/// Runs @p count samples through both. @p record is of the build of the plan. With every tensor in
/// sight the layers are compared, too.
Comparison compare(Peer& plan, Peer& peer, const BuildRecord& record, Sight sight, size_t count,
                   const SampleSource& sample);

}  // namespace dlaexec::accuracy
