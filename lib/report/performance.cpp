#include "report/performance.h"

#include <algorithm>
#include <map>

#include "base/log.h"
#include "dla/clock.h"
#include "measure/diagnosis.h"
#include "report/text.h"

namespace dlaexec::report {
namespace {

/// Beyond this, in percent, a run is called unstable.
constexpr float kSteadyVariance = 1;

void print_prologue(const bench::Result& result, const bench::Figures& figures,
                    const PerformanceOptions& options) {
  log::info("Warmup completed {} queries over {} ms", result.warm_up_queries,
            number(static_cast<float>(result.warm_up_ms)));
  log::info("Timing trace has {} queries over {} s", figures.queries,
            number(static_cast<float>(figures.host_walltime_s)));
  if (result.timeline != run::TimelineKind::Wall)
    log::info("Timeline: {}: {}; measuring took {} s of real time", ir::text(result.timeline),
              options.timeline_note, number(static_cast<float>(result.wall_s)));
}

void print_trace(const bench::Result& result, size_t runs, size_t most_lines) {
  const auto means = [&](float (bench::Query::*member)() const) {
    return measure::group_means(bench::series(result, member), runs);
  };
  const std::vector<float> compute = means(&bench::Query::compute_ms);
  const std::vector<float> latency = means(&bench::Query::latency_ms);
  const std::vector<float> enqueue = means(&bench::Query::enqueue_ms);
  log::info("");
  log::info("=== Trace details ===");
  log::info("Trace averages of {} runs:", runs);
  const bool omits = most_lines != 0 && compute.size() > most_lines;
  const size_t omitted = omits ? compute.size() - most_lines : 0;
  for (size_t i = 0; i < compute.size(); ++i) {
    if (omits && i == most_lines / 2) {
      log::info("... Omitting {} lines", omitted * runs);  // trtexec counts the timings
      i += omitted;
    }
    log::info("Average on {} runs - GPU latency: {} ms - Host latency: {} ms (enqueue {} ms)", runs,
              number(compute[i]), number(latency[i]), number(enqueue[i]));
  }
}

void print_summary(const bench::Figures& figures, const std::string& error_note) {
  log::info("");
  log::info("=== Performance summary ===");
  if (!error_note.empty()) log::info("{}", error_note);
  log::info("Throughput: {} qps", number(static_cast<float>(figures.throughput_qps)));
  log::info("{}", statistics_line("Latency", figures.latency));
  log::info("{}", statistics_line("Enqueue Time", figures.enqueue));
  log::info("{}", statistics_line("H2D Latency", figures.h2d));
  log::info("{}", statistics_line("GPU Compute Time", figures.compute));
  log::info("{}", statistics_line("D2H Latency", figures.d2h));
  log::info("Total Host Walltime: {} s", number(static_cast<float>(figures.host_walltime_s)));
  log::info("Total GPU Compute Time: {} s", number(static_cast<float>(figures.total_compute_s)));
}

void print_warnings(const bench::Figures& figures, int streams) {
  const float compute = figures.compute.median;
  if (figures.enqueue.median > 0.8f * compute) {
    log::warning("* Throughput may be bound by Enqueue Time: the host's own work is close to the");
    log::warning("  computing. A larger batch gives it less to do per image.");
  }
  if (figures.h2d.median > 0 && figures.h2d.median >= compute) {
    log::warning("* Throughput may be bound by host-to-device transfers for the inputs.");
    log::warning("  Leave them out with --noDataTransfers if the data is on the device already.");
  }
  if (figures.d2h.median > 0 && figures.d2h.median >= compute) {
    log::warning("* Throughput may be bound by device-to-host transfers for the outputs.");
    log::warning("  Leave them out with --noDataTransfers if the data stays on the device.");
  }
  if (figures.compute.coefficient_of_variance > kSteadyVariance) {
    log::warning("* GPU compute time is unstable, with coefficient of variance = {}%.",
                 number(figures.compute.coefficient_of_variance));
    log::warning("  A quiet machine with a fixed clock gives steadier times.");
  }
  if (streams > 1) {
    log::warning("* Multiple inference streams are used. Latencies include waiting for processors");
    log::warning("  that other streams hold.");
  }
}

/// What makes the samples doubtful, seen in themselves and on the machine.
void print_doubts(const bench::Result& result, const std::vector<std::string>& disturbances) {
  const std::vector<float> latencies = bench::series(result, &bench::Query::latency_ms);
  for (const std::string& sentence : measure::diagnose(latencies).sentences())
    log::warning("* Latency: {}.", sentence);
  for (const std::string& sentence : disturbances) log::warning("* Machine: {}.", sentence);
}

/// A format change at the border of the DLA: modelled, with no error of its own.
bool is_transition(const bench::LayerTime& layer) {
  return layer.kind == run::Kind::Modelled && !layer.error &&
         layer.processor != run::Processor::Dla;
}

void explain() {
  constexpr std::string_view kLines[] = {
      "Total Host Walltime: from the start of the first timed query to the end of the last.",
      ("Total GPU Compute Time: the mean of GPU Compute Time times the number of timed queries. "
       "Much less than the walltime means that engines wait."),
      "Throughput: timed queries over Total Host Walltime.",
      ("Enqueue Time: the host's own work for a query, besides running its steps. More than GPU "
       "Compute Time means that the host is the limit."),
      "H2D Latency: moving the inputs to the engine. 0 where host and engine share their memory.",
      ("GPU Compute Time: from the start of a query's first step to the end of its last, on the "
       "GPU, on the host in its place, and on the DLA."),
      ("D2H Latency: moving the outputs from the engine. 0 where host and engine share their "
       "memory."),
      "Latency: H2D Latency, GPU Compute Time and D2H Latency together."};
  log::info("Explanations of the performance metrics are printed in the verbose logs.");
  log::verbose("");
  log::verbose("=== Explanations of the performance metrics ===");
  for (const std::string_view line : kLines) log::verbose("{}", line);
}

}  // namespace

std::string statistics_line(std::string_view name, const measure::Statistics& s) {
  std::string line = format("{}: min = {} ms, max = {} ms, mean = {} ms, median = {} ms", name,
                            number(s.min), number(s.max), number(s.mean), number(s.median));
  for (const measure::Percentile& p : s.percentiles)
    line += format(", percentile({}%) = {} ms", number(p.rank), number(p.value));
  return line;
}

std::string division_of_time(const bench::Profile& profile) {
  struct Share {
    double percentage = 0;
    const bench::LayerTime* largest = nullptr;  ///< whose error stands for all; none: transitions
  };
  std::map<std::pair<run::Processor, run::Kind>, Share> shares;
  for (const bench::LayerTime& layer : profile.layers) {
    Share& share = shares[{layer.processor, layer.kind}];
    share.percentage += layer.percentage;
    if (is_transition(layer)) continue;
    if (share.largest == nullptr || layer.percentage > share.largest->percentage)
      share.largest = &layer;
  }
  return join(shares, ", ", [](const auto& entry) {
    const auto& [engine, share] = entry;
    std::string text =
        format("{} {:.1f} % {}", ir::text(engine.first), share.percentage, ir::text(engine.second));
    if (engine.second == run::Kind::Modelled && share.largest != nullptr)
      text += format(" ({})", dla::error_text(share.largest->error));
    return text;
  });
}

std::optional<double> modelled_error(const bench::Profile& profile) {
  double known = 0, unknown = 0, all = 0, off = 0;
  for (const bench::LayerTime& layer : profile.layers) {
    all += layer.mean_ms;
    if (layer.kind != run::Kind::Modelled || is_transition(layer)) continue;
    (layer.error ? known : unknown) += layer.mean_ms;
    off += layer.error.value_or(0) * layer.mean_ms;
  }
  if (known == 0 || unknown > known) return std::nullopt;
  return off / all;
}

std::string error_note(const bench::Profile& profile) {
  const bool is_modelled = std::ranges::any_of(profile.layers, [](const bench::LayerTime& layer) {
    return layer.kind == run::Kind::Modelled;
  });
  if (!is_modelled) return "";
  const std::optional<double> error = modelled_error(profile);
  return format("Modelled times are part of all figures but Enqueue Time: {}{}",
                dla::error_text(error),
                error ? ", the mean error on networks that the model was not fitted to" : "");
}

void print_performance(const bench::Result& result, const PerformanceOptions& options) {
  const bench::Figures figures = bench::figures(result, options.percentiles);
  print_prologue(result, figures, options);
  print_trace(result, options.average_runs, options.trace_lines);
  print_summary(figures, options.error_note);
  print_warnings(figures, result.streams);
  print_doubts(result, options.disturbances);
  explain();
  log::info("");
}

}  // namespace dlaexec::report
