// The engines that a plan is compared with, and the plan itself with every tensor in sight.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "accuracy/record.h"
#include "base/thread_pool.h"
#include "build/options.h"
#include "ir/graph.h"
#include "plan/plan.h"
#include "run/engine.h"

namespace dlaexec::accuracy {

/// Whom a plan is compared with.
enum class PeerKind : uint8_t {
  Ref,   ///< the definition of every op, with the plan's types and scales
  Cpu,   ///< the host engine, with the plan's types and scales
  Gpu,   ///< the GPU alone, with the plan's scales and precisions
  Fp32,  ///< the network in FP32 on the host, Q/DQ layers rounding as the model says
};

/// The elements of @p real as @p value of a typed graph holds them: in its type, by its scale.
ir::Tensor as_stored(const ir::Tensor& real, const ir::Value& value);

/// Tensors by name, in real numbers.
using NamedTensors = std::map<std::string, ir::Tensor>;

/// Which tensors an engine shows.
enum class Sight { Outputs, EveryTensor };

/// An engine that runs one network on samples given in real numbers.
class Peer {
 public:
  virtual ~Peer() = default;
  /// Network outputs by name, and with Sight::EveryTensor what lies between. @p inputs are Float32
  /// (or integers where the network takes them) in the order of the network's inputs.
  virtual NamedTensors run(const std::vector<ir::Tensor>& inputs) = 0;
};

/// The plan as it runs, by the engines it was built for. Looking at every tensor changes neither
/// fusion nor placement: what is seen is what passes between steps, and between a DLA's hardware
/// operations.
std::unique_ptr<Peer> plan_peer(const plan::Plan& plan, const run::EngineOptions& options,
                                Sight sight);

/// Throws an Error when this machine lacks the engine.
std::unique_ptr<Peer> make_peer(PeerKind kind, const BuildRecord& record,
                                const build::Options& options, ThreadPool& pool, Sight sight);

}  // namespace dlaexec::accuracy

DLAEXEC_ENUM_TEXT(dlaexec::accuracy::PeerKind, "ref", "cpu", "gpu", "fp32");
