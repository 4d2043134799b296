// Two recorded runs against each other: figures, layers, decisions of the build, sizes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "measure/compare.h"
#include "report/gate.h"
#include "report/recorded.h"

namespace dlaexec::report {

/// A figure of the whole run.
struct FigureChange {
  std::string name;  ///< "latency_ms"
  measure::Comparison comparison;
  bool is_gated = false;  ///< decides whether the run became slower
};

/// Layers that are computed together in at least one of the runs, so that their time can only be
/// compared as a whole.
struct LayerChange {
  std::vector<std::string> layers;          ///< the step's name when it holds no layer
  bool holds_layers = true;                 ///< no: a reformat, or what starting a loadable takes
  std::string engine_before, engine_after;  ///< "" when there is nothing of it
  measure::Comparison comparison;           ///< of times in ms
  double cost_ms = 0;                       ///< more than before; less is negative
  bool is_certain = false;                  ///< the interval of the cost lies on one side of 0

  /// The first layer, and how many others.
  std::string name() const;
};

/// Something that the builds decided, or were told, differently.
struct Decision {
  std::string kind;  ///< "placement", "precision", "fusion", "tactic", "format", "step", "setting"
  std::string subject, before, after;
  std::optional<double> cost_ms;  ///< of the layers that it concerns, when their times are known
  std::string reason;             ///< the rule that a layer left the DLA for; or empty
};

struct SizeChange {
  std::string name;
  int64_t before = 0, after = 0;
};

struct RunComparison {
  std::string before, after;  ///< where they come from
  double limit = 0;           ///< relative change that counts
  std::vector<FigureChange> figures;
  /// The costliest first; steps without layers, which are there for the sake of others, last.
  std::vector<LayerChange> layers;
  std::vector<Decision> decisions;   ///< the costliest first, those of unknown cost last
  std::vector<SizeChange> sizes;     ///< that differ
  std::vector<std::string> remarks;  ///< what makes the comparison doubtful

  /// The layers that certainly became slower, the costliest first.
  std::vector<const LayerChange*> guilty() const;
};

/// Which samples of the two runs belong together.
enum class Pairing : uint8_t {
  None,    ///< two runs, one after the other
  Rounds,  ///< sample i of both was taken side by side
};

/// Why the two measurements cannot be held against each other, one sentence each.
std::vector<std::string> obstacles(const Recorded& before, const Recorded& after);

RunComparison compare(const Recorded& before, const Recorded& after, double limit,
                      Pairing pairing = Pairing::None);

/// The comparison's gates: time, and layers that left the DLA.
std::vector<Gate> gates_of(const RunComparison& comparison);

/// "conv1 (dla): 1 to 2 ms, +1 ms (+100 %)"
std::string sentence(const LayerChange& change);
std::string sentence(const Decision& decision);
std::string sentence(const SizeChange& change);
/// "latency_ms: 1 to 1.1 ms, +10 % [+9.8 %, +10.3 %]: slower"
std::string sentence(const FigureChange& change);

}  // namespace dlaexec::report
