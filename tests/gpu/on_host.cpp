#include "on_host.h"

#include <dlfcn.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "gpu/kernel_files.h"
#include "gpu/program.h"
#include "on_device.h"
#include "support/paths.h"

namespace dlaexec::gpu {
namespace {

using LaunchFunction = void (*)(const void* parameters, const unsigned* grid,
                                const unsigned* block);

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const size_t at = text.find(from);
  DLAEXEC_CHECK(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

/// Device code as files, with conversions in C++ where the device has an instruction.
void write_sources(const std::string& folder) {
  for (const EmbeddedFile& file : kKernelFiles) {
    std::string text = file.text;
    if (file.name == "types.cuh") {
      text = replaced(text, R"(asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x.bits));)",
                      "y = host_to_float(x.bits);");
      text = replaced(text, R"(asm("cvt.rn.f16.f32 %0, %1;" : "=h"(y.bits) : "f"(x));)",
                      "y.bits = host_from_float(x);");
    }
    if (file.name == "special.cuh") {
      text = replaced(text, R"(asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));)",
                      "y = std::exp2(x);");
      text =
          replaced(text, R"(asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));)", "y = 1 / x;");
      text = replaced(text, R"(asm("tanh.approx.f32 %0, %1;" : "=f"(y) : "f"(x));)",
                      "y = std::tanh(x);");
    }
    write_file(folder + "/" + std::string(file.name), text);
  }
  write_file(folder + "/host_shim.inc", read_file(test::source_dir() + "/tests/gpu/host_shim.inc"));
}

/// The folder of this process's sources and libraries.
const std::string& folder() {
  static const std::string path = [] {
    const std::string made = test::temporary_dir() + "/on_host";
    std::filesystem::create_directories(made);
    write_sources(made);
    return made;
  }();
  return path;
}

/// @p kernel compiled for the host.
LaunchFunction function_of(const Kernel& kernel) {
  static std::map<Kernel, LaunchFunction> known;
  if (const auto found = known.find(kernel); found != known.end()) return found->second;
  const std::string name = folder() + "/" + hash128_hex(kernel.file + kernel.expression);
  if (!kernel.source.empty()) write_file(folder() + "/" + kernel.file, kernel.source);
  write_file(name + ".cpp",
             format("#include \"host_shim.inc\"\n#include \"{}\"\n"
                    "using Parameters = decltype(host::parameters_of({}));\n"
                    "extern \"C\" void run(const void* p, const unsigned* grid, const unsigned* "
                    "block) {{\n  host::launch<Parameters, {}>(p, grid, block);\n}}\n",
                    kernel.file, kernel.expression, kernel.expression));
  const std::string command =
      format("c++ -std=c++17 -O1 -w -shared -fPIC -o {0}.so {0}.cpp 2> {0}.log", name);
  if (std::system(command.c_str()) != 0)
    fail("{} of {} does not compile for the host:\n{}", kernel.expression, kernel.file,
         read_file(name + ".log").substr(0, 4000));
  void* library = dlopen((name + ".so").c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) fail("{}", dlerror());
  return known[kernel] = reinterpret_cast<LaunchFunction>(dlsym(library, "run"));
}

/// What an Execution holds on a device.
struct Memories {
  std::vector<std::byte> arena, constants;
  std::vector<std::vector<std::byte>> inputs, outputs;

  std::byte* address(const Lowered& lowered, const Place& place) {
    const size_t index = static_cast<size_t>(place.index);
    switch (place.memory) {
      case Memory::Slot:
        return arena.data() + lowered.slots[index].offset + place.offset;
      case Memory::Constant:
        return constants.data() + lowered.constants[index].offset + place.offset;
      case Memory::Input:
        return inputs[index].data() + place.offset;
      case Memory::Output:
        return outputs[index].data() + place.offset;
      case Memory::None:
        break;
    }
    return nullptr;
  }
};

Memories memories_of(const Lowered& lowered, const std::vector<ir::Tensor>& inputs) {
  constexpr std::byte kGarbage{0x7b};  // finite in every type
  Memories memories;
  memories.arena.assign(static_cast<size_t>(lowered.arena_bytes), kGarbage);
  memories.constants.resize(static_cast<size_t>(lowered.constant_bytes));
  for (const Constant& constant : lowered.constants) {
    const std::vector<std::byte> bytes = constant.make();
    std::copy(bytes.begin(), bytes.end(), memories.constants.begin() + constant.offset);
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    memories.inputs.emplace_back(inputs[i].bytes().begin(), inputs[i].bytes().end());
    memories.inputs.back().resize(static_cast<size_t>(lowered.inputs[i].bytes));
  }
  for (const Edge& edge : lowered.outputs)
    memories.outputs.emplace_back(static_cast<size_t>(edge.bytes), kGarbage);
  for (const Slot& slot : lowered.slots)
    if (slot.zeroed && slot.first >= 0)
      std::fill_n(memories.arena.begin() + slot.offset, slot.bytes, std::byte{0});
  return memories;
}

}  // namespace

const std::string& why_not_on_host() {
  static const std::string reason = std::system("c++ --version > /dev/null 2>&1") == 0
                                        ? ""
                                        : "no C++ compiler named c++ for kernels on the host";
  return reason;
}

std::vector<ir::Tensor> run_on_host(const Lowered& lowered, const std::vector<ir::Tensor>& inputs) {
  Memories memories = memories_of(lowered, inputs);
  for (const Step& step : lowered.steps) {
    std::vector<std::byte> parameters = step.parameters;
    for (const Patch& patch : step.patches) {
      DLAEXEC_CHECK(!patch.map);
      std::byte* const address = memories.address(lowered, patch.place);
      std::memcpy(parameters.data() + patch.at, &address, sizeof address);
    }
    unsigned grid[3], block[3];
    for (size_t i = 0; i < 3; ++i) {
      grid[i] = static_cast<unsigned>(step.launch.grid[i]);
      block[i] = static_cast<unsigned>(step.launch.block[i]);
    }
    function_of(step.kernel)(parameters.data(), grid, block);
  }
  std::vector<ir::Tensor> outputs;
  for (size_t i = 0; i < lowered.outputs.size(); ++i) {
    const Held made = held(lowered.outputs[i], memories.outputs[i]);
    outputs.emplace_back(lowered.outputs[i].type, made.dims);
    std::memcpy(outputs.back().mutable_bytes().data(), made.elements.data(), made.elements.size());
  }
  return outputs;
}

void expect_like_ref_on_host(const std::string& text, double tolerance, const char* architecture) {
  SCOPED_TRACE(text.substr(0, 900));
  const ir::Graph graph = ir::parse(text);
  const Target target = target_of(architecture);
  for (const ir::Node& node : graph.nodes) ASSERT_EQ(why_not(graph, node, target), std::nullopt);
  const std::vector<ir::Tensor> inputs = random_inputs(graph);
  const std::vector<ir::Tensor> got = run_on_host(lower(graph, target), inputs);
  const std::vector<ir::Tensor> wanted = ref::run(graph, inputs);
  ASSERT_EQ(got.size(), wanted.size());
  for (size_t i = 0; i < got.size(); ++i) {
    const bool real = ir::is_float(got[i].type()) || got[i].type() == ir::DataType::Int8;
    if (real)
      expect_close(got[i], wanted[i],
                   got[i].type() == ir::DataType::Float16 ? std::max(tolerance, 1e-3) : tolerance);
    else
      EXPECT_EQ(got[i].to_ints(), wanted[i].to_ints());
  }
}

}  // namespace dlaexec::gpu
