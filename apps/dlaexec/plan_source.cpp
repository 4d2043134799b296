#include "plan_source.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <numeric>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "build/build.h"
#include "build/standalone.h"
#include "ir/text.h"
#include "plan/file.h"
#include "report/layer_info.h"
#include "report/text.h"
#include "run/loadable_plan.h"
#include "stopwatch.h"

namespace dlaexec::cli {
namespace {

using report::number;

int64_t file_size(const std::string& path) {
  std::error_code ignored;
  const auto size = std::filesystem::file_size(path, ignored);
  return ignored ? 0 : static_cast<int64_t>(size);
}

/// As trtexec says it from 10 on.
void log_size(std::string_view what, const ReadyPlan& ready, const Job& job) {
  if (job.inference.release < 1000) return;
  const int64_t bytes = ready.file_bytes != 0
                            ? ready.file_bytes
                            : static_cast<int64_t>(plan::bytes_in_file(ready.plan));
  log::info("{}: {} MiB", what, number(static_cast<float>(bytes) / (1 << 20)));
}

/// What --saveEngine writes: the plan, or the loadable alone.
void save(const plan::Plan& plan, const Job& job) {
  if (!job.standalone) return plan::save(plan, job.save_engine);
  const std::span<const std::byte> loadable = build::sole_loadable(plan);
  write_file(job.save_engine, {reinterpret_cast<const char*>(loadable.data()), loadable.size()});
}

}  // namespace

ReadyPlan build_plan(const Job& job) {
  const Stopwatch watch;
  ReadyPlan ready{build::build(job.build), 0, 0};
  if (job.standalone) build::sole_loadable(ready.plan);  // says what else is in it, if it is not
  ready.plan.metadata.settings.push_back(
      {std::string(report::kVerbositySetting), job.profiling_verbosity});
  if (!job.save_engine.empty()) {
    save(ready.plan, job);
    ready.file_bytes = file_size(job.save_engine);
  }
  ready.seconds = watch.seconds();
  log_size("Created engine with size", ready, job);
  log::info("Engine built in {} sec.", number(static_cast<float>(ready.seconds)));
  return ready;
}

ReadyPlan load_plan(const Job& job) {
  const Stopwatch watch;
  const std::string& path = job.run_loadable.empty() ? job.load_engine : job.run_loadable;
  if (::access(path.c_str(), R_OK) != 0)
    fail("Error opening engine file: {}: {}", path, std::strerror(errno));
  ReadyPlan ready{plan::Plan{}, 0, file_size(path)};
  if (job.run_loadable.empty()) {
    ready.plan = plan::load(path);
  } else {
    const MappedFile file(path);
    ready.plan = in_context([&] { return format("loading '{}'", path); },
                            [&] { return run::plan_of_loadable(file.bytes(), file.owner()); });
  }
  ready.seconds = watch.seconds();
  log::info("Engine loaded in {} sec.", number(static_cast<float>(ready.seconds)));
  log_size("Loaded engine with size", ready, job);
  return ready;
}

std::string dump_graph(const Job& job, const std::string& stage) {
  build::Options options = job.build;
  std::vector<std::string> stages;
  std::string text;
  options.on_stage = [&](std::string_view reached, const ir::Graph& graph) {
    stages.emplace_back(reached);
    if (reached == stage) text = ir::print(graph, ir::Constants::Hash);
  };
  build::build(options);
  if (stage == "all") return join(stages, "\n") + "\n";
  if (text.empty())
    fail(Fault::Usage, "--dumpGraph knows no stage '{}'; the stages are {}", stage,
         join(stages, ", "));
  return text;
}

void time_deserialization(const plan::Plan& plan) {
  constexpr int kWarmUps = 2, kIterations = 20;
  const auto bytes = std::make_shared<const std::string>(plan::to_bytes(plan));
  const auto load = [&] {
    const Stopwatch watch;
    plan::from_bytes(std::as_bytes(std::span(*bytes)), bytes);
    return watch.seconds() * 1000;
  };
  log::info("Begin deserialization warmup...");
  for (int i = 0; i < kWarmUps; ++i) load();
  log::info("Begin deserialization engine timing...");
  const double first_ms = load();
  log::info("First deserialization time = {} milliseconds", number(static_cast<float>(first_ms)));
  double total_ms = 0;
  for (int i = 0; i < kIterations; ++i) total_ms += load();
  const double average_ms = total_ms / kIterations;
  log::info(
      "Total deserialization time = {} milliseconds in {} iterations, average time = {} "
      "milliseconds, first time = {} milliseconds.",
      number(static_cast<float>(total_ms)), kIterations, number(static_cast<float>(average_ms)),
      number(static_cast<float>(first_ms)));
  log::info("Deserialization Bandwidth = {} GB/s",
            number(static_cast<float>(static_cast<double>(bytes->size()) / average_ms / 1e6)));
  if (first_ms > 2 * average_ms)
    fail("the first deserialization took {} ms, the average {} ms: exceeds the tolerance of 2x",
         number(static_cast<float>(first_ms)), number(static_cast<float>(average_ms)));
}

}  // namespace dlaexec::cli
