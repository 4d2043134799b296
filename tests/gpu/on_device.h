// Running a graph on the CUDA device and comparing it with ref/.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/thread_pool.h"
#include "gpu/driver.h"
#include "gpu/program.h"
#include "ir/text.h"
#include "ref/evaluate.h"

namespace dlaexec::gpu {

/// A test that needs a device and a compiler starts with this.
#define SKIP_WITHOUT_DEVICE()                                                                 \
  if (!dlaexec::gpu::find_driver().table) GTEST_SKIP() << dlaexec::gpu::find_driver().reason; \
  if (!dlaexec::gpu::find_nvrtc().table) GTEST_SKIP() << dlaexec::gpu::find_nvrtc().reason

/// The device of this process's tests.
inline const Context& device() {
  static const Context context;
  return context;
}

inline std::vector<ir::Tensor> random_inputs(const ir::Graph& graph) {
  std::vector<ir::Tensor> inputs;
  uint64_t seed = 40;
  for (const ir::ValueId id : graph.inputs)
    inputs.push_back(ir::seeded(graph.value(id).type, ir::dims_of(graph.value(id).shape), ++seed));
  return inputs;
}

/// The outputs of @p graph on the device.
inline std::vector<ir::Tensor> run_on_device(const ir::Graph& graph,
                                             const std::vector<ir::Tensor>& inputs,
                                             const LowerOptions& options = {}) {
  static ThreadPool pool;
  const Compiler compiler(device().target().architecture_name(), default_kernel_cache());
  Lowered lowered = lower(graph, device().target(), options);
  const std::vector<Cubin> code = compiler.compile(kernels_of(lowered), pool);
  const Program program(std::move(lowered), code, device());
  Execution execution(program);
  const std::vector<ir::Tensor> once = execution.run(inputs, Execution::Launching::Stream);
  const std::vector<ir::Tensor> again = execution.run(inputs, Execution::Launching::Graph);
  for (size_t i = 0; i < once.size(); ++i)  // a second run finds nothing left over from the first
    EXPECT_EQ(once[i].to_floats(), again[i].to_floats()) << "two runs differ";
  return again;
}

/// Compiles what @p graph needs with each of @p options on all cores, so that running it finds its
/// kernels in the cache.
inline void compile_ahead(const ir::Graph& graph, const std::vector<LowerOptions>& options) {
  std::vector<Kernel> kernels;
  for (const LowerOptions& one : options)
    for (const Kernel& kernel : kernels_of(lower(graph, device().target(), one)))
      kernels.push_back(kernel);
  ThreadPool pool;
  Compiler(device().target().architecture_name(), default_kernel_cache()).compile(kernels, pool);
}

/// Float results agree in relative L2 within @p tolerance. Int8 results agree in all but one
/// element of a thousand, which may round the other way by one.
inline void expect_close(const ir::Tensor& got, const ir::Tensor& wanted, double tolerance) {
  ASSERT_EQ(got.dims(), wanted.dims());
  ASSERT_EQ(got.type(), wanted.type());
  const std::vector<float> a = got.to_floats(), b = wanted.to_floats();
  double difference = 0, norm = 0;
  size_t unequal = 0;
  float largest = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(std::isfinite(a[i]), std::isfinite(b[i])) << "element " << i;
    if (!std::isfinite(b[i])) continue;
    difference += (a[i] - b[i]) * (a[i] - b[i]);
    norm += b[i] * b[i];
    unequal += a[i] != b[i];
    largest = std::max(largest, std::abs(a[i] - b[i]));
  }
  if (got.type() == ir::DataType::Int8) {
    EXPECT_LE(largest, 1);
    EXPECT_LE(unequal, a.size() / 1000 + 1);
    return;
  }
  EXPECT_LE(std::sqrt(difference), tolerance * std::sqrt(norm) + 1e-30);
}

/// The first problem of @p text whose name starts with @p family, and what may solve it.
inline Choice first_choice(const std::string& text, std::string_view family) {
  for (Choice& choice : lower(ir::parse(text), device().target()).choices)
    if (choice.problem.starts_with(family)) return std::move(choice);
  ADD_FAILURE() << "no problem of family " << family;
  return {};
}

/// Runs @p text on the device and on ref/; problems whose name starts with @p family by @p tactic.
inline void expect_like_ref(const std::string& text, double tolerance = 2e-3,
                            const std::string& tactic = "", std::string_view family = "") {
  SCOPED_TRACE(text.substr(0, 900) + (tactic.empty() ? "" : "\nwith " + tactic));
  const ir::Graph graph = ir::parse(text);
  for (const ir::Node& node : graph.nodes)
    ASSERT_EQ(why_not(graph, node, device().target()), std::nullopt);
  const std::vector<ir::Tensor> inputs = random_inputs(graph);
  LowerOptions options;
  options.choose = [&](const std::string& problem, const std::vector<std::string>&) {
    return problem.starts_with(family) ? tactic : std::string();
  };
  const std::vector<ir::Tensor> got = run_on_device(graph, inputs, options);
  const std::vector<ir::Tensor> wanted = ref::run(graph, inputs);
  ASSERT_EQ(got.size(), wanted.size());
  for (size_t i = 0; i < got.size(); ++i) expect_close(got[i], wanted[i], tolerance);
}

/// The same by each tactic for the first problem whose name starts with @p family.
inline void expect_every_tactic_like_ref(const std::string& text, double tolerance,
                                         std::string_view family) {
  const Choice choice = first_choice(text, family);
  for (const std::string& tactic : choice.tactics)
    expect_like_ref(text, tolerance, tactic, choice.problem);
}

}  // namespace dlaexec::gpu
