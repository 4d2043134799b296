// What a target asks of a layer, as data: the DLA's restrictions and the needs of GPU kernels are
// rows of this type. From a row come the check, the sentence for the user, and the documentation.
#pragma once

#include <array>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ir/graph.h"

namespace dlaexec::ir {

/// A set of ops that a table can hold.
class OpSet {
 public:
  constexpr OpSet() = default;
  constexpr OpSet(std::initializer_list<Op> ops) {
    for (const Op op : ops) words_[word(op)] |= bit(op);
  }
  static constexpr OpSet all() {
    OpSet set;
    set.words_ = {~uint64_t{0}, ~uint64_t{0}};
    return set;
  }
  constexpr bool contains(Op op) const { return (words_[word(op)] & bit(op)) != 0; }
  constexpr bool is_empty() const { return words_[0] == 0 && words_[1] == 0; }
  constexpr OpSet without(OpSet other) const {
    for (size_t i = 0; i < words_.size(); ++i) other.words_[i] = words_[i] & ~other.words_[i];
    return other;
  }

 private:
  static constexpr size_t word(Op op) { return static_cast<size_t>(op) / 64; }
  static constexpr uint64_t bit(Op op) { return uint64_t{1} << (static_cast<size_t>(op) % 64); }
  std::array<uint64_t, 2> words_{};
};

/// A layer in its network, and the precision it would compute in.
struct Layer {
  const Graph& graph;
  const Node& node;
  DataType precision;
};

/// Something measurable of a layer: one value per axis or tensor, none where it does not apply.
struct Fact {
  std::string_view name;
  std::vector<double> (*read)(const Layer&);
  /// How a finding shows the values: all of a layer's axes as "3x33", or those that are wrong.
  enum class Shown : uint8_t { Axes, Offenders } shown = Shown::Axes;
};

/// Every value lies in [low, high].
struct In {
  double low, high;
};
/// Every value is one of the first @p count of @p values.
struct OneOf {
  std::array<double, 6> values;
  size_t count;
};
/// What no list of numbers says; brings its own words. @p breach gives what was found, or nothing
/// when the layer is fine.
struct Holds {
  std::optional<std::string> (*breach)(const Layer&);
  std::string_view text;
};
/// Nothing that the rule covers is taken; @p text says what would be needed.
struct Never {
  std::string_view text;
};
using Need = std::variant<In, OneOf, Holds, Never>;

/// What a broken rule does: keeps the layer off the target, or warns of a risk.
enum class Effect : uint8_t { Refuses, Warns };

/// One thing a target asks of a layer.
struct Rule {
  std::string_view id;  ///< stable: reports, tests and waivers name it
  OpSet ops;            ///< the ops it speaks of; empty: of the whole network
  const Fact* fact;     ///< what In and OneOf measure; null for the others
  Need need;
  std::string_view reason;  ///< one sentence for the person whose layer was turned away
  std::string_view source;  ///< where the restriction was read
  /// The words that logs are searched for, with {value} and {layer}; empty: the reason.
  std::string_view log = "";
  Effect effect = Effect::Refuses;
};

/// A rule that a layer breaks.
struct Finding {
  std::string rule;    ///< its id
  std::string value;   ///< what the layer has: "33x33"
  std::string limit;   ///< what is asked: "kernel in [1, 32]"
  std::string reason;  ///< why, in one sentence
  std::string source;
  std::string log;  ///< the line for the log, without the layer's name in front
  Effect effect = Effect::Refuses;

  /// "needs kernel in [1, 32], has 33x33. DLA convolves … [conv.kernel]"
  std::string sentence() const;
  friend bool operator==(const Finding&, const Finding&) = default;
};

/// What @p rule asks, in words: "kernel in [1, 32]".
std::string limit_text(const Rule& rule);

/// The finding if @p layer breaks @p rule; the rule must speak of the layer's op.
std::optional<Finding> check(const Layer& layer, const Rule& rule);

/// True if some finding keeps the layer off the target.
bool refuses(std::span<const Finding> findings);

}  // namespace dlaexec::ir

DLAEXEC_ENUM_TEXT(dlaexec::ir::Effect, "refuses", "warns");
