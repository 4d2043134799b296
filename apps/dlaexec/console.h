// Where lines go: trtexec's prefixes, stdout for what is information, stderr for what is not.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "persona.h"
#include "progress_line.h"

namespace dlaexec::cli {

/// False on a terminal that takes no escape sequences: TERM=dumb.
bool has_escapes();

enum class Colour { Auto, Always, Never };
enum class LogFormat { Text, Json };

/// The log's sink for as long as it lives. Lines are "[MM/DD/YYYY-HH:MM:SS] [S] text"; V and I go
/// to stdout, W and E to stderr.
class Console {
 public:
  /// @p command is argv as it was given.
  explicit Console(std::vector<std::string> command);
  ~Console();
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  /// Prints the RUNNING line and the lines that were logged before it; they are held back until
  /// then, because a command that only answers a question prints none of them. Calling it again
  /// does nothing.
  void begin();
  /// The error's sentence, then a line for each place on the way to it.
  void report(const Error& error) const;
  /// Lines of this severity and more severe ones are printed from now on.
  void show_from(log::Severity least) { least_ = least; }
  /// On a terminal and without NO_COLOR, or where CLICOLOR_FORCE is set, Auto colours.
  void set_colour(Colour colour);
  void set_format(LogFormat format) { format_ = format; }
  /// Everything but print() goes to stderr from now on: stdout is for data.
  void reserve_stdout() { stdout_is_data_ = true; }

  /// The release of trtexec in the test lines of a command called trtexec, as 806 for 8.6.
  void set_release(int release) { release_ = release; }
  /// How far the command has come: under the name trtexec, failures end with its lines for that.
  enum class Stage { Options, Parsing, Building, Loading, SettingUp, Inferring };
  void enter(Stage stage) { stage_ = stage; }
  /// A line below all others tells how far long work has come, until the end.
  void show_progress() { progress_ = std::make_unique<ProgressLine>(); }

  Persona persona() const { return persona_; }
  /// "&&&& PASSED dlaexec [v0.1.0] # dlaexec --onnx=m.onnx"; @p word is RUNNING, PASSED or FAILED.
  void test_line(std::string_view word) const;
  std::string test_line_text(std::string_view word) const;
  bool stdout_is_data() const { return stdout_is_data_; }
  /// Why something could not be written to standard output; empty while all went well.
  std::string write_failure() const;
  /// Text that was asked for, on stdout, as it is.
  void print(std::string_view text) const;

 private:
  void take(log::Severity severity, std::string_view text);
  void write(log::Severity severity, std::string_view text) const;
  void put(bool to_stderr, std::string_view text) const;

  std::vector<std::string> command_;
  Persona persona_;
  bool begun_ = false;
  std::vector<std::pair<log::Severity, std::string>> held_;
  int release_ = 806;
  Stage stage_ = Stage::Options;
  std::unique_ptr<ProgressLine> progress_;
  log::Severity least_ = log::Severity::Info;
  LogFormat format_ = LogFormat::Text;
  bool stdout_is_data_ = false;
  mutable int write_error_ = 0;  ///< errno of the first line that standard output did not take
  bool colour_out_ = false, colour_err_ = false;
  log::Sink before_;
};

}  // namespace dlaexec::cli
