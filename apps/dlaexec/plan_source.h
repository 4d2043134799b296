// Where the plan comes from: built from the model, or loaded from a file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "job.h"
#include "plan/plan.h"

namespace dlaexec::cli {

struct ReadyPlan {
  plan::Plan plan;
  double seconds = 0;      ///< that building or loading took
  int64_t file_bytes = 0;  ///< 0 when the plan is not in a file
};

/// Builds the plan, saves it when that is wanted, and logs what trtexec logs.
ReadyPlan build_plan(const Job& job);

/// Loads the plan of --loadEngine, or one that runs the loadable of --runLoadable.
ReadyPlan load_plan(const Job& job);

/// The graph's text after the stage of --dumpGraph, or the list of stages for "all". Builds, but
/// keeps no plan. Throws a usage Error that lists the stages for an unknown one.
std::string dump_graph(const Job& job, const std::string& stage);

/// --timeDeserialize: loads the plan again and again and logs how long that takes. Throws an Error
/// when the first time is more than twice the average, as trtexec does.
void time_deserialization(const plan::Plan& plan);

}  // namespace dlaexec::cli
