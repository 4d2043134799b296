// The graph's text form: one node a line, canonical, and everything printed can be parsed back.
//
//   graph @head(%image: f16[N,3,224,224]) {
//     const %w = f16[64,3,7,7] seed(7)
//     %c1 = conv(%image, %w) {stride=[2,2], pads=[3,3,3,3], ...} : f16[N,64,112,112] "conv1" on
//     dla0 %q = activation(%c1) {kind=relu, alpha=0, beta=0} : i8[N,64,112,112] q(0.05) as chw32
//     from("a", "b") return %q
//   }
//
// Constants: zero, splat(0.5), seed(7), [1, 2, 3], hex"00ff", blob("<hash>"). A node's own name
// stands in quotes when it differs from its first output's; "in f16" is its precision. An absent
// input or output is _. Attributes that are left out have their defaults.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "ir/graph.h"

namespace dlaexec::ir {

/// How print() writes constants of more than 16 elements that are not all equal.
enum class Constants {
  Full,  ///< as hex: everything can be read back
  Hash,  ///< blob("<hash>"): short, for people and golden files
};

std::string print(const Graph& graph, Constants constants = Constants::Full);

/// The elements that blob("<hash>") stands for.
using BlobSource = std::function<Tensor(std::string_view hash, DataType type, const Dims& dims)>;

/// Reads what print() writes. Throws an Error that gives the line and what was expected there.
Graph parse(std::string_view text, const BlobSource& blobs = {});

/// The elements of seed(@p seed): uniform in [-1, 1) for floats, [-127, 127] for integers that hold
/// it, 0 or 1 for bool. The same on every machine.
Tensor seeded(DataType type, const Dims& dims, uint64_t seed);

/// The fields of a node's attributes, as they stand between the braces.
std::string print_attributes(const Node& node);

}  // namespace dlaexec::ir
