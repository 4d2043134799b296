// Libraries as sources of tactics, with stand-ins that are faster than every kernel.
#include <filesystem>

#include "on_a_device.h"

namespace dlaexec::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// A stand-in, and what is said of it.
struct StandIn {
  std::string folder, file, version_variable;
  std::string flag;
  std::string name, tag;      ///< "cuBLASLt", "cublaslt"
  std::string version, text;  ///< 130000, "13.0.0"
  std::string newer, newer_text;
  std::string gives, first_symbol;
  std::string tactic;  ///< the one that wins
  std::string network;
  std::string problems;  ///< how many the network poses
  friend void PrintTo(const StandIn& one, std::ostream* out) { *out << one.name; }
};

const StandIn kCublasLt{DLAEXEC_FAKE_CUBLASLT,
                        "libcublasLt.so.13",
                        "FAKE_CUBLASLT_VERSION",
                        "CUBLAS_LT",
                        "cuBLASLt",
                        "cublaslt",
                        "130000",
                        "13.0.0",
                        "130100",
                        "13.1.0",
                        "products",
                        "cublasLtCreate",
                        "cublaslt 130000 w4096 000000000000a190",
                        "product.onnx",
                        "1"};
const StandIn kCudnn{DLAEXEC_FAKE_CUDNN,
                     "libcudnn.so.9",
                     "FAKE_CUDNN_VERSION",
                     "CUDNN",
                     "cuDNN",
                     "cudnn",
                     "91900",
                     "9.19.0",
                     "92001",
                     "9.20.1",
                     "convolutions",
                     "cudnnCreate",
                     "cudnn 91900 w4096 e41 2:7",
                     "convolutions.onnx",
                     "2"};

class WithLibraries : public OnADevice {
 protected:
  void SetUp() override {
    OnADevice::SetUp();
    if (IsSkipped()) return;
    folders_.emplace("LD_LIBRARY_PATH",
                     DLAEXEC_FAKE_CUDA ":" DLAEXEC_FAKE_CUBLASLT ":" DLAEXEC_FAKE_CUDNN);
    put("convolutions.onnx", of_many_channels().bytes());
  }
  static constexpr const char* kConvolutions =
      "--onnx=convolutions.onnx --skipInference --builderOptimizationLevel=2 "
      "--timingCacheFile=t.cache --tacticSources=+CUDNN";

 private:
  std::optional<Variable> folders_;
};

class WithALibrary : public WithLibraries, public testing::WithParamInterface<StandIn> {
 protected:
  const StandIn& library() const { return GetParam(); }
  std::string build() const {
    return "--onnx=" + library().network + " --skipInference --builderOptimizationLevel=2 --fp16";
  }
  std::string with_it() const { return build() + " --tacticSources=+" + library().flag; }
  /// Where the loader finds a file of the library's name without its functions.
  std::string library_that_is_none() const {
    std::filesystem::copy_file(std::string(DLAEXEC_FAKE_CUDA) + "/libcuda.so.1",
                               folder() + "/" + library().file);
    return DLAEXEC_FAKE_CUDA ":" + folder();
  }
};

TEST_P(WithALibrary, ItsTacticsTakePartWhenTheyAreAskedFor) {
  pass(build() + " --timingCacheFile=t.cache");
  EXPECT_THAT(get("t.cache"), Not(HasSubstr(library().tag)));
  const test::Outcome with = pass(with_it() + " --timingCacheFile=t.cache");
  EXPECT_THAT(with.out, HasSubstr(" " + library().problems + " problems measured"));
  EXPECT_THAT(get("t.cache"), HasSubstr("Fake GPU sm_87 16 MPs + " + library().name + " " +
                                        library().text + " | "));
  EXPECT_THAT(get("t.cache"), HasSubstr(" | " + library().tactic));
  EXPECT_THAT(pass(with_it() + " --timingCacheFile=t.cache --errorOnTimingCacheMiss").out,
              HasSubstr(" 0 problems measured"));
}

TEST_P(WithALibrary, WorkspaceIsCounted) {
  pass(with_it() + " --timingCacheFile=t.cache");
  pass(with_it() + " --timingCacheFile=t.cache --memPoolSize=workspace:0.001 --saveEngine=p");
  EXPECT_THAT(pass("--inspect=p --json").out, Not(HasSubstr(library().tactic)));
}

