#include "dla/core/half_sum.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "support/dla_segments.h"

namespace dlaexec::dla::core {
namespace {

std::vector<Half> halves(std::initializer_list<float> values) {
  std::vector<Half> made;
  for (const float value : values) made.emplace_back(value);
  return made;
}

double cycle(std::initializer_list<float> x, std::initializer_list<float> w) {
  return nvdla_cycle(halves(x), halves(w));
}

TEST(NvdlaSum, IsExactWhereExponentsAreNear) {
  EXPECT_EQ(cycle({1.5f, -2, 0.25f}, {2, 3, 4}), 3 - 6 + 1);
  EXPECT_EQ(cycle({0x1p-24f}, {1}), 0x1p-24);  // the least subnormal
  EXPECT_EQ(cycle({INFINITY}, {1}), 65536);
  EXPECT_EQ(cycle({}, {}), 0);
}

TEST(NvdlaSum, TruncatesWhatLiesFarBelowTheLargestProduct) {
  // 2^15 * 2^15 has exponent step 14; 1 * 1 has step 6: shifted right by 32 bits, dropped.
  EXPECT_EQ(cycle({32768, 1}, {32768, 1}), 0x1p30);
  // Truncation is towards minus infinity: the least bit that is kept is 2^(4 * 14 - 50).
  EXPECT_EQ(cycle({32768, 1.5f}, {32768, 37}), 0x1p30);
  EXPECT_EQ(cycle({32768, -1.5f}, {32768, 37}), 0x1p30 - 64);
}

TEST(NvdlaSum, StaysWithinTheDocumentedBound) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(-2, 2);
  for (int round = 0; round < 200; ++round) {
    std::vector<Half> x, w;
    double exact = 0, largest = 0;
    for (int i = 0; i < kNvdlaLanes; ++i) {
      x.emplace_back(uniform(random));
      w.emplace_back(uniform(random));
      const double product =
          static_cast<double>(static_cast<float>(x.back())) * static_cast<float>(w.back());
      exact += product;
      largest = std::max(largest, std::fabs(product));
    }
    // |d| <= 2^(e_max - 20) * C * 2, see NUMERICS.md.
    const double bound = std::ldexp(1, std::ilogb(largest) - 20) * kNvdlaLanes * 2;
    EXPECT_NEAR(nvdla_cycle(x, w), exact, bound);
  }
}

TEST(NvdlaSum, IsDeliveredWithTiesAwayFromZero) {
  EXPECT_EQ(nvdla_deliver(1 + 0x1p-24), 1 + 0x1p-23f);
  EXPECT_EQ(nvdla_deliver(-1 - 0x1p-24), -1 - 0x1p-23f);
  EXPECT_EQ(nvdla_deliver(1 + 0x1p-25), 1);
  EXPECT_EQ(nvdla_deliver(1 + 3 * 0x1p-24), 1 + 0x1p-22f);  // to even as well
  EXPECT_EQ(nvdla_deliver(0), 0);
}

TEST(NvdlaSum, ConvolutionsComeNearTheOrderedOnesAndIntegersAreTheSame) {
  ThreadPool threads(2);
  for (const ir::DataType type : {ir::DataType::Float16, ir::DataType::Int8}) {
    test::ConvCase conv;
    conv.c = 70;
    conv.k = 20;
    const ir::Graph segment = test::conv_segment(conv, type);
    const Loadable loadable = test::compiled(segment);
    const auto inputs = test::seeded_inputs(segment, 3);
    const auto ordered = Core(loadable, threads).run(inputs)[0].to_floats();
    const auto nvdla =
        Core(loadable, threads, best_isa(), HalfSum::Nvdla).run(inputs)[0].to_floats();
    ASSERT_EQ(nvdla.size(), ordered.size());
    const double tolerance = type == ir::DataType::Int8 ? 0 : 2e-2;
    for (size_t i = 0; i < nvdla.size(); ++i) EXPECT_NEAR(nvdla[i], ordered[i], tolerance);
  }
}

}  // namespace
}  // namespace dlaexec::dla::core
