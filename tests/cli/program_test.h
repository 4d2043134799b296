// A folder with small networks in it, and the built program run there.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "base/file.h"
#include "networks.h"
#include "support/paths.h"
#include "support/program.h"

namespace dlaexec::cli {

/// Ends after 20 queries, whatever they take.
inline constexpr const char* kBrief = " --iterations=20 --duration=0 --warmUp=0";
inline constexpr const char* kOnDla = " --useDLACore=0 --fp16 --allowGPUFallback";

class ProgramTest : public testing::Test {
 protected:
  using Json = nlohmann::ordered_json;

  ProgramTest() {
    put("small.onnx", small_network().bytes());
    put("dynamic.onnx", small_network("N").bytes());
    put("all_on_dla.onnx", all_on_dla().bytes());
  }

  void put(const std::string& name, const std::string& bytes) { write_file(path(name), bytes); }
  std::string get(const std::string& name) const { return read_file(path(name)); }
  Json json(const std::string& name) const { return Json::parse(get(name)); }
  bool exists(const std::string& name) const { return std::filesystem::exists(path(name)); }
  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  const std::string& folder() const { return folder_; }

  /// Runs "dlaexec FLAGS", flags split at blanks.
  test::Outcome run(const std::string& flags) const {
    std::istringstream stream(flags);
    std::vector<std::string> command = {DLAEXEC_PROGRAM};
    for (std::string word; stream >> word;) command.push_back(word);
    return test::run_program(command, folder_);
  }

  /// The same, which must pass.
  test::Outcome pass(const std::string& flags) const {
    test::Outcome outcome = run(flags);
    EXPECT_EQ(outcome.status, 0) << flags << "\n" << outcome.err;
    return outcome;
  }

  /// The summary of a run that must pass.
  Json summary_of(const std::string& flags) const {
    pass(flags + " --exportSummary=summary.json");
    return json("summary.json");
  }

 private:
  std::string folder_ = test::temporary_dir();
};

}  // namespace dlaexec::cli
