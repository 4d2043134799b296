// A reduction over images with the changes of type around it.
#pragma once

#include <optional>
#include <vector>

#include "gpu/groups.h"

namespace dlaexec::gpu {

/// Nodes that follow each other and nobody else reads: a reduction over the pixels of images of
/// whole vectors of channels, and around it what only changes the type or the shape.
struct Reduction {
  const ir::Node* before = nullptr;  ///< a reformat, or null
  const ir::Node* reduce = nullptr;
  std::vector<const ir::Node*> shapes;  ///< [N, C, 1, 1] as [N, C]
  const ir::Node* after = nullptr;      ///< a reformat, or null

  std::vector<const ir::Node*> nodes() const;
  const ir::Node& last() const { return *nodes().back(); }
  ir::ValueId x() const { return (before ? before : reduce)->inputs[0]; }
};

/// The reduction that @p reduce is; nothing for another node or other axes.
std::optional<Reduction> reduction_of(const Links& links, const ir::Node& reduce);

}  // namespace dlaexec::gpu
