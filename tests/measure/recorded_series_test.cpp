// The comparison on series that were recorded, not made up: see recorded_series.txt.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "measure/compare.h"
#include "support/paths.h"

namespace dlaexec::measure {
namespace {

using Series = std::vector<float>;

/// The runs of each network.
std::map<std::string, std::vector<Series>> recorded() {
  std::ifstream file(test::source_dir() + "/tests/measure/recorded_series.txt");
  std::map<std::string, std::vector<Series>> runs;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("#")) continue;
    std::istringstream words(line);
    std::string name;
    words >> name;
    Series series;
    for (float sample = 0; words >> sample;) series.push_back(sample);
    runs[name].push_back(std::move(series));
  }
  return runs;
}

/// Verdicts over all ordered pairs of different runs of the same network, the later one slower by
/// @p factor.
struct Rates {
  int pairs = 0;
  std::map<Verdict, int> verdicts;
  double share(Verdict verdict) { return verdicts[verdict] / static_cast<double>(pairs); }
};
Rates rates(float factor) {
  Rates rates;
  for (const auto& [name, runs] : recorded())
    for (const Series& before : runs)
      for (const Series& after : runs) {
        if (&before == &after) continue;
        Series slowed = after;
        for (float& sample : slowed) sample *= factor;
        ++rates.pairs;
        ++rates.verdicts[compare(before, slowed, 0.05).verdict];
      }
  return rates;
}

TEST(RecordedSeries, NoChangeIsHardlyEverCalledSlowerOrFaster) {
  Rates r = rates(1);
  ASSERT_GE(r.pairs, 200);
  EXPECT_LE(r.share(Verdict::Slower), 0.02);
  EXPECT_LE(r.share(Verdict::Faster), 0.02);
}

TEST(RecordedSeries, ALargeSlowdownIsNeverCalledSameOrFaster) {
  Rates r = rates(1.5f);
  EXPECT_EQ(r.share(Verdict::Same), 0);
  EXPECT_EQ(r.share(Verdict::Faster), 0);
  EXPECT_GT(r.share(Verdict::Slower), 0.1);
}

}  // namespace
}  // namespace dlaexec::measure
