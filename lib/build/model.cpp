#include "build/model.h"

#include <chrono>
#include <filesystem>

#include "base/hash.h"
#include "base/log.h"
#include "base/progress.h"
#include "ir/text.h"
#include "onnx/import.h"

namespace dlaexec::build {

Model read_model(const Options& options) {
  const std::string name = std::filesystem::path(options.model_path).filename().string();
  if (options.graph)
    return {*options.graph, name, hash128_hex(ir::print(*options.graph, ir::Constants::Hash))};

  log::info("Start parsing network model.");
  const auto start = std::chrono::steady_clock::now();
  const progress::Scope parsing("parsing the model");
  onnx::Imported imported = onnx::import_file(options.model_path);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  log::info("Finished parsing network model. Parse time: {:.6g}", took.count());
  return {std::move(imported.graph), name, std::move(imported.facts.hash)};
}

}  // namespace dlaexec::build
