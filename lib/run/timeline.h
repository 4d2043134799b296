// When each step of an execution ran: the measured and the modelled on one time axis.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ir/enum_text.h"

namespace dlaexec::run {

using Nanoseconds = std::chrono::nanoseconds;

/// What executes a step.
enum class Processor : uint8_t {
  Host,  ///< the CPU engine, in place of a GPU
  Gpu,
  Dla,
};

/// Where a duration comes from: a clock, or dla/clock's model.
enum class Kind : uint8_t { Measured, Modelled };

/// What the time axis of an execution is.
enum class TimelineKind : uint8_t {
  Wall,       ///< every step measured, one after the other as they ran
  Composed,   ///< each step starts when its inputs are ready and its processor is free; Kind says
              ///< how long it took
  Predicted,  ///< composed, and every step is modelled: of a board that is not here
};

/// One step of the plan as it is known before it runs.
struct Step {
  std::string name;
  std::string type;                  ///< as TensorRT prints it: "CONVOLUTION", "DLA", "REFORMAT"
  std::vector<std::string> origins;  ///< the network layers in it
  Processor processor = Processor::Host;
  Kind kind = Kind::Measured;
  /// How far off a modelled duration is on average, as a part of it; no value: not known.
  std::optional<double> error = std::nullopt;
};

/// One execution of a step. Steps of no work take no time.
struct StepTime {
  Nanoseconds start{0};     ///< from the start of the execution, on its timeline
  Nanoseconds duration{0};  ///< on the timeline
  Nanoseconds wall{0};      ///< that the host spent on it, emulation included; 0 when replayed
};

/// One execution of a plan.
struct Timeline {
  TimelineKind kind = TimelineKind::Wall;
  std::vector<StepTime> steps;  ///< in the order of the context's steps
  Nanoseconds total{0};         ///< until the last output is ready
  Nanoseconds wall{0};          ///< that the host spent on all of it
  /// Copies of inputs to a GPU before the steps and of outputs from it after them, measured; not
  /// part of total.
  Nanoseconds h2d{0}, d2h{0};
};

/// When a query ran that nobody waited for meanwhile, as time since the steady clock's epoch.
/// Copies that were left out take no time at either end of the computing.
struct QueryTimes {
  Nanoseconds start_enqueue{0}, end_enqueue{0};  ///< of the host, handing over the computing
  Nanoseconds start_h2d{0}, end_h2d{0};
  Nanoseconds start_compute{0}, end_compute{0};
  Nanoseconds start_d2h{0}, end_d2h{0};
  std::vector<Nanoseconds> steps;  ///< how long each took, in the order of the context's steps
};

}  // namespace dlaexec::run

DLAEXEC_ENUM_TEXT(dlaexec::run::Processor, "host", "gpu", "dla");
DLAEXEC_ENUM_TEXT(dlaexec::run::Kind, "measured", "modelled");
DLAEXEC_ENUM_TEXT(dlaexec::run::TimelineKind, "wall", "composed", "predicted");
