// bench_cpu MODEL.onnx [options]: the host engine on one network in FP32, dimensions that are open
// being 1.
//   --threads=N     of the pool (2)
//   --steps=N       runs N times, prints each step's least time and the sums by kernel, and ends
//   --folder=DIR    reads inputs from DIR/input<i>.bin, writes outputs to DIR/ours<i>.bin
// Without --steps it answers lines on standard input: a number runs so often and prints the times
// in milliseconds; "memory" prints the peak of resident memory in KiB.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "cpu/program.h"
#include "ir/infer.h"
#include "ir/text.h"
#include "onnx/import.h"
#include "passes/pipeline.h"
#include "support/serve.h"

namespace dlaexec {
namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

struct Arguments {
  std::string model, folder;
  int threads = 2, steps = 0;
};

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string text = argv[i];
    const auto value = [&] { return text.substr(text.find('=') + 1); };
    if (text.starts_with("--threads="))
      arguments.threads = std::stoi(value());
    else if (text.starts_with("--steps="))
      arguments.steps = std::stoi(value());
    else if (text.starts_with("--folder="))
      arguments.folder = value();
    else if (!text.starts_with("--"))
      arguments.model = text;
    else
      fail(Fault::Usage, "'{}' is no option of bench_cpu; see the head of its source", text);
  }
  if (arguments.model.empty()) fail(Fault::Usage, "give a model: bench_cpu MODEL.onnx");
  return arguments;
}

ir::Graph prepare(const std::string& model) {
  ir::Graph graph = onnx::import_file(model).graph;
  std::map<std::string, int64_t> sizes;
  for (const std::string& symbol : ir::symbols(graph)) sizes[symbol] = 1;
  if (!sizes.empty()) graph = ir::specialize(graph, sizes);
  passes::clean_up(graph);
  passes::fuse(graph);
  return graph;
}

std::vector<ir::Tensor> inputs_of(const ir::Graph& graph, const std::string& folder) {
  std::vector<ir::Tensor> inputs;
  for (const ir::ValueId id : graph.inputs) {
    const ir::Value& value = graph.value(id);
    ir::Tensor tensor = ir::Tensor::zeros(value.type, ir::dims_of(value.shape));
    if (!folder.empty()) {
      const std::string bytes = read_file(format("{}/input{}.bin", folder, inputs.size()));
      if (bytes.size() != tensor.size_bytes())
        fail("the file of input '{}' has {} bytes; it takes {}", value.name, bytes.size(),
             tensor.size_bytes());
      std::memcpy(tensor.mutable_bytes().data(), bytes.data(), bytes.size());
    }
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}

void print_steps(cpu::Program& program, const std::vector<ir::Tensor>& inputs, int runs) {
  using Nanoseconds = std::chrono::nanoseconds;
  const size_t count = program.steps().size();
  std::vector<Nanoseconds> times(count), least(count, Nanoseconds::max());
  for (int i = 0; i < runs; ++i) {
    program.run(inputs, times);
    for (size_t k = 0; k < count; ++k) least[k] = std::min(least[k], times[k]);
  }
  struct Sum {
    int steps = 0;
    double milliseconds = 0;
  };
  std::map<std::string, Sum> sums;
  for (size_t k = 0; k < count; ++k) {
    const cpu::StepInfo& step = program.steps()[k];
    const double milliseconds = Milliseconds(least[k]).count();
    std::printf("%9.3f ms  %-20s %s\n", milliseconds, step.kernel.c_str(), step.name.c_str());
    sums[step.kernel].steps += 1;
    sums[step.kernel].milliseconds += milliseconds;
  }
  for (const auto& [kernel, sum] : sums)
    std::printf("%9.3f ms  in %d steps of %s\n", sum.milliseconds, sum.steps, kernel.c_str());
  std::printf("arena: %.1f MB\n", static_cast<double>(program.arena_bytes()) / 1e6);
}

void run(const Arguments& arguments) {
  ir::Graph graph = prepare(arguments.model);
  const std::vector<ir::Tensor> inputs = inputs_of(graph, arguments.folder);
  ThreadPool pool(arguments.threads);
  cpu::Program program(std::move(graph), pool);
  const std::vector<ir::Tensor> outputs = program.run(inputs);
  if (!arguments.folder.empty())
    for (size_t i = 0; i < outputs.size(); ++i)
      write_file(
          format("{}/ours{}.bin", arguments.folder, i),
          {reinterpret_cast<const char*>(outputs[i].bytes().data()), outputs[i].size_bytes()});
  if (arguments.steps > 0) return print_steps(program, inputs, arguments.steps);
  test::serve([&] { program.run(inputs); });
}

}  // namespace
}  // namespace dlaexec

int main(int argc, char** argv) {
  try {
    dlaexec::run(dlaexec::parse(argc, argv));
    return 0;
  } catch (const dlaexec::Error& error) {
    std::cerr << error.what() << '\n';
    return static_cast<int>(error.fault());
  }
}
