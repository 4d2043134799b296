// The built program on input that cannot work: one sentence for the person, the FAILED line, an
// exit status, and nothing left behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <sstream>

#include "base/file.h"
#include "networks.h"
#include "plan/file.h"
#include "support/paths.h"
#include "support/program.h"

namespace dlaexec::cli {
namespace {

using test::OnnxModel;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kOnDla = "--useDLACore=0 --fp16 --allowGPUFallback";

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

/// What a person sees of a failure.
struct Failure {
  int status = 0;
  std::vector<std::string> sentences;  ///< each with the places on the way to it
  std::string last_line;               ///< of standard output
};

class BadInput : public testing::Test {
 protected:
  void put(const std::string& name, const std::string& bytes) {
    write_file(folder_ + "/" + name, bytes);
  }
  std::string get(const std::string& name) { return read_file(folder_ + "/" + name); }
  void link(const std::string& name, const std::string& target) {
    std::filesystem::create_symlink(target, folder_ + "/" + name);
  }

  test::Outcome run(const std::string& flags) {
    std::vector<std::string> command = words_of(flags);
    command.insert(command.begin(), DLAEXEC_PROGRAM);
    return test::run_program(command, folder_);
  }

  Failure failure_of(const std::string& flags) {
    const test::Outcome outcome = run(flags);
    Failure failure{outcome.status, {}, ""};
    std::istringstream errors(outcome.err), lines(outcome.out);
    for (std::string line; std::getline(lines, line);) failure.last_line = line;
    for (std::string line; std::getline(errors, line);) {
      const size_t at = line.find("] [E] ");
      if (at == std::string::npos) continue;
      const std::string text = line.substr(at + 6);
      if (text.starts_with("  while ") && !failure.sentences.empty())
        failure.sentences.back() += text;
      else
        failure.sentences.push_back(text);
    }
    return failure;
  }

  /// Holds when @p flags end with @p status, one sentence that matches, and no new file.
  template <class Matcher>
  void expect_failure(const std::string& flags, int status, const Matcher& sentence) {
    SCOPED_TRACE(flags);
    const std::vector<std::string> before = files();
    const Failure failure = failure_of(flags);
    EXPECT_EQ(failure.status, status);
    EXPECT_THAT(failure.sentences, ElementsAre(sentence));
    EXPECT_THAT(failure.last_line, testing::StartsWith("&&&& FAILED dlaexec"));
    EXPECT_EQ(files(), before);
  }

  void save_plan() {
    put("small.onnx", small_network().bytes());
    const test::Outcome built =
        run("--onnx=small.onnx --skipInference --saveEngine=m.plan " + std::string(kOnDla));
    ASSERT_EQ(built.status, 0) << built.err;
  }

 private:
  std::vector<std::string> files() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_))
      names.push_back(entry.path());
    std::sort(names.begin(), names.end());
    return names;
  }

  std::string folder_ = test::temporary_dir();
};

TEST_F(BadInput, FileThatIsMissing) {
  expect_failure("--onnx=missing.onnx --saveEngine=m.plan", 1,
                 AllOf(HasSubstr("missing.onnx"), HasSubstr("No such file")));
  expect_failure("--loadEngine=missing.plan", 1,
                 AllOf(HasSubstr("missing.plan"), HasSubstr("No such file")));
}

TEST_F(BadInput, PlanThatCannotBeReached) {
  put("file", "x");
  link("loop.plan", "loop.plan");
  const std::string opening = "Error opening engine file: ";
  expect_failure("--loadEngine=loop.plan", 1,
                 opening + "loop.plan: Too many levels of symbolic links");
  expect_failure("--loadEngine=file/m.plan", 1, opening + "file/m.plan: Not a directory");
}

TEST_F(BadInput, FileThatIsNotOnnx) {
  put("words.onnx", "These are words, and no network is among them.\n");
  expect_failure("--onnx=words.onnx --saveEngine=m.plan", 1,
                 AllOf(HasSubstr("words.onnx"), HasSubstr("no ONNX model")));
}

