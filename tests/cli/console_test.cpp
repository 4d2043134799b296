// The console of the built program: sessions in tests/golden/cli, figures masked.
//
// A session's lines are commands, "dlaexec FLAGS", run one after the other in a fresh folder that
// holds small.onnx, dynamic.onnx and all_on_dla.onnx; below the output stand the exit status and
// the files that came into being. Both streams are merged as a terminal shows them.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <regex>
#include <set>
#include <sstream>

#include "base/error.h"
#include "base/file.h"
#include "networks.h"
#include "support/golden_files.h"
#include "support/paths.h"
#include "support/program.h"

namespace dlaexec::cli {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// @p line with "#" for what @p where finds, its first group kept.
std::string hide(const std::string& line, const std::regex& where) {
  return std::regex_replace(line, where, "$1#");
}

/// The first columns of a table, up to three blanks and the name.
std::string hide_columns(const std::string& line) {
  const size_t name = line.rfind("   ");
  if (name == std::string::npos || line.find("Time(ms)") != std::string::npos) return line;
  return "[I]   #   #   #   #" + line.substr(name);
}

/// Hides what differs between machines and runs.
class Mask {
 public:
  std::string operator()(const std::string& output) {
    std::string text;
    for (const std::string& line : lines_of(output))
      if (const std::string shown = mask(line); shown != kLeftOut) text += shown + "\n";
    return text;
  }

 private:
  static constexpr const char* kLeftOut = "\x01";

  std::string mask(const std::string& line) {
    static const std::regex stamp(R"(\[\d\d/\d\d/\d{4}-\d\d:\d\d:\d\d\] )");
    static const std::regex version(R"(\bv?\d+\.\d+\.\d+\b)");
    static const std::regex machine(
        "(Selected Device|Host Cores|Host Memory|commit|compiler|CUDA driver|NVRTC): .*");
    static const std::regex figure(
        R"(( |\()[0-9][0-9.]*(?:e[-+][0-9]+)?(?= (?:ms|s|sec|qps|milliseconds|GB/s|%)))");
    static const std::regex parse_time(R"((Parse time: ).*)");
    static const std::regex value(R"(( )-?[0-9][0-9.]*(?:e[-+][0-9]+)?)");
    std::string rest = std::regex_replace(line, stamp, "");
    rest = std::regex_replace(rest, version, "#.#.#");
    rest = std::regex_replace(rest, machine, "$1: *");
    // The more of the time is measured, the less the model's error weighs.
    rest = hide(rest, std::regex(R"((part of all figures but Enqueue Time: \+-)\d+)"));
    // Whether a run was steady is the machine's matter.
    if (rest.starts_with("[W] * ")) advice_ = true;
    if (advice_ && (rest.starts_with("[W] * ") || rest.starts_with("[W]   "))) return kLeftOut;
    advice_ = false;
    if (rest.starts_with("[I] === ")) {
      table_ = rest.starts_with("[I] === Profile");
      rest = std::regex_replace(rest, std::regex(R"(\(\d+ iterations)"), "(# iterations");
      return rest;
    }
    if (table_) return hide_columns(rest);
    const bool values = values_;
    values_ = rest.ends_with(": (1x10)");
    return hide(hide(rest, values ? value : figure), parse_time);
  }

  bool advice_ = false;  ///< inside advice of the performance summary
  bool table_ = false;   ///< inside the profile table
  bool values_ = false;  ///< the line before announced an output's values
};

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

std::set<std::string> files_in(const std::string& folder) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    names.insert(entry.path().filename());
  return names;
}

/// The program under another name, so that the command line reads the same everywhere.
void put_program(const std::string& folder, const std::string& name) {
  if (!std::filesystem::exists(folder + "/" + name))
    std::filesystem::create_symlink(DLAEXEC_PROGRAM, folder + "/" + name);
}

std::string run_session(const std::string&, const std::string& input) {
  ::setenv("CUDA_VISIBLE_DEVICES", "", 1);  // the host engine, also where there is a GPU
  const std::string folder = test::temporary_dir();
  write_file(folder + "/small.onnx", small_network().bytes());
  write_file(folder + "/dynamic.onnx", small_network("N").bytes());
  write_file(folder + "/all_on_dla.onnx", all_on_dla().bytes());
  put_program(folder, "dlaexec");
  put_program(folder, "trtexec");
  const std::set<std::string> before = files_in(folder);
  std::string output;
  for (const std::string& line : lines_of(input)) {
    const test::Outcome outcome =
        test::run_program(words_of("./" + line), folder, test::Errors::IntoOutput);
    output += "$ " + line + "\n" + Mask()(outcome.out) + format("exit {}\n", outcome.status);
  }
  for (const std::string& name : files_in(folder))
    if (!before.contains(name)) output += "file " + name + "\n";
  return output;
}

const bool registered = test::register_golden("cli", run_session);

}  // namespace
}  // namespace dlaexec::cli
