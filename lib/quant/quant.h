// Scales of tensors and the precision of every layer, from what the user allows and knows.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dla/rules.h"
#include "ir/graph.h"
#include "quant/explicit.h"

namespace dlaexec::quant {

/// How strictly the user's precisions of layers bind.
enum class Constraints : uint8_t { None, Prefer, Obey };

/// What Q/DQ layers become in an int8 build.
enum class QdqLayers : uint8_t {
  Fused,       ///< scales of the tensors that they stand at, and of no others
  Translated,  ///< the same, and what follows from them for tensors nearby: implicit quantization,
               ///< which is all that the DLA knows
  Kept,        ///< they stay layers of the network
};

/// A tensor's scale by its name: dynamic range / 127.
using Scales = std::map<std::string, float>;

/// Layers that leave INT8 because data showed that the network's outputs lose too much by them.
struct Lifted {
  std::map<std::string, std::string> layers;  ///< by name: why
  int steps = 0, of = 0;    ///< how many steps of the plan that makes, of those in INT8 before
  size_t samples = 0;       ///< that were looked at
  double least_cosine = 0;  ///< what the outputs were to keep to FP32
  double cosine_before = 1, cosine_after = 1;  ///< of the worst output
};

struct Options {
  /// Precisions allowed beside Float32. With a DLA and neither of them, fp16 is meant.
  bool fp16 = false, int8 = false;
  Constraints constraints = Constraints::None;  ///< with a DLA, None means Prefer
  /// By layer name, '*' standing for anything; a name without '*' wins over patterns, a longer
  /// pattern over a shorter one.
  std::map<std::string, ir::DataType> layer_precisions;
  /// From a calibration cache or the user.
  Scales scales;
  std::string scales_from;  ///< where they are from, for people: "calibration cache 'a.cache'"
  /// Given: finds scales from data for the network as it is when ranges are chosen, Q/DQ layers
  /// gone. Asked when `scales` is empty, and for what Q/DQ layers leave open.
  std::function<Scales(const ir::Graph&)> calibrate;
  /// Given: says after calibrating which layers had better leave INT8, for the network with its
  /// ranges and these options without the two questions.
  std::function<Lifted(const ir::Graph&, const Options&)> lift;
  /// Layers that leave INT8 whatever else holds for them, but for Constraints: by name, why.
  std::map<std::string, std::string> lifted;
  QdqLayers qdq = QdqLayers::Fused;
  /// Given when layers may go to a DLA; Node::device holds the wish (place::choose_devices).
  std::optional<dla::Target> dla;
};

/// Where the scales of an int8 build came from.
enum class RangeSource : uint8_t {
  None,        ///< no int8
  Given,       ///< Options::scales
  Calibrated,  ///< Options::calibrate
  Fixed,       ///< trtexec's constants: good for speed, meaningless for accuracy
  Explicit,    ///< Q/DQ layers of the model
};

/// A tensor whose range the DLA's rules widened.
struct RangeChange {
  std::string tensor;
  float before = 0, after = 0;  ///< dynamic ranges
  std::string layer;            ///< whose rule it was
  std::string reason;
};

/// A sentence for people: the ranges, for whom, and what is left of INT8's steps.
std::string to_text(const RangeChange& change);

/// A layer that did not get the precision that was first in line, and why.
struct PrecisionNote {
  std::string layer;
  ir::DataType wanted, got;
  std::string reason;
};

/// The precision of a layer of the network, fused ones each by its own name.
struct LayerPrecision {
  std::string layer;
  ir::DataType precision;
};

struct Report {
  RangeSource source = RangeSource::None;
  QdqLayers qdq = QdqLayers::Fused;  ///< meaningful when they are the source
  std::string scales_from;           ///< Options::scales_from when the scales are given
  Scales scales;            ///< of every tensor that has one, before the DLA's rules widened any
  Lifted lifted;            ///< what Options::lift said
  Translation translation;  ///< of Q/DQ layers
  std::vector<std::string> derived;  ///< tensors whose scale follows from their neighbours'
  std::vector<std::string> tensors_without_scale;
  std::vector<RangeChange> range_changes;
  std::vector<PrecisionNote> notes;
  std::vector<LayerPrecision> precisions;
  int between_qdq = 0;  ///< layers in FP32 since Q/DQ layers, kept without INT8, round around them
  std::vector<std::string> unmatched_patterns;  ///< of layer_precisions
};

/// Sets Value::quantization of float tensors (for int8) and Node::precision of every layer that
/// computes with floats; casts, Q/DQ and layers on integers get none, and layers that the importer
/// gave Float32 keep it. Throws an Error when Constraints::Obey cannot be kept.
Report assign(ir::Graph& graph, const Options& options);

/// Says on the log what a user must know: fixed ranges, missing scales, widened ranges.
void log_report(const Report& report);

}  // namespace dlaexec::quant

DLAEXEC_ENUM_TEXT(dlaexec::quant::Constraints, "none", "prefer", "obey");
DLAEXEC_ENUM_TEXT(dlaexec::quant::QdqLayers, "fused", "translated", "kept");
DLAEXEC_ENUM_TEXT(dlaexec::quant::RangeSource, "none", "given", "calibrated", "fixed", "explicit");
