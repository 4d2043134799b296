#include "accuracy/difference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace dlaexec::accuracy {
namespace {

ir::Tensor tensor(const std::vector<float>& elements) {
  return ir::Tensor::of({static_cast<int64_t>(elements.size())}, elements);
}

TEST(Difference, IsNothingBetweenEqualTensors) {
  const Difference d = difference(tensor({1, -2, 3}), tensor({1, -2, 3}));
  EXPECT_EQ(d.max_abs, 0);
  EXPECT_EQ(d.relative_l2, 0);
  EXPECT_DOUBLE_EQ(d.cosine, 1);
  EXPECT_TRUE(std::isinf(d.snr_db));
}

TEST(Difference, HasTheFiguresOfItsDefinition) {
  const Difference d = difference(tensor({3, 0}), tensor({3, 4}));
  EXPECT_DOUBLE_EQ(d.max_abs, 4);
  EXPECT_DOUBLE_EQ(d.relative_l2, 0.8);
  EXPECT_DOUBLE_EQ(d.cosine, 0.6);
  EXPECT_NEAR(d.snr_db, 10 * std::log10(25.0 / 16), 1e-12);
}

TEST(Difference, NanNeverPassesUnseen) {
  const float nan = std::nanf("");
  EXPECT_EQ(difference(tensor({nan, 1}), tensor({1, 1})).not_finite, 1);
  EXPECT_EQ(difference(tensor({nan, 1}), tensor({nan, 1})).not_finite, 0);
}

TEST(Difference, OverPairsIsThatOfAllElementsTogether) {
  DifferenceSum sum;
  sum.add(tensor({3}), tensor({3}));
  sum.add(tensor({0}), tensor({4}));
  EXPECT_DOUBLE_EQ(sum.total().relative_l2, 0.8);
  EXPECT_EQ(sum.total().count, 2);
  EXPECT_THROW(sum.add(tensor({1, 2}), tensor({1})), Error);
}

TEST(TopIndices, OfEqualElementsTheFirstWins) {
  const ir::Tensor scores = ir::Tensor::of<float>({2, 3}, {1, 5, 5, 9, 0, 3});
  EXPECT_THAT(top_indices(scores, 2),
              testing::ElementsAre(testing::ElementsAre(1, 2), testing::ElementsAre(0, 2)));
  EXPECT_THAT(top_indices(scores, 7)[0], testing::SizeIs(3));
}

}  // namespace
}  // namespace dlaexec::accuracy
