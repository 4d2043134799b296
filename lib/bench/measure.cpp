#include "bench/measure.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <limits>
#include <thread>

#include "base/error.h"
#include "base/log.h"
#include "base/progress.h"
#include "bench/figures.h"
#include "bench/occupancy.h"
#include "measure/interval.h"

namespace dlaexec::bench {
namespace {

/// Samples between two looks at how well the median is known, and before the first.
constexpr size_t kStabilityStride = 10, kFewestStable = 50;

constexpr double kNever = std::numeric_limits<double>::infinity();

double milliseconds(run::Nanoseconds time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

run::Nanoseconds nanoseconds(double ms) {
  return std::chrono::duration_cast<run::Nanoseconds>(
      std::chrono::duration<double, std::milli>(ms));
}

/// What the host did besides running steps: looking up, binding, bookkeeping.
double enqueue_of(const run::Timeline& timeline) {
  run::Nanoseconds work{0};
  for (const run::StepTime& step : timeline.steps) work += step.wall;
  return milliseconds(std::max(run::Nanoseconds{0}, timeline.wall - work));
}

/// The queries of one stream that nobody has waited for yet.
struct Pipeline {
  std::deque<Query> pending;  ///< how those that run meanwhile went is not known yet
  double free_ms = 0;         ///< when the last query has ended
};

/// One measurement as it goes on.
class Measurement {
 public:
  Measurement(const std::vector<Stream>& streams, const std::vector<run::Step>& steps,
              const Options& options, const Clock& clock)
      : streams_(streams),
        steps_(steps),
        options_(options),
        clock_(clock),
        depth_(options.expose_transfers ? 1 : 2),
        dla_cores_(static_cast<size_t>(options.dla_cores)),
        processors_(static_cast<size_t>(run::Processor::Dla) + dla_cores_),
        pipelines_(streams.size()),
        loop_(options.limits),
        origin_(clock.now()) {
    result_.streams = static_cast<int>(streams.size());
    result_.warm_up_ms = options.limits.warm_up_ms;
    result_.step_ms.resize(steps.size());
    result_.neighbours.resize(options.neighbours.size());
  }

  Result run() {
    const measure::LoopLimits& limits = options_.limits;
    progress::begin_timed("measuring",
                          static_cast<int64_t>(limits.duration_ms + limits.warm_up_ms));
    while (loop_.goes_on() && !has_to_end()) iterate();
    for (size_t i = 0; i < streams_.size(); ++i)
      while (!pipelines_[i].pending.empty()) finish_oldest(i);
    progress::begin(nullptr);
    result_.wall_s = milliseconds(clock_.now() - origin_) / 1000;
    sort_queries();
    return std::move(result_);
  }

 private:
  void iterate() {
    for (size_t i = 0; i < streams_.size(); ++i) issue(i);
    double latest_start = 0;  // stays 0 while the host is still getting ahead of the engine
    for (size_t i = 0; i < streams_.size(); ++i)
      if (pipelines_[i].pending.size() >= depth_)
        latest_start = std::max(latest_start, finish_oldest(i));
    forget_the_past();
    progress::advance_to(static_cast<int64_t>(latest_start));  // a store: nobody waits for it
    if (loop_.completed(latest_start) == measure::Phase::Timed) pause(options_.idle_ms);
  }

  /// Puts a query of stream @p i into its pipeline.
  void issue(size_t i) {
    if (const auto* overlapped = std::get_if<Overlapped>(&streams_[i])) {
      overlapped->start();
      pipelines_[i].pending.emplace_back();
    } else {
      run_whole(std::get<Execute>(streams_[i]), i);
    }
  }

  void run_whole(const Execute& execute, size_t i) {
    const double before_ms = milliseconds(clock_.now() - origin_);
    const run::Timeline timeline = execute();
    result_.timeline = timeline.kind;
    if (timeline.kind == run::TimelineKind::Wall) host_ms_ = before_ms;
    for (size_t step = 0; step < steps_.size(); ++step)
      result_.step_ms[step].push_back(
          static_cast<float>(milliseconds(timeline.steps[step].duration)));

    Pipeline& stream = pipelines_[i];
    const double start_h2d = std::max(host_ms_, stream.free_ms);
    const double start = start_h2d + milliseconds(timeline.h2d);
    if (timeline.kind != run::TimelineKind::Wall) neighbours_start_until(start);
    const double end = timeline.kind == run::TimelineKind::Wall
                           ? start + milliseconds(timeline.total)
                           : end_when_composed(timeline, steps_, i, start);
    const double end_d2h = end + milliseconds(timeline.d2h);
    stream.free_ms = end_d2h;
    stream.pending.push_back(
        {host_ms_, host_ms_ + enqueue_of(timeline), start_h2d, start, start, end, end, end_d2h});
  }

  /// Neighbours begin their next query as soon as the last one has ended.
  void neighbours_start_until(double ms) {
    for (size_t i = 0; i < options_.neighbours.size(); ++i) {
      const Neighbour& neighbour = options_.neighbours[i];
      NeighbourWork& work = result_.neighbours[i];
      while (work.free_ms <= ms) {
        const run::Timeline timeline = neighbour.execute();
        const double before = work.free_ms;
        work.free_ms = end_when_composed(timeline, neighbour.steps, streams_.size() + i, before);
        ++work.queries;
        if (work.free_ms <= before) work.free_ms = kNever;  // no work in it: it needs nothing
      }
    }
  }

  void forget_the_past() {
    double past = host_ms_;
    for (const NeighbourWork& work : result_.neighbours) past = std::min(past, work.free_ms);
    for (Occupancy& processor : processors_) processor.forget_before(past);
  }

  Occupancy& processor_of(run::Processor processor, size_t stream) {
    const size_t core = processor == run::Processor::Dla ? stream % dla_cores_ : 0;
    return processors_[static_cast<size_t>(processor) + core];
  }

  /// The end of a query that starts at @p start_ms, its @p steps waiting for processors that other
  /// streams hold. A step that waits delays all that follow it.
  double end_when_composed(const run::Timeline& timeline, const std::vector<run::Step>& steps,
                           size_t stream, double start_ms) {
    double delay = 0;
    for (size_t i = 0; i < steps.size(); ++i) {
      const run::StepTime& step = timeline.steps[i];
      const double earliest = start_ms + milliseconds(step.start) + delay;
      Occupancy& processor = processor_of(steps[i].processor, stream);
      delay += processor.reserve(earliest, milliseconds(step.duration)) - earliest;
    }
    return start_ms + milliseconds(timeline.total) + delay;
  }

  /// Waits for the oldest query of stream @p i and keeps it; its start.
  double finish_oldest(size_t i) {
    const auto* overlapped = std::get_if<Overlapped>(&streams_[i]);
    const Query query = overlapped ? wait_for(*overlapped) : pipelines_[i].pending.front();
    pipelines_[i].pending.pop_front();
    host_ms_ = std::max(host_ms_, query.end_d2h_ms);
    result_.queries.push_back(query);
    return query.start_compute_ms;
  }

  Query wait_for(const Overlapped& stream) {
    const run::QueryTimes times = stream.finish();
    for (size_t step = 0; step < steps_.size(); ++step)
      result_.step_ms[step].push_back(static_cast<float>(milliseconds(times.steps[step])));
    const auto at = [&](run::Nanoseconds time) { return milliseconds(time - origin_); };
    return {at(times.start_enqueue), at(times.end_enqueue), at(times.start_h2d), at(times.end_h2d),
            at(times.start_compute), at(times.end_compute), at(times.start_d2h), at(times.end_d2h)};
  }

  void pause(double ms) {
    if (ms <= 0) return;
    host_ms_ += ms;
    if (result_.timeline == run::TimelineKind::Wall) clock_.sleep(nanoseconds(ms));
  }

  bool has_to_end() {
    const bool interrupted = options_.interrupt != nullptr && options_.interrupt->load();
    if (interrupted && !result_.queries.empty()) {  // one is waited for: there is what to report
      result_.end = End::Interrupted;
    } else if (milliseconds(clock_.now() - origin_) >= options_.most_wall_s * 1000) {
      result_.end = End::WallTime;
    } else if (options_.until_stable && is_stable()) {
      result_.end = End::Stable;
    } else if (options_.until_stable && timed_ms() >= options_.until_stable->most_ms) {
      result_.end = End::Unstable;
    } else {
      return false;
    }
    return true;
  }

  double timed_ms() const { return loop_.elapsed_ms() - options_.limits.warm_up_ms; }

  bool is_stable() {
    const size_t known = result_.queries.size();
    if (known < looked_at_ + kStabilityStride) return false;
    looked_at_ = known;
    std::vector<float> latencies;
    for (const Query& query : result_.queries)
      if (query.start_compute_ms >= options_.limits.warm_up_ms)
        latencies.push_back(query.latency_ms());
    if (latencies.size() < kFewestStable || timed_ms() < options_.until_stable->least_ms)
      return false;
    const auto width = measure::relative_half_width(latencies);
    return width && *width <= options_.until_stable->half_width;
  }

  void sort_queries() {
    std::vector<Query>& queries = result_.queries;
    std::stable_sort(queries.begin(), queries.end(), [](const Query& a, const Query& b) {
      return a.start_h2d_ms < b.start_h2d_ms;
    });
    const auto first_timed = std::find_if(queries.begin(), queries.end(), [&](const Query& query) {
      return query.start_compute_ms >= options_.limits.warm_up_ms;
    });
    result_.warm_up_queries = static_cast<size_t>(first_timed - queries.begin());
  }

  const std::vector<Stream>& streams_;
  const std::vector<run::Step>& steps_;
  const Options& options_;
  const Clock& clock_;
  size_t depth_;  ///< queries of a stream under way at a time: 2 lets the host be one ahead
  size_t dla_cores_;
  std::vector<Occupancy> processors_;  ///< host, GPU, then each DLA core
  std::vector<Pipeline> pipelines_;    ///< by stream
  measure::Loop loop_;
  run::Nanoseconds origin_;
  double host_ms_ = 0;  ///< when the host can issue the next query, on the timeline
  size_t looked_at_ = 0;
  Result result_;
};

void warn_of_instability(const Result& result, const Stability& wanted) {
  const auto width = measure::relative_half_width(series(result, &Query::latency_ms));
  log::warning(
      "The median is known to {:.1f} % after {:g} s, --untilStable asks for {:g} %: a quiet "
      "machine "
      "or more time helps.",
      width.value_or(1) * 100, wanted.most_ms / 1000, wanted.half_width * 100);
}

void warn_of_early_end(const Result& result, const Options& options) {
  if (result.end == End::WallTime)
    log::warning(
        "Measuring ended after {:.0f} s of real time with {} queries (--maxWallTime): the timeline "
        "is slower than the clock on the wall.",
        result.wall_s, result.queries.size());
  if (result.end == End::Unstable) warn_of_instability(result, *options.until_stable);
  if (result.end == End::Interrupted)
    log::warning("Measuring was interrupted after {} queries.", result.queries.size());
  if (result.queries.size() > result.warm_up_queries) return;
  log::warning("The warm up of {} ms was cut short: its queries are reported.",
               options.limits.warm_up_ms);
}

}  // namespace

std::string_view text(End end) {
  constexpr std::string_view kNames[] = {"limits", "stable", "unstable", "wall-time",
                                         "interrupted"};
  return kNames[static_cast<size_t>(end)];
}

Clock Clock::steady() {
  return {[] {
            return std::chrono::duration_cast<run::Nanoseconds>(
                std::chrono::steady_clock::now().time_since_epoch());
          },
          [](run::Nanoseconds time) { std::this_thread::sleep_for(time); }};
}

Result measure(const std::vector<Stream>& streams, const std::vector<run::Step>& steps,
               const Options& options, const Clock& clock) {
  DLAEXEC_CHECK(!streams.empty());
  Result result = Measurement(streams, steps, options, clock).run();
  if (result.queries.empty())
    fail("no query was measured: iterations, duration and warm up are 0, or --maxWallTime is");
  warn_of_early_end(result, options);
  if (result.warm_up_queries == result.queries.size()) result.warm_up_queries = 0;
  return result;
}

}  // namespace dlaexec::bench