TEST_P(WithALibrary, APlanNeedsTheLibraryThatItWasBuiltWith) {
  pass(with_it() + " --saveEngine=p");
  const std::string name = library().name + " " + library().text;
  EXPECT_THAT(pass("--inspect=p").out,
              HasSubstr("measurements on Fake GPU sm_87 16 MPs + " + name));
  const std::string load = "--loadEngine=p --iterations=2 --duration=0 --warmUp=0";
  const std::string needs = "the plan takes " + library().gives + " from " + name;
  pass(load);
  {
    const Variable newer(library().version_variable.c_str(), library().newer);
    const test::Outcome outcome = run(load);
    EXPECT_EQ(outcome.status, 5);
    EXPECT_THAT(outcome.err, HasSubstr(needs + ", but here is " + library().name + " " +
                                       library().newer_text + " (" + library().file +
                                       "); build the plan again here, or with --tacticSources=-" +
                                       library().flag));
  }
  const Variable broken("LD_LIBRARY_PATH", library_that_is_none());
  const test::Outcome outcome = run(load);
  EXPECT_EQ(outcome.status, 5);
  EXPECT_THAT(outcome.err,
              HasSubstr(needs + ", but " + library().file + " lacks " + library().first_symbol));
}

TEST_P(WithALibrary, WhatIsAskedForInVainIsSaid) {
  EXPECT_THAT(pass(with_it() + " --builderOptimizationLevel=0").err,
              HasSubstr(library().name + " has no part where nothing is measured"));
  const Variable broken("LD_LIBRARY_PATH", library_that_is_none());
  EXPECT_THAT(pass(with_it()).err,
              HasSubstr("--tacticSources: " + library().file + " lacks " + library().first_symbol));
}

INSTANTIATE_TEST_SUITE_P(Libraries, WithALibrary, testing::Values(kCublasLt, kCudnn),
                         [](const auto& one) { return one.param.name; });

TEST_F(WithLibraries, TwoOfThemTakePartTogether) {
  const std::string both =
      "--skipInference --builderOptimizationLevel=2 --fp16 --timingCacheFile=t.cache "
      "--tacticSources=+CUDNN,+CUBLAS_LT --onnx=";
  pass(both + "convolutions.onnx");
  pass(both + "product.onnx");
  EXPECT_THAT(get("t.cache"), AllOf(HasSubstr(" + cuBLASLt 13.0.0 + cuDNN 9.19.0 | conv "),
                                    HasSubstr(" | cublaslt "), HasSubstr(" | cudnn ")));
}

TEST_F(WithLibraries, AnotherOneIsNotAsked) {
  EXPECT_THAT(pass(build_ + " --tacticSources=+CUBLAS").err,
              HasSubstr("--tacticSources=+CUBLAS has no effect"));
}

TEST_F(WithLibraries, CudnnGivesNothingThatIsCompiledAtRunTimeOrOtherEachTime) {
  const std::string log = pass(std::string(kConvolutions) + " --fp16 --verbose").out;
  EXPECT_THAT(log, AllOf(HasSubstr("cudnn 91900 w4096 e41"), HasSubstr("cudnn 91900 w0 e10")));
  EXPECT_THAT(log, Not(HasSubstr(" e70")));
  EXPECT_THAT(log, Not(HasSubstr(" e71")));
}

TEST_F(WithLibraries, CudnnConvolvesFloatsOnDevicesWhoseTensorCoresDoNot) {
  const Variable turing("FAKE_CUDA_ARCHITECTURE", "75");
  EXPECT_THAT(pass(kConvolutions).out, HasSubstr(" 2 problems measured"));
  EXPECT_THAT(get("t.cache"), AllOf(HasSubstr(" y8x8 | cudnn "), HasSubstr(" g4 | cudnn ")));
}

TEST_F(WithLibraries, CudnnKeepsToTheWorkspace) {
  pass(std::string(kConvolutions) + " --fp16 --memPoolSize=workspace:0.001");
  EXPECT_THAT(get("t.cache"), AllOf(HasSubstr(" | cudnn 91900 w0 e10"), Not(HasSubstr(" w4096 "))));
}

TEST_F(WithLibraries, CudnnMultipliesFloatsAsAsked) {
  pass(kConvolutions);
  EXPECT_THAT(get("t.cache"), HasSubstr(" | cudnn 91900 w4096 e41"));
  pass(std::string(kConvolutions) + " --noTF32");
  EXPECT_THAT(get("t.cache"), HasSubstr(" full | cudnn 91900 w0 e10"));
  EXPECT_THAT(get("t.cache"), HasSubstr(" g4 full | cudnn 91900 w0 e10"));
}

TEST_F(WithLibraries, CudnnsDescriptorsAreGivenBack) {
  const Variable report("FAKE_CUDA_REPORT", path("report.txt"));
  pass("--onnx=convolutions.onnx --fp16 --builderOptimizationLevel=2 --tacticSources=+CUDNN" +
       std::string(kBrief));
  EXPECT_THAT(get("report.txt"),
              AllOf(HasSubstr("calls cudnnBackendExecute "), HasSubstr("live cudnn 0\n"),
                    HasSubstr("live descriptor 0\n")));
}

}  // namespace
}  // namespace dlaexec::cli
