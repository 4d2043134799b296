// Running the plan: inputs, streams, measuring.
#pragma once

#include <memory>
#include <vector>

#include "bench/measure.h"
#include "job.h"
#include "report/exports.h"
#include "report/machine.h"
#include "run/engine.h"

namespace dlaexec::cli {

/// An engine with a context and inputs per stream, and the engines that work beside it.
class Inference {
 public:
  /// Makes the engine, the contexts and the inputs; logs the bindings. Throws an Error that names
  /// the input when one is missing, unknown or of the wrong size.
  Inference(plan::Plan plan, const InferenceOptions& options);

  /// Measures once; a second call measures again.
  bench::Result measure();
  /// Runs once on @p inputs, random ones where no file is named, and gives the outputs.
  std::vector<report::NamedTensor> evaluate(const std::vector<NamedFile>& inputs);
  /// How the machine was during the last measurement.
  const report::Conditions& conditions() const { return conditions_; }
  const run::Engine& engine() const { return engine_; }
  /// Of the first stream, after measuring.
  std::vector<report::NamedTensor> inputs() const;
  std::vector<report::NamedTensor> outputs() const;

 private:
  void add_neighbours();
  bench::Neighbour as_neighbour();
  void log_neighbours(const bench::Result& result) const;
  std::vector<ir::Tensor> read_inputs(const std::vector<NamedFile>& files) const;
  void log_bindings(const std::vector<NamedFile>& files) const;
  ir::Dims dims_of_input(const run::Binding& binding) const;
  ir::Tensor random_input(const run::Binding& binding, const ir::Dims& dims) const;

  const InferenceOptions& options_;
  run::Engine engine_;
  std::vector<run::Context> contexts_;
  InferenceOptions neighbour_options_;
  std::vector<std::unique_ptr<Inference>> neighbours_;  ///< one per plan beside it
  report::Conditions conditions_;
  std::vector<ir::Tensor> inputs_;  ///< shared by the streams, which only read them
};

}  // namespace dlaexec::cli
