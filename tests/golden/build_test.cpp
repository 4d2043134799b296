// tests/golden/build/: a whole build of a small network. The command is "build" and words: dla
// (core 0), core=N, fallback, fp16, int8, xavier, in=TYPE:FORMAT, out=TYPE:FORMAT, gpu=LAYER,
// shape=NAME:DIMS.
#include <gtest/gtest.h>

#include <sstream>

#include "base/log.h"
#include "build/build.h"
#include "ir/text.h"
#include "support/golden_files.h"

namespace dlaexec::build {
namespace {

place::EdgeFormat edge_of(const std::string& text) {
  const size_t colon = text.find(':');
  return {ir::parse_enum<ir::DataType>(text.substr(0, colon)).value(),
          {ir::parse_enum<ir::Format>(text.substr(colon + 1)).value()}};
}

InputShape shape_of(const std::string& text) {
  const size_t colon = text.find(':');
  ir::Dims dims;
  std::istringstream sizes(text.substr(colon + 1));
  for (std::string size; std::getline(sizes, size, 'x');) dims.push_back(std::stoll(size));
  return {text.substr(0, colon), dims, dims, dims};
}

void take(const std::string& word, Options& options) {
  const std::string value = word.substr(word.find('=') + 1);
  if (word == "dla") options.dla_core = 0;
  if (word.starts_with("core=")) options.dla_core = std::stoi(value);
  if (word == "fallback") options.gpu_fallback = true;
  if (word == "fp16") options.fp16 = true;
  if (word == "int8") options.int8 = true;
  if (word == "xavier") options.platform = "agx-xavier";
  if (word.starts_with("in=")) options.input_formats.push_back(edge_of(value));
  if (word.starts_with("out=")) options.output_formats.push_back(edge_of(value));
  if (word.starts_with("gpu=")) options.layer_devices[value] = ir::Device::Gpu;
  if (word.starts_with("shape=")) options.shapes.push_back(shape_of(value));
}

/// Warnings, errors and infos, without the verbose lines that hold times.
std::string loud(const std::string& log) {
  std::string kept;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);)
    if (!line.starts_with("[V]")) kept += line + "\n";
  return kept;
}

std::string layers_text(const plan::Plan& plan) {
  std::string text;
  for (const plan::Layer& layer : plan.metadata.layers) {
    text += format("{} {} {} {} -> {}\n", layer.name, layer.type, ir::text(layer.device),
                   ir::text(layer.precision), layer.step.empty() ? "nothing" : layer.step);
    for (const ir::Finding& finding : layer.findings)
      text += format("    {}\n", finding.sentence());
  }
  for (const std::string& note : plan.metadata.notes) text += note + "\n";
  return text;
}

std::string run_command(const std::string& command, const std::string& input) {
  Options options;
  options.graph = ir::parse(input);
  std::istringstream words(command);
  for (std::string word; words >> word;) take(word, options);
  log::Capture captured;
  try {
    const plan::Plan plan = build(options);
    return loud(captured.text()) + ir::print(plan.graph, ir::Constants::Hash) + layers_text(plan);
  } catch (const Error& error) {
    return loud(captured.text()) + "error: " + error.what() + "\n";
  }
}

[[maybe_unused]] const bool registered = test::register_golden("build", run_command);

}  // namespace
}  // namespace dlaexec::build
