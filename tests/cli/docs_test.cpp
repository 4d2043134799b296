// What the project's pages say of the command, and its scripts of themselves.
#include <gtest/gtest.h>

#include <cctype>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "base/file.h"
#include "flag.h"
#include "support/paths.h"
#include "support/program.h"

namespace dlaexec::cli {
namespace {

/// The README and the pages below lib/, but for the history of the kernels, which speaks of many
/// compilers and profilers.
std::vector<std::string> pages() {
  std::vector<std::string> paths = {test::source_dir() + "/README.md"};
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(test::source_dir() + "/lib"))
    if (entry.path().extension() == ".md" && entry.path().filename() != "LADDER.md")
      paths.push_back(entry.path().string());
  return paths;
}

bool is_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-'; }

/// Every "--name" of @p text that begins a word.
std::set<std::string> flags_in(const std::string& text) {
  std::set<std::string> flags;
  for (size_t at = text.find("--"); at != std::string::npos; at = text.find("--", at + 2)) {
    const bool begins = at == 0 || !is_name(text[at - 1]);
    size_t end = at + 2;
    while (end < text.size() && is_name(text[end])) ++end;
    const bool is_arrow = end < text.size() && text[end] == '/';  // "graph --plan/--> file"
    if (begins && !is_arrow && std::isalpha(static_cast<unsigned char>(text[at + 2])) != 0)
      flags.insert(text.substr(at + 2, end - at - 2));
  }
  return flags;
}

TEST(Pages, NameFlagsThatExist) {
  // Of cmake and of the project's scripts.
  const std::set<std::string> of_others = {"accept",  "all",    "build",  "check",
                                           "install", "prefix", "seconds"};
  for (const std::string& path : pages())
    for (const std::string& flag : flags_in(read_file(path)))
      EXPECT_TRUE(find_flag(flag) || of_others.contains(flag))
          << path << " names --" << flag << ", which does not exist";
}

TEST(Scripts, AnswerHelpAndDoNothingElse) {
  namespace fs = std::filesystem;
  for (const fs::directory_entry& entry : fs::directory_iterator(test::source_dir() + "/scripts")) {
    const bool runs = (entry.status().permissions() & fs::perms::owner_exec) != fs::perms::none;
    if (!entry.is_regular_file() || !runs) continue;
    const std::string name = entry.path().filename().string();
    const test::Outcome outcome =
        test::run_program({entry.path().string(), "--help"}, test::temporary_dir());
    EXPECT_EQ(outcome.status, 0) << name << "\n" << outcome.err;
    const std::string first = outcome.out.substr(0, outcome.out.find('\n'));
    EXPECT_TRUE(first.starts_with(name) || first.starts_with("usage: " + name)) << first;
  }
}

}  // namespace
}  // namespace dlaexec::cli
