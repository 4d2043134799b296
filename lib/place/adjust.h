// Rewrites that keep a network's function and suit the DLA better.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dla/rules.h"
#include "ir/graph.h"

namespace dlaexec::place {

/// A layer that was, or can be, written in layers that the DLA takes.
struct Rewrite {
  std::string layer;        ///< the user's layer
  std::string_view id;      ///< stable: "average-pool"
  std::string_view change;  ///< what to do, in one sentence for the person whose layer it is
};

/// The rewrite for node @p index of @p graph, if there is one and every layer it makes is taken by
/// @p target; the graph is then rewritten, shapes inferred, the new layers keeping the old one's
/// name in front, its origins, wish and precision. Otherwise the graph stays as it is.
std::optional<Rewrite> adjust_layer(ir::Graph& graph, size_t index, const dla::Target& target);

/// Rewrites every layer that wishes the DLA (Node::device), is refused there and has a rewrite;
/// comes between place::choose_devices and quant::assign. Returns what was done, in network order.
std::vector<Rewrite> adjust_for_dla(ir::Graph& graph, const dla::Target& target);

}  // namespace dlaexec::place