TEST_F(BadInput, OnnxThatIsTruncated) {
  const std::string whole = small_network().bytes();
  for (const size_t kept : {whole.size() - 1, whole.size() / 2, size_t{40}}) {
    put("cut.onnx", whole.substr(0, kept));
    expect_failure("--onnx=cut.onnx --saveEngine=m.plan", 1, HasSubstr("cut.onnx"));
  }
}

TEST_F(BadInput, FileOfNoBytes) {
  put("empty.onnx", "");
  put("empty.plan", "");
  expect_failure("--onnx=empty.onnx --saveEngine=m.plan", 1,
                 AllOf(HasSubstr("empty.onnx"), HasSubstr("empty")));
  expect_failure("--loadEngine=empty.plan", 1, AllOf(HasSubstr("empty.plan"), HasSubstr("empty")));
}

TEST_F(BadInput, GraphWithACycle) {
  OnnxModel model;
  model.add_input("x", {"1", "4"});
  model.add_node("Add", {"x", "b"}, {"a"}, "first");
  model.add_node("Relu", {"a"}, {"b"}, "second");
  model.add_output("b");
  put("cycle.onnx", model.bytes());
  expect_failure("--onnx=cycle.onnx --saveEngine=m.plan", 1, HasSubstr("cycle"));
}

TEST_F(BadInput, GraphWithATensorThatNobodyMakes) {
  OnnxModel model;
  model.add_input("x", {"1", "4"});
  model.add_node("Add", {"x", "nobody_makes_it"}, {"y"}, "sum");
  model.add_output("y");
  put("dangling.onnx", model.bytes());
  expect_failure("--onnx=dangling.onnx --saveEngine=m.plan", 1, HasSubstr("nobody_makes_it"));
}

TEST_F(BadInput, OperatorsThatNobodyHasComeInOneMessage) {
  put("odd.onnx", with_operators({"Frobnicate", "Relu", "Bamboozle"}).bytes());
  expect_failure("--onnx=odd.onnx --saveEngine=m.plan", 1,
                 AllOf(HasSubstr("Frobnicate"), HasSubstr("node0"), HasSubstr("Bamboozle"),
                       HasSubstr("node2")));
}

TEST_F(BadInput, ShapesThatAreWrong) {
  put("small.onnx", small_network().bytes());
  put("dynamic.onnx", small_network("N").bytes());
  expect_failure("--onnx=dynamic.onnx --shapes=image:1xx3", 2, HasSubstr("write 1x3x224x224"));
  expect_failure("--onnx=dynamic.onnx --shapes=1x3x16x16", 2, HasSubstr("write INPUT:"));
  expect_failure("--onnx=dynamic.onnx --shapes=picture:1x3x16x16 --saveEngine=m.plan", 1,
                 AllOf(HasSubstr("picture"), HasSubstr("image")));
  expect_failure("--onnx=small.onnx --shapes=image:1x3x17x17 --saveEngine=m.plan", 1,
                 HasSubstr("1x3x17x17"));
  expect_failure("--onnx=dynamic.onnx --minShapes=image:2x3x16x16 --maxShapes=image:1x3x16x16", 1,
                 HasSubstr("must not fall"));
}

TEST_F(BadInput, FlagsThatAreUnknown) {
  expect_failure("--onnx=m.onnx --useDlaCore=0", 2, HasSubstr("did you mean --useDLACore?"));
  expect_failure("--onnx=m.onnx --fp61", 2, HasSubstr("did you mean --fp16?"));
  expect_failure("m.onnx", 2, HasSubstr("unexpected argument 'm.onnx'"));
  for (const char* dash : {"-", "\u2013", "\u2014"})
    expect_failure("--onnx=m.onnx " + std::string(dash) + "fp16", 2,
                   HasSubstr("did you mean --fp16?"));
}

TEST_F(BadInput, DlaCorePastThoseOfThePlatform) {
  put("small.onnx", small_network().bytes());
  expect_failure("--onnx=small.onnx --useDLACore=2 --fp16 --saveEngine=m.plan", 2,
                 AllOf(HasSubstr("2"), HasSubstr("0 to 1")));
}

