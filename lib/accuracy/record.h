// What comparisons need to know of how a plan came about.
#pragma once

#include <string>
#include <vector>

#include "build/options.h"
#include "ir/graph.h"
#include "plan/plan.h"

namespace dlaexec::accuracy {

/// A tensor that a plan makes, and the network layers that make it, with '+' between them.
struct MadeTensor {
  std::string name, layers;
};

/// A plan's network before types, and after.
struct BuildRecord {
  ir::Graph network;  ///< as imported, shapes as in the plan
  ir::Graph typed;    ///< fused, its types fixed; nothing compiled, unless the plan was finished
  std::vector<MadeTensor> made;  ///< in the order of the plan
  quant::Report ranges;

  /// Makes @p options fill this record as well as whatever they did before; it must outlive the
  /// build.
  void listen(build::Options& options);
};

/// What a finished plan tells of itself: its network has inputs and outputs alone, and nothing of
/// its ranges is known.
BuildRecord record_of(const plan::Plan& plan);

/// The network in @p model_path with the shapes of @p plan. Warns when it is not the file that the
/// plan was made of; throws an Error when its inputs are called otherwise.
ir::Graph network_of(const plan::Plan& plan, const std::string& model_path);

}  // namespace dlaexec::accuracy
