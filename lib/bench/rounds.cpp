#include "bench/rounds.h"

#include "base/error.h"
#include "bench/figures.h"
#include "measure/statistics.h"

namespace dlaexec::bench {
namespace {

/// A query that ends at @p end_ms and takes the medians of @p round.
Query median_query(const Result& round, double end_ms) {
  const auto median = [&](float (Query::*member)() const) {
    return double{measure::median(series(round, member))};
  };
  Query query;
  query.end_d2h_ms = end_ms;
  query.start_d2h_ms = query.end_compute_ms = end_ms - median(&Query::d2h_ms);
  query.start_compute_ms = query.end_h2d_ms = query.end_compute_ms - median(&Query::compute_ms);
  query.start_h2d_ms = query.start_compute_ms - median(&Query::h2d_ms);
  query.start_enqueue_ms = query.start_h2d_ms;
  query.end_enqueue_ms = query.start_enqueue_ms + median(&Query::enqueue_ms);
  return query;
}

double median_period(const Result& round) {
  const std::vector<float> between = periods(round);
  return between.empty() ? measure::median(series(round, &Query::latency_ms))
                         : measure::median(between);
}

}  // namespace

Result medians_of(const std::vector<Result>& rounds) {
  DLAEXEC_CHECK(!rounds.empty());
  Result result;
  result.timeline = rounds.front().timeline;
  result.warm_up_ms = rounds.front().warm_up_ms;
  result.end = rounds.back().end;
  result.step_ms.resize(rounds.front().step_ms.size());
  double end_ms = 0;
  for (const Result& round : rounds) {
    end_ms += median_period(round);
    result.queries.push_back(median_query(round, end_ms));
    result.wall_s += round.wall_s;
    for (size_t i = 0; i < round.step_ms.size(); ++i)
      result.step_ms[i].push_back(
          measure::median(std::span(round.step_ms[i]).subspan(round.warm_up_queries)));
  }
  return result;
}

}  // namespace dlaexec::bench
