// bench_dla MODEL.onnx [options]: the emulated DLA core on the loadables of one network.
// bench_dla --isas: what the core has for this machine beside scalar code, one a line.
//   --precision=int8|fp16  what it is built for (int8)
//   --isa=NAME             scalar or one of --isas (the fastest of them)
//   --threads=N            of the pool (2)
// Says "ready", then answers lines on standard input: a number runs so often and prints the times
// in milliseconds; "memory" prints the peak of resident memory in KiB.
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "build/build.h"
#include "dla/core/core.h"
#include "run/inputs.h"
#include "support/serve.h"

namespace dlaexec {
namespace {

struct Arguments {
  std::string model, precision = "int8";
  dla::core::Isa isa = dla::core::best_isa();
  int threads = 2;
};

dla::core::Isa isa_of(const std::string& name) {
  for (const dla::core::Isa isa : dla::core::usable_isas())
    if (ir::text(isa) == name) return isa;
  fail(Fault::Usage, "this machine does not run --isa={}; it runs {}", name,
       join(dla::core::usable_isas(), ", ", [](dla::core::Isa isa) { return ir::text(isa); }));
}

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string text = argv[i];
    const std::string value = text.substr(text.find('=') + 1);
    if (text.starts_with("--threads="))
      arguments.threads = std::stoi(value);
    else if (text.starts_with("--isa="))
      arguments.isa = isa_of(value);
    else if (text == "--precision=int8" || text == "--precision=fp16")
      arguments.precision = value;
    else if (!text.starts_with("--"))
      arguments.model = text;
    else
      fail(Fault::Usage, "'{}' is no option of bench_dla; see the head of its source", text);
  }
  if (arguments.model.empty()) fail(Fault::Usage, "give a model: bench_dla MODEL.onnx");
  return arguments;
}

/// Every loadable of the network on a core of its own, with inputs.
class Emulation {
 public:
  Emulation(const Arguments& arguments, ThreadPool& threads) {
    build::Options options;
    options.model_path = arguments.model;
    options.gpu_device.reset();
    options.dla_core = 0;
    options.gpu_fallback = options.fp16 = true;
    options.int8 = arguments.precision == "int8";
    const plan::Plan plan = build::build(options);
    for (const plan::Loadable& section : plan.loadables) {
      loadables_.push_back(
          std::make_unique<dla::Loadable>(dla::deserialize(section.bytes, section.owner)));
      const dla::Loadable& loadable = *loadables_.back();
      cores_.push_back(std::make_unique<dla::core::Core>(loadable, threads, arguments.isa));
      std::vector<ir::Tensor>& inputs = inputs_.emplace_back();
      for (const dla::CubeId id : loadable.inputs) {
        const dla::Cube& cube = loadable.cube(id);
        inputs.push_back(
            run::random_input(cube.type, {cube.dims.n, cube.dims.c, cube.dims.h, cube.dims.w}, 1));
      }
    }
    if (cores_.empty()) fail("nothing of '{}' runs on the DLA", arguments.model);
  }

  void run() {
    for (size_t i = 0; i < cores_.size(); ++i) cores_[i]->run(inputs_[i]);
  }

 private:
  std::vector<std::unique_ptr<dla::Loadable>> loadables_;
  std::vector<std::unique_ptr<dla::core::Core>> cores_;
  std::vector<std::vector<ir::Tensor>> inputs_;
};

}  // namespace
}  // namespace dlaexec

int main(int argc, char** argv) {
  try {
    dlaexec::log::set_sink({});  // standard output is the answers'
    if (argc == 2 && argv[1] == std::string("--isas")) {
      for (const dlaexec::dla::core::Isa isa : dlaexec::dla::core::usable_isas())
        if (isa != dlaexec::dla::core::Isa::Scalar) std::cout << dlaexec::ir::text(isa) << '\n';
      return 0;
    }
    const dlaexec::Arguments arguments = dlaexec::parse(argc, argv);
    dlaexec::ThreadPool threads(arguments.threads);
    dlaexec::Emulation emulation(arguments, threads);
    emulation.run();
    dlaexec::test::serve([&] { emulation.run(); });
    return 0;
  } catch (const dlaexec::Error& error) {
    std::cerr << error.what() << '\n';
    return static_cast<int>(error.fault());
  }
}
