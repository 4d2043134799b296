#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

namespace dlaexec {
namespace {

TEST(ThreadPool, RunsEveryPartOnceOverManyLoops) {
  ThreadPool pool(3);
  for (int loop = 0; loop < 2000; ++loop) {
    std::vector<std::atomic<int>> hits(static_cast<size_t>(loop % 17));
    pool.parallel_for(loop % 17, [&](int64_t i) { ++hits[static_cast<size_t>(i)]; });
    for (const auto& hit : hits) ASSERT_EQ(hit, 1);
  }
}

TEST(ThreadPool, RangesCoverTheLoopWithoutOverlap) {
  ThreadPool pool(4);
  for (const int64_t count : {0, 1, 7, 100, 1001}) {
    std::vector<std::atomic<int>> hits(static_cast<size_t>(count));
    pool.parallel_ranges(count, 8, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) ++hits[static_cast<size_t>(i)];
    });
    for (const auto& hit : hits) ASSERT_EQ(hit, 1);
  }
}

TEST(ThreadPool, ThrowsWhatAPartThrewAndStaysUsable) {
  ThreadPool pool(2);
  EXPECT_THROW(pool.parallel_for(10,
                                 [](int64_t i) {
                                   if (i == 3) throw std::runtime_error("x");
                                 }),
               std::runtime_error);
  std::atomic<int> sum = 0;
  pool.parallel_for(10, [&](int64_t i) { sum += static_cast<int>(i); });
  EXPECT_EQ(sum, 45);
}

TEST(ThreadPool, ALoopInsideALoopRunsOnItsOwnThread) {
  ThreadPool pool(2);
  std::atomic<int> sum = 0;
  pool.parallel_for(4, [&](int64_t) { pool.parallel_for(4, [&](int64_t) { ++sum; }); });
  EXPECT_EQ(sum, 16);
}

}  // namespace
}  // namespace dlaexec
