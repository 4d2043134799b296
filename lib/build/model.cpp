#include "build/model.h"

#include <chrono>
#include <filesystem>

#include "base/hash.h"
#include "base/log.h"
#include "base/log_voice.h"
#include "base/progress.h"
#include "ir/text.h"
#include "onnx/import.h"

namespace dlaexec::build {
namespace {

/// The block that TensorRT's ONNX parser shows of a model.
void log_facts(const std::string& name, const onnx::Facts& facts) {
  const log::Speaking library(log::Voice::Library);
  const std::string rule(64, '-');
  log::info("{}", rule);
  log::info("Input filename:   {}", name);
  log::info("ONNX IR version:  0.0.{}", facts.ir_version);
  log::info("Opset version:    {}", join(facts.opsets, ", ", [](const auto& opset) {
              return opset.first == "ai.onnx" ? format("{}", opset.second)
                                              : format("{} of {}", opset.second, opset.first);
            }));
  log::info("Producer name:    {}", facts.producer);
  log::info("{}", rule);
}

}  // namespace

Model read_model(const Options& options) {
  const std::string name = std::filesystem::path(options.model_path).filename().string();
  if (options.graph)
    return {*options.graph, name, hash128_hex(ir::print(*options.graph, ir::Constants::Hash))};

  log::info("Start parsing network model.");
  const auto start = std::chrono::steady_clock::now();
  const progress::Scope parsing("parsing the model");
  onnx::Imported imported = onnx::import_file(options.model_path);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  log_facts(name, imported.facts);
  log::info("Finished parsing network model. Parse time: {:.6g}", took.count());
  return {std::move(imported.graph), name, std::move(imported.facts.hash)};
}

}  // namespace dlaexec::build
