// Flags about the modelled board, seen from outside: the built program on small networks.
#include <cmath>

#include "program_test.h"

namespace dlaexec::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

class BoardFlags : public ProgramTest {
 protected:
  /// What the digit network gives under @p flags.
  std::vector<double> outputs(const std::string& flags) {
    // Long sums of trained weights: short ones come out the same in most orders.
    const std::string model = test::source_dir() + "/models/digits/digits.onnx";
    pass("--onnx=" + model + " --exportOutput=o.json " + flags + kBrief + kOnDla);
    return json("o.json").at(0).at("values").get<std::vector<double>>();
  }
};

TEST_F(BoardFlags, OperationsAreRowsOfTheProfileWhenAskedFor) {
  const std::string flags =
      "--onnx=small.onnx --dumpProfile --exportProfile=p.json" + std::string(kBrief) + kOnDla;
  EXPECT_THAT(pass(flags).out, Not(HasSubstr("conv1 + relu1 [conv")));
  const size_t without = json("p.json").size();
  EXPECT_THAT(pass(flags + " --profileDlaOperations").out, HasSubstr("conv1 + relu1 [conv"));
  EXPECT_GT(json("p.json").size(), without);
}

TEST_F(BoardFlags, NvdlaSumsDifferALittle) {
  const std::vector<double> ordered = outputs("--dlaFp16=ordered");
  const std::vector<double> nvdla = outputs("--dlaFp16=nvdla");
  ASSERT_EQ(nvdla.size(), ordered.size());
  EXPECT_NE(nvdla, ordered);
  for (size_t i = 0; i < ordered.size(); ++i)
    EXPECT_NEAR(nvdla[i], ordered[i], 0.02 * (1 + std::abs(ordered[i])));
}

TEST_F(BoardFlags, APredictionMeasuresNothing) {
  const Json summary = summary_of("--onnx=small.onnx --predict" + std::string(kBrief) + kOnDla);
  EXPECT_EQ(summary["timeline"], "predicted");
  for (const Json& step : summary["steps"]) EXPECT_EQ(step["time_ms"]["kind"], "modelled");
}

TEST_F(BoardFlags, ASlowerBoardIsSlower) {
  const std::string flags = "--onnx=small.onnx --predict" + std::string(kBrief) + kOnDla;
  const auto latency = [&](const std::string& board) {
    return summary_of(flags + board)["figures"]["latency_ms"]["median"].get<double>();
  };
  const double fast = latency("");
  EXPECT_GT(latency(" --dlaClock=200"), fast);
  EXPECT_GT(latency(" --dramBandwidth=1"), fast);
}

}  // namespace
}  // namespace dlaexec::cli
