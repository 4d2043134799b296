// tests/golden/passes/: one pass (or one list of passes) over a graph.
#include <gtest/gtest.h>

#include "ir/infer.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "passes/pipeline.h"
#include "support/golden_files.h"

namespace dlaexec::passes {
namespace {

/// "pass NAME", "clean-up", "fuse" or "fix-types".
std::string run_command(const std::string& command, const std::string& input) {
  ir::Graph graph = ir::parse(input);
  ir::verify(graph);
  if (command == "clean-up") clean_up(graph);
  if (command == "fuse") fuse(graph);
  if (command == "fix-types") fix_types(graph);
  if (command.starts_with("pass ")) {
    for (const auto list : {clean_up_passes(), fusion_passes(), type_passes()})
      for (const Pass& pass : list)
        if (pass.name == command.substr(5)) {
          run({&pass, 1}, graph);
          return ir::print(graph);
        }
    return "no pass is called " + command.substr(5) + "\n";
  }
  return ir::print(graph);
}

[[maybe_unused]] const bool registered = test::register_golden("passes", run_command);

}  // namespace
}  // namespace dlaexec::passes
