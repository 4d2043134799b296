#include "bench/figures.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"

namespace dlaexec::bench {

std::vector<float> series(const Result& result, float (Query::*member)() const) {
  std::vector<float> values;
  values.reserve(result.timed().size());
  for (const Query& query : result.timed()) values.push_back((query.*member)());
  return values;
}

Figures figures(const Result& result, std::span<const float> ranks) {
  const std::span<const Query> timed = result.timed();
  DLAEXEC_CHECK(!timed.empty());
  const auto of = [&](float (Query::*member)() const) {
    return measure::summarize(series(result, member), ranks);
  };
  Figures figures{timed.size(),
                  0,
                  0,
                  0,
                  of(&Query::latency_ms),
                  of(&Query::enqueue_ms),
                  of(&Query::h2d_ms),
                  of(&Query::compute_ms),
                  of(&Query::d2h_ms)};
  const double walltime_ms = timed.back().end_d2h_ms - timed.front().start_h2d_ms;
  const auto count = static_cast<double>(timed.size());
  figures.host_walltime_s = walltime_ms / 1000;
  figures.total_compute_s = double{figures.compute.mean} * count / 1000;
  if (walltime_ms > 0) figures.throughput_qps = count / walltime_ms * 1000;
  return figures;
}

std::vector<float> periods(const Result& result) {
  std::vector<double> ends;
  for (const Query& query : result.timed()) ends.push_back(query.end_d2h_ms);
  std::sort(ends.begin(), ends.end());
  const auto streams = static_cast<size_t>(result.streams);
  std::vector<float> periods;
  for (size_t i = 0; i + streams < ends.size(); ++i)
    periods.push_back(static_cast<float>((ends[i + streams] - ends[i]) / result.streams));
  return periods;
}

Profile profile(const Result& result, const std::vector<run::Step>& steps) {
  Profile profile;
  for (size_t i = 0; i < steps.size(); ++i) {
    const std::vector<float>& times = result.step_ms[i];
    LayerTime layer{steps[i].name, steps[i].processor, steps[i].kind};
    layer.error = steps[i].error;
    layer.total_ms = std::accumulate(times.begin(), times.end(), 0.0);
    if (!times.empty()) {
      layer.mean_ms = layer.total_ms / static_cast<double>(times.size());
      layer.median_ms = measure::median(times);
    }
    profile.iterations = times.size();
    profile.total_ms += layer.total_ms;
    profile.layers.push_back(std::move(layer));
  }
  if (profile.total_ms > 0)
    for (LayerTime& layer : profile.layers)
      layer.percentage = layer.total_ms / profile.total_ms * 100;
  return profile;
}

}  // namespace dlaexec::bench
