// How things fail: what ends a command is thrown, our own bugs abort.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/format.h"

namespace dlaexec {

/// What ended the command, as seen from outside. The value is the process's exit status.
enum class Fault { Failed = 1, Usage = 2, Gate = 3, Inconclusive = 4, PlanMismatch = 5 };

/// Ends the command: one sentence for the person (found, allowed, what to do), then the places on
/// the way to it, innermost first. Caught once in main and at the public API's edge.
class Error : public std::exception {
 public:
  Error(Fault fault, std::string sentence) : fault_(fault), sentence_(std::move(sentence)) {
    text_ = sentence_;
  }

  Fault fault() const { return fault_; }
  const std::string& sentence() const { return sentence_; }
  const std::vector<std::string>& context() const { return context_; }
  /// The sentence, then one line "  while <where>" per place.
  const char* what() const noexcept override { return text_.c_str(); }

  void add_context(std::string where) {
    text_ += "\n  while " + where;
    context_.push_back(std::move(where));
  }

 private:
  Fault fault_;
  std::string sentence_;
  std::vector<std::string> context_;
  std::string text_;
};

/// Throws an Error with a formatted sentence.
template <class... Args>
[[noreturn]] void fail(Fault fault, fmt::format_string<Args...> pattern, Args&&... args) {
  throw Error(fault, format_text(pattern, fmt::make_format_args(args...)));
}
template <class... Args>
[[noreturn]] void fail(fmt::format_string<Args...> pattern, Args&&... args) {
  throw Error(Fault::Failed, format_text(pattern, fmt::make_format_args(args...)));
}

/// Runs @p body; an Error that leaves it gains the line "while <where()>".
template <class Where, class Body>
decltype(auto) in_context(Where&& where, Body&& body) {
  try {
    return body();
  } catch (Error& error) {
    error.add_context(where());
    throw;
  }
}

/// Says where and what, then aborts. For our own bugs only.
[[noreturn]] void abort_on_bug(const char* file, int line, const char* condition);

}  // namespace dlaexec

/// A promise of our own code, checked in all build types.
#define DLAEXEC_CHECK(condition)                               \
  do {                                                         \
    if (!(condition)) [[unlikely]]                             \
      ::dlaexec::abort_on_bug(__FILE__, __LINE__, #condition); \
  } while (false)
