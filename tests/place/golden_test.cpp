// tests/golden/placement/*.test: a network and what placement makes of it.
#include <gtest/gtest.h>

#include <sstream>

#include "base/log.h"
#include "ir/infer.h"
#include "ir/text.h"
#include "place/placement.h"
#include "quant/quant.h"
#include "support/golden_files.h"

namespace dlaexec::place {
namespace {

/// "int8 agx-xavier edition=8.4 cap=1 order=network no-fallback as-is gpu=conv1 in=fp16:chw16"
struct Command {
  Options options;
  bool int8 = false;
  bool as_is = false;  ///< precisions and ranges as they stand in the text
};

EdgeFormat edge_of(const std::string& text) {
  const size_t colon = text.find(':');
  const std::map<std::string, ir::DataType> types = {{"fp32", ir::DataType::Float32},
                                                     {"fp16", ir::DataType::Float16},
                                                     {"int8", ir::DataType::Int8}};
  return {types.at(text.substr(0, colon)), {*ir::parse_enum<ir::Format>(text.substr(colon + 1))}};
}

void read_setting(const std::string& key, const std::string& value, Command& command) {
  Options& options = command.options;
  if (key == "edition")
    options.edition = *ir::parse_enum<dla::Edition>(value);
  else if (key == "cap")
    options.loadable_cap = std::stoi(value);
  else if (key == "order")
    options.order = *ir::parse_enum<SubgraphOrder>(value);
  else if (key == "gpu")
    options.layer_devices[value] = ir::Device::Gpu;
  else if (key == "in")
    options.input_formats.push_back(edge_of(value));
  else if (key == "out")
    options.output_formats.push_back(edge_of(value));
  else
    fail("the golden command has no setting '{}'", key);
}

Command command_of(const std::string& text) {
  Command command;
  command.options.platform = &dla::platform("agx-orin-64");
  command.options.default_device = ir::Device::Dla;
  command.options.gpu_fallback = true;
  std::istringstream words(text);
  std::string word;
  std::vector<std::pair<std::string, std::string>> settings;
  while (words >> word) {
    if (const size_t equals = word.find('='); equals != std::string::npos)
      settings.emplace_back(word.substr(0, equals), word.substr(equals + 1));
    else if (word == "int8")
      command.int8 = true;
    else if (word == "as-is")
      command.as_is = true;
    else if (word == "no-fallback")
      command.options.gpu_fallback = false;
    else if (word != "fp16")
      command.options.platform = &dla::platform(word);
  }
  command.options.edition = dla::default_edition(command.options.platform->generation);
  for (const auto& [key, value] : settings) read_setting(key, value, command);
  return command;
}

std::string crossings_text(const std::vector<Crossing>& crossings) {
  return join(crossings, ", ", [](const Crossing& crossing) {
    return format("{} {}:{}", crossing.tensor, ir::text(crossing.type), ir::text(crossing.format));
  });
}

std::string place_text(const std::string& words, const std::string& input) {
  const Command command = command_of(words);
  ir::Graph graph = ir::parse(input);
  choose_devices(graph, command.options);
  if (!command.as_is) {
    quant::Options precisions;
    precisions.fp16 = !command.int8;
    precisions.int8 = command.int8;
    precisions.dla = dla::Target{command.options.platform->generation, command.options.edition, {}};
    quant::assign(graph, precisions);
  }
  try {
    const Placement placement = partition(graph, command.options);
    log::Capture lines;
    log_placement(placement);
    std::string text = lines.text();
    for (const Segment& segment : placement.segments)
      text += format("{}: {} -> {}\n", segment.name, crossings_text(segment.inputs),
                     crossings_text(segment.outputs));
    return text;
  } catch (const Error& error) {
    return format("error: {}\n", error.what());
  }
}

const bool kRegistered = test::register_golden("placement", place_text);

}  // namespace
}  // namespace dlaexec::place
