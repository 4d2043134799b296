#include "tune/exchange.h"

#include <gmock/gmock.h>

#include <random>

namespace dlaexec::tune {
namespace {

using testing::ElementsAre;

/// A network whose time is known, and what was asked of it.
class Network {
 public:
  explicit Network(std::function<double(const Choices&)> time) : time_(std::move(time)) {}

  Compare compare() {
    return [this](const Choices& kept, const Choices& tried) -> std::optional<double> {
      asked.push_back(tried);
      return time_(tried) / time_(kept);
    };
  }
  double time(const Choices& choices) const { return time_(choices); }

  std::vector<Choices> asked;

 private:
  std::function<double(const Choices&)> time_;
};

ExchangeLimits no_limits() {
  ExchangeLimits limits;
  limits.time_is_up = [] { return false; };
  return limits;
}

Exchange one(const std::string& problem, const std::string& tactic, double promise) {
  return {{{problem, tactic}}, promise};
}

/// 100, and what each of @p more costs where it is chosen.
Network network_of(std::map<std::string, double> more) {
  return Network([more = std::move(more)](const Choices& choices) {
    double time = 100;
    for (const auto& [problem, tactic] : choices)
      if (const auto cost = more.find(tactic); cost != more.end()) time += cost->second;
    return time;
  });
}

TEST(Exchange, KeepsWhatTheNetworkIsFasterWith) {
  Network network = network_of({{"fast", -5}, {"slow", 5}});
  const Exchanged found =
      exchange({{"a", "first"}, {"b", "first"}}, {one("a", "fast", 1), one("b", "slow", 1)},
               network.compare(), no_limits());
  EXPECT_EQ(found.choices, (Choices{{"a", "fast"}, {"b", "first"}}));
  EXPECT_EQ(found.kept, 1);
  EXPECT_DOUBLE_EQ(found.ratio, 0.95);
}

TEST(Exchange, KeepsNothingForAGainWithinTheScatter) {
  Network network = network_of({{"hardly faster", -0.1}});
  const Exchanged found =
      exchange({{"a", "first"}}, {one("a", "hardly faster", 1)}, network.compare(), no_limits());
  EXPECT_EQ(found.choices, (Choices{{"a", "first"}}));
  EXPECT_EQ(found.ratio, 1);
}

TEST(Exchange, TriesFirstWhatPromisesMost) {
  Network network = network_of({});
  exchange({{"a", "0"}, {"b", "0"}}, {one("a", "1", 2), one("b", "1", 3), one("a", "2", 5)},
           network.compare(), no_limits());
  EXPECT_THAT(network.asked,
              ElementsAre(Choices{{"a", "2"}, {"b", "0"}}, Choices{{"a", "0"}, {"b", "1"}},
                          Choices{{"a", "1"}, {"b", "0"}}));
}

TEST(Exchange, StopsWhenTimeIsUpAndReturnsWhatItHas) {
  Network network = network_of({{"fast", -5}});
  ExchangeLimits limits;
  limits.time_is_up = [&] { return network.asked.size() == 1; };
  const Exchanged found =
      exchange({{"a", "first"}, {"b", "first"}}, {one("a", "fast", 2), one("b", "fast", 1)},
               network.compare(), limits);
  EXPECT_EQ(found.choices, (Choices{{"a", "fast"}, {"b", "first"}}));
  EXPECT_EQ(network.asked.size(), 1u);
}

TEST(Exchange, TriesAgainWhatLostNarrowlyOnceOthersWereKept) {
  // b's tactic pays only beside a's, c's never.
  Network network([](const Choices& c) {
    return 100.0 - (c.at("a") == "1" ? 2 : 0) + (c.at("c") == "1" ? 9 : 0) +
           (c.at("b") == "1" ? (c.at("a") == "1" ? -3 : 0.5) : 0);
  });
  const Exchanged found = exchange({{"a", "0"}, {"b", "0"}, {"c", "0"}},
                                   {one("b", "1", 3), one("c", "1", 2), one("a", "1", 1)},
                                   network.compare(), no_limits());
  EXPECT_EQ(found.choices, (Choices{{"a", "1"}, {"b", "1"}, {"c", "0"}}));
  EXPECT_EQ(network.asked.size(), 4u) << "what clearly lost was tried again";
}

TEST(Exchange, SeveralChangesAreOneTrial) {
  Network network([](const Choices& c) {  // either alone loses
    const int changed = (c.at("a") == "apart" ? 1 : 0) + (c.at("b") == "apart" ? 1 : 0);
    return changed == 1 ? 103.0 : changed == 2 ? 97.0 : 100.0;
  });
  const Exchanged found = exchange({{"a", "joined"}, {"b", "joined"}},
                                   {{{{"a", "apart"}, {"b", "apart"}}, 9}, one("a", "apart", 1)},
                                   network.compare(), no_limits());
  EXPECT_EQ(found.choices, (Choices{{"a", "apart"}, {"b", "apart"}}));
  EXPECT_EQ(found.tried, 1) << "what was chosen meanwhile is no exchange";
}

TEST(Exchange, WhatCannotRunIsNotChosen) {
  const Exchanged found = exchange(
      {{"a", "first"}}, {one("a", "too large", 1)},
      [](const Choices&, const Choices&) { return std::optional<double>(); }, no_limits());
  EXPECT_EQ(found.choices, (Choices{{"a", "first"}}));
  EXPECT_EQ(found.tried, 0);
}

TEST(Exchange, NeverEndsSlowerAndAlwaysTheSame) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    // Problems whose tactics also depend on each other.
    Network network([seed](const Choices& choices) {
      double time = 100;
      std::string before;
      for (const auto& [problem, tactic] : choices) {
        const size_t hash = std::hash<std::string>()(before + problem + tactic) + seed;
        time += static_cast<double>(std::mt19937(static_cast<unsigned>(hash))() % 1000) / 500;
        before = tactic;
      }
      return time;
    });
    Choices first;
    std::vector<Exchange> exchanges;
    for (const char* problem : {"a", "b", "c", "d", "e"}) {
      first[problem] = "0";
      for (const char* tactic : {"1", "2", "3"})
        exchanges.push_back(one(problem, tactic, static_cast<double>(exchanges.size() % 4)));
    }
    const Exchanged found = exchange(first, exchanges, network.compare(), no_limits());
    EXPECT_LE(network.time(found.choices), network.time(first));
    EXPECT_NEAR(network.time(found.choices), network.time(first) * found.ratio, 1e-9);
    EXPECT_EQ(exchange(first, exchanges, network.compare(), no_limits()).choices, found.choices);
  }
}

}  // namespace
}  // namespace dlaexec::tune
