#include "bench/rounds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/figures.h"

namespace dlaexec::bench {
namespace {

using testing::ElementsAre;
using testing::FloatNear;

/// Three queries of the given length, one every @p period ms; the first belongs to the warm-up.
Result round_of(double length, double period) {
  Result result;
  result.warm_up_queries = 1;
  for (int i = 0; i < 4; ++i) {
    const double start = period * i, end = start + length + (i == 2 ? 1 : 0);
    result.queries.push_back({start, start, start, start, start, end, end, end});
  }
  result.step_ms = {{100, 1, 2, 3}};
  return result;
}

TEST(Rounds, GiveOneQueryEachWithTheRoundsMedians) {
  const Result result = medians_of({round_of(2, 5), round_of(3, 7)});
  EXPECT_THAT(series(result, &Query::latency_ms), ElementsAre(2, 3));
  EXPECT_THAT(periods(result), ElementsAre(FloatNear(7, 1e-4f)));
  EXPECT_EQ(result.warm_up_queries, 0u);
  EXPECT_THAT(result.step_ms.at(0), ElementsAre(2, 2));
}

}  // namespace
}  // namespace dlaexec::bench
