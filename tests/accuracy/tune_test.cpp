#include "accuracy/tune.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace dlaexec::accuracy {
namespace {

using testing::ElementsAre;

/// A network of three layers in INT8 whose losses add up: lifting a layer takes its part away.
class Network {
 public:
  struct Layer {
    double loss, fp16_ms, off_dla_ms;
  };
  explicit Network(std::map<std::string, Layer> layers) : layers_(std::move(layers)) {}

  PrecisionTrial operator()(const std::vector<Lift>& lifted) {
    PrecisionTrial trial;
    trial.time_ms = 1;
    for (const auto& [name, layer] : layers_) trial.loss += layer.loss;
    for (const Lift& lift : lifted) {
      trial.loss -= layers_.at(lift.layer).loss;
      trial.time_ms +=
          lift.off_dla ? layers_.at(lift.layer).off_dla_ms : layers_.at(lift.layer).fp16_ms;
    }
    trial.noise = trial.loss;
    return trial;
  }
  std::vector<Lift> candidates() const {
    std::vector<Lift> all;
    for (const auto& [name, layer] : layers_)
      for (const bool off_dla : {false, true}) all.push_back({name, off_dla});
    return all;
  }

 private:
  std::map<std::string, Layer> layers_;
};

TEST(SearchPrecision, LiftsNothingWhenTheLossHolds) {
  Network network({{"a", {0.1, 1, 1}}});
  const PrecisionSearch found = search_precision(network.candidates(), 0.5, 9, std::ref(network));
  EXPECT_EQ(found.tried.size(), 1u);
  EXPECT_EQ(found.chosen, 0u);
}

TEST(SearchPrecision, LiftsTheLayersThatBringMostForTheirTimeAndWhereTheyAreFastest) {
  Network network({{"a", {0.5, 10, 1}}, {"b", {0.1, 5, 9}}, {"c", {2.0, 2, 3}}});
  const PrecisionSearch found = search_precision(network.candidates(), 0.15, 9, std::ref(network));
  ASSERT_TRUE(found.chosen.has_value());
  const PrecisionTrial& chosen = found.tried[*found.chosen];
  EXPECT_THAT(chosen.lifted, ElementsAre(Lift{"c", false}, Lift{"a", true}));
  EXPECT_NEAR(chosen.loss, 0.1, 1e-9);
  EXPECT_NEAR(chosen.time_ms, 4, 1e-9);
}

TEST(SearchPrecision, PutsBackWhatIsNotNeeded) {
  // "a" is worth most for its time, but "b" alone is enough.
  Network network({{"a", {0.2, 0.1, 9}}, {"b", {0.9, 1, 9}}});
  const PrecisionSearch found = search_precision(network.candidates(), 0.3, 9, std::ref(network));
  ASSERT_TRUE(found.chosen.has_value());
  EXPECT_THAT(found.tried[*found.chosen].lifted, ElementsAre(Lift{"b", false}));
}

TEST(SearchPrecision, SaysWhenNothingIsEnough) {
  Network network({{"a", {0.5, 1, 1}}});
  network({});
  const PrecisionSearch found = search_precision({}, 0.1, 9, std::ref(network));
  EXPECT_FALSE(found.chosen.has_value());
}

TEST(SearchPrecision, ParetoPointsAreNeverBeatenInBoth) {
  Network network({{"a", {0.5, 10, 1}}, {"b", {0.1, 5, 9}}, {"c", {2.0, 2, 3}}});
  const PrecisionSearch found = search_precision(network.candidates(), 0.0, 9, std::ref(network));
  ASSERT_GE(found.pareto.size(), 2u);
  EXPECT_EQ(found.pareto.front(), 0u) << "INT8 alone is the fastest";
  for (size_t i = 1; i < found.pareto.size(); ++i) {
    EXPECT_GE(found.tried[found.pareto[i]].time_ms, found.tried[found.pareto[i - 1]].time_ms);
    EXPECT_LT(found.tried[found.pareto[i]].loss, found.tried[found.pareto[i - 1]].loss);
  }
}

TEST(SearchPrecision, GoesOnWithLayersThatWereNotTriedAlone) {
  Network network({{"a", {0.5, 1, 9}}, {"b", {0.4, 1, 9}}, {"c", {0.3, 1, 9}}});
  const std::vector<Lift> guilty_first = {{"a", false}, {"b", false}, {"c", false}};
  const PrecisionSearch found = search_precision(guilty_first, 0.0, 1, std::ref(network));
  ASSERT_TRUE(found.chosen.has_value());
  EXPECT_EQ(found.tried[*found.chosen].lifted.size(), 3u);
}

}  // namespace
}  // namespace dlaexec::accuracy
