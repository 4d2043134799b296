// What the command line asks to be done, contradictions ruled out.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bench/measure.h"
#include "build/options.h"
#include "grammar.h"
#include "persona.h"
#include "references.h"
#include "run/engine.h"
#include "settings.h"

namespace dlaexec::cli {

/// What is measured, and on what.
struct InferenceOptions {
  run::EngineOptions engine;
  bench::Options bench;
  int streams = 1;
  double sleep_ms = 0;
  std::vector<NamedDims> shapes;
  std::vector<NamedFile> inputs;
  uint32_t seed = 1;
  int release = 806;  ///< of trtexec, whose lines are printed
  Persona persona = Persona::Dlaexec;
  std::vector<std::string> beside;  ///< plans whose engines work on the same processors meanwhile
};

struct Job {
  build::Options build;
  std::string load_engine, save_engine, run_loadable;  ///< paths; empty: not wanted
  std::string profiling_verbosity;
  bool standalone = false;  ///< one loadable for the DLA alone
  bool skip_build = false;  ///< ends once the placement is explained
  bool skip_inference = false;
  bool time_deserialize = false;
  InferenceOptions inference;
  References references;
  std::vector<float> percentiles;
  size_t average_runs = 10;
  bool profiles = false;  ///< a layer profile is wanted
  bool separate_profile_run = false;

  /// The file that the job is about.
  const std::string& subject() const {
    if (!run_loadable.empty()) return run_loadable;
    return load_engine.empty() ? build.model_path : load_engine;
  }

  bool builds() const { return load_engine.empty() && run_loadable.empty(); }
};

/// Reads every value's grammar and rules out contradictions; throws a usage Error at the first one.
/// Warns in the log of what is given in vain.
Job make_job(const Settings& settings);

}  // namespace dlaexec::cli