TEST_F(BadInput, FilesThatCannotBeWritten) {
  put("small.onnx", small_network().bytes());
  for (const char* flag : {"saveEngine", "exportTimes", "exportOutput", "exportProfile",
                           "exportLayerInfo", "exportSummary", "exportHtml"})
    expect_failure("--onnx=small.onnx --" + std::string(flag) + "=no/such/folder/file " + kOnDla, 1,
                   AllOf(HasSubstr("no/such/folder"), HasSubstr("No such file")));
}

TEST_F(BadInput, FilesThatWouldBeOverwritten) {
  put("small.onnx", small_network().bytes());
  const std::string model = get("small.onnx");
  expect_failure("--onnx=small.onnx --saveEngine=./small.onnx", 2,
                 HasSubstr("--saveEngine would overwrite './small.onnx', which --onnx reads"));
  EXPECT_EQ(get("small.onnx"), model);
  expect_failure("--onnx=small.onnx --exportTimes=a.json --exportProfile=./a.json", 2,
                 HasSubstr("--exportTimes and --exportProfile would both write './a.json'"));
  EXPECT_EQ(run("--onnx=small.onnx --exportTimes=/dev/null --exportProfile=/dev/null "
                "--iterations=2 --duration=0 --warmUp=0")
                .status,
            0);
}

TEST_F(BadInput, BytesOfADamagedFileDoNotReachTheTerminal) {
  put("small.onnx", small_network().bytes());
  put("odd.cache", "\033[2J\xff\n");
  expect_failure("--onnx=small.onnx --int8 --calib=odd.cache", 1, HasSubstr("found '?[2J?'"));
}

TEST_F(BadInput, PathsThatAreTooLong) {
  put("small.onnx", small_network().bytes());
  const std::string path(5000, 'x');
  for (const char* flags :
       {"--onnx=small.onnx --saveEngine=", "--onnx=small.onnx --exportSummary=",
        "--onnx=small.onnx --timingCacheFile=", "--onnx=small.onnx --int8 --calib=",
        "--onnx=small.onnx --int8 --calibData=", "--onnx=small.onnx --loadInputs=image:", "--onnx=",
        "--loadEngine="})
    expect_failure(flags + path, 1, HasSubstr("File name too long"));
}

TEST_F(BadInput, PlanThatIsTruncatedOrAltered) {
  save_plan();
  const std::string whole = get("m.plan");
  for (const size_t kept : {whole.size() - 1, whole.size() / 2, size_t{70}, size_t{10}}) {
    put("cut.plan", whole.substr(0, kept));
    expect_failure("--loadEngine=cut.plan", 1, testing::Not(testing::IsEmpty()));
  }
  for (size_t at = 0; at < whole.size(); at += whole.size() / 23) {
    std::string altered = whole;
    altered[at] = static_cast<char>(altered[at] ^ 0x10);
    put("altered.plan", altered);
    const Failure failure = failure_of("--loadEngine=altered.plan --iterations=1 --duration=0");
    const bool is_version = at >= 8 && at < 12;
    EXPECT_EQ(failure.status, is_version ? 5 : 1) << at;
    EXPECT_EQ(failure.sentences.size(), 1u) << at;
  }
}

TEST_F(BadInput, PlanOfAnotherVersion) {
  save_plan();
  std::string newer = get("m.plan");
  newer[8] = static_cast<char>(plan::kFormatVersion + 1);
  put("newer.plan", newer);
  expect_failure("--loadEngine=newer.plan", 5,
                 AllOf(HasSubstr("format version 2"), HasSubstr("build the plan again")));
  EXPECT_EQ(failure_of("--loadEngine=newer.plan --exitCodes=trtexec").status, 1);
}

TEST_F(BadInput, NothingAtAll) {
  const test::Outcome outcome = run("");
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.out, HasSubstr("--onnx=MODEL.onnx"));
}

}  // namespace
}  // namespace dlaexec::cli
