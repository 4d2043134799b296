#include "accuracy/loss.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"

namespace dlaexec::accuracy {
namespace {

double of(Loss kind, const std::vector<float>& found, const std::vector<float>& reference,
          Tolerances tolerances = {}) {
  const ir::Dims dims = {static_cast<int64_t>(found.size())};
  return loss(ir::Tensor::of<float>(dims, found), ir::Tensor::of<float>(dims, reference), kind,
              tolerances);
}

TEST(Loss, CountsWhatItsAlgorithmSays) {
  const std::vector<float> found = {1, 2, 3, 4}, reference = {1, 2, 3.5f, 2};
  EXPECT_DOUBLE_EQ(of(Loss::L0, found, reference), 0.5);
  EXPECT_DOUBLE_EQ(of(Loss::L0, found, reference, {0.5, 0}), 0.25);
  EXPECT_DOUBLE_EQ(of(Loss::L0, found, reference, {0, 1}), 0);
  EXPECT_DOUBLE_EQ(of(Loss::L1, found, reference), 2.5 / 4);
  EXPECT_DOUBLE_EQ(of(Loss::L2, found, reference), 4.25 / 4);
  EXPECT_DOUBLE_EQ(of(Loss::LInf, found, reference), 2);
  EXPECT_NEAR(of(Loss::Cos, {1, 0}, {1, 1}), 1 - std::sqrt(0.5), 1e-12);
}

TEST(Loss, OfEqualTensorsIsNothing) {
  const std::vector<float> same = {0, -1, INFINITY, NAN};
  for (const Loss kind : {Loss::L0, Loss::L1, Loss::L2, Loss::LInf})
    EXPECT_EQ(of(kind, same, same), 0);
  EXPECT_EQ(of(Loss::Cos, {0, 0}, {0, 0}), 0);
  EXPECT_NEAR(of(Loss::Cos, {3, 4}, {3, 4}), 0, 1e-12);
}

TEST(Loss, NotANumberIsInfinitelyFarFromOne) {
  EXPECT_EQ(of(Loss::L0, {NAN, 1}, {1, 1}), 0.5);
  EXPECT_TRUE(std::isinf(of(Loss::LInf, {NAN}, {1})));
  EXPECT_EQ(of(Loss::Cos, {NAN}, {1}), 1);
}

TEST(Loss, OfDifferentShapesIsAnError) {
  const ir::Tensor one = ir::Tensor::of<float>({1}, {1}), two = ir::Tensor::of<float>({2}, {1, 2});
  EXPECT_THROW(loss(one, two, Loss::L1, {}), Error);
}

}  // namespace
}  // namespace dlaexec::accuracy
