// What becomes of samples: ranges by percentile, pictures, batches.
#include <filesystem>

#include "ir/npy.h"
#include "ir/text.h"
#include "program_test.h"

namespace dlaexec::cli {
namespace {

using testing::HasSubstr;

/// A PNG of 4 by 4 pixels of one colour.
const std::string kPicture(
    "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\4\0\0\0\4\b\2\0\0\0\x26\x93\t\x29\0\0\0\x10IDAT"
    "\x78\xda\x63\x70\x68\x38\0G\f\xc4q\0hR\x18\1\x86,\x9a\xf2\0\0\0\0IEND\xae\x42\x60\x82",
    73);

class Calibrating : public ProgramTest {
 protected:
  Calibrating() {
    std::filesystem::create_directory(path("samples"));
    for (int i = 0; i < 4; ++i)
      put("samples/" + std::to_string(i) + ".npy",
          ir::write_npy(ir::seeded(ir::DataType::Float32, {1, 3, 16, 16}, 7)));
    put("picture.png", kPicture);
  }
  std::string cache_of(const std::string& flags) {
    pass("--onnx=small.onnx --int8 --skipInference --saveCalib=out.cache " + flags);
    return get("out.cache");
  }
};

TEST_F(Calibrating, PercentileAndPreprocessingChangeRanges) {
  const std::string by_percentile = "--calibData=samples --calibAlgorithm=percentile";
  EXPECT_NE(cache_of(by_percentile + " --calibPercentile=50"),
            cache_of(by_percentile + " --calibPercentile=100"));
  const std::string picture = "--calibData=picture.png --calibAlgorithm=minmax";
  EXPECT_NE(cache_of(picture + " --calibPreprocess=scale:1"),
            cache_of(picture + " --calibPreprocess=scale:0.5"));
}

TEST_F(Calibrating, SamplesGoThroughTogetherOrOneByOne) {
  const std::string flags = "--onnx=dynamic.onnx --int8 --skipInference --calibData=samples ";
  pass(flags + "--saveCalib=one.cache --calibAlgorithm=minmax");
  const test::Outcome fixed =
      pass("--onnx=small.onnx --int8 --skipInference --calibData=samples --calibBatchSize=3");
  EXPECT_THAT(fixed.out + fixed.err, HasSubstr("built for a batch of 1"));
  const test::Outcome few = pass(
      "--onnx=small.onnx --fp16 --skipInference --compareTo=ref --compareData=samples "
      "--compareSamples=2");
  EXPECT_THAT(few.out, HasSubstr("2 samples"));
}

}  // namespace
}  // namespace dlaexec::cli
