#include "accuracy/validate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "ir/npy.h"
#include "support/paths.h"

namespace dlaexec::accuracy {
namespace {

class Validate : public testing::Test {
 protected:
  std::string folder_ = test::temporary_dir();

  /// Five samples of three numbers; the largest one's place is the label but for the last sample.
  Dataset data(const char* labels) {
    const std::vector<std::vector<float>> rows = {
        {9, 1, 1}, {1, 9, 1}, {1, 1, 9}, {9, 1, 1}, {1, 1, 9}};
    std::string manifest;
    for (size_t i = 0; i < rows.size(); ++i) {
      const std::string name = std::to_string(i) + ".npy";
      write_file(folder_ + "/" + name, ir::write_npy(ir::Tensor::of<float>({1, 3}, rows[i])));
      manifest += name + " " + labels[i] + "\n";
    }
    write_file(folder_ + "/set.txt", manifest);
    return Dataset(folder_ + "/set.txt", {{"x", ir::DataType::Float32, {1, 3}}}, {});
  }
  static ir::Tensor identity(const std::vector<ir::Tensor>& inputs) { return inputs[0]; }
};

TEST_F(Validate, CountsRightAnswersWhateverTheBatch) {
  const Dataset set = data("01201");
  for (const size_t batch : {1, 2, 3, 5, 8}) {
    const Validation found = validate(set, batch, identity);
    EXPECT_EQ(found.top1.hits, 4) << batch;
    EXPECT_EQ(found.top5.hits, 5) << batch;
    EXPECT_THAT(found.predictions, testing::ElementsAre(0, 1, 2, 0, 2)) << batch;
  }
}

TEST_F(Validate, ALabelThatIsNoClassIsAnErrorThatNamesTheSample) {
  const Dataset set = data("01291");
  try {
    validate(set, 1, identity);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.sentence(),
                testing::AllOf(testing::HasSubstr("3.npy"), testing::HasSubstr("3 classes")));
  }
}

TEST(Share, IntervalIsWilsons) {  // 8 of 10: 0.4902 to 0.9433, a textbook example
  const Share share = share_of(8, 10);
  EXPECT_NEAR(share.low, 0.4902, 1e-4);
  EXPECT_NEAR(share.high, 0.9433, 1e-4);
  EXPECT_GT(share_of(0, 10).high, 0);
}

TEST_F(Validate, PairedLossCountsOnlyWhatTheTwoSeeDifferently) {
  const Dataset set = data("01201");
  const Validation first = validate(set, 1, identity);
  Validation second = first;
  second.predictions = {1, 1, 2, 0, 1};  // one lost, one won
  const Paired paired = compare(set, first, second);
  EXPECT_EQ(paired.only_first, 1);
  EXPECT_EQ(paired.only_second, 1);
  EXPECT_EQ(paired.loss, 0);
  EXPECT_LT(paired.low, 0);
}

}  // namespace
}  // namespace dlaexec::accuracy
