// Tokens of the text form of graphs.
#pragma once

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/format.h"

namespace dlaexec::ir {

/// Reads tokens of the text form; every mistake ends in an Error with the line.
class TextReader {
 public:
  explicit TextReader(std::string_view text) : rest_(text) {}

  [[noreturn]] void expected(std::string_view what) {
    skip_blanks();
    const size_t shown = std::min<size_t>(rest_.find('\n'), 24);
    fail("graph text, line {}: expected {}, found '{}'", line_, what, rest_.substr(0, shown));
  }
  int line() const { return line_; }
  bool at_end() {
    skip_blanks();
    return rest_.empty();
  }
  bool peek(std::string_view token) {
    skip_blanks();
    return rest_.substr(0, token.size()) == token;
  }
  bool accept(std::string_view token) {
    if (!peek(token)) return false;
    const bool word = std::isalnum(static_cast<unsigned char>(token.back()));
    if (word && token.size() < rest_.size() && is_word(rest_[token.size()])) return false;
    rest_.remove_prefix(token.size());
    return true;
  }
  void take(std::string_view token) {
    if (!accept(token)) expected(format("'{}'", token));
  }
  std::string word() {
    skip_blanks();
    size_t length = 0;
    while (length < rest_.size() && is_word(rest_[length])) ++length;
    if (length == 0) expected("a word");
    return take_prefix(length);
  }
  std::string quoted() {
    take("\"");
    std::string result;
    while (!rest_.empty() && rest_[0] != '"') result += character();
    if (rest_.empty()) expected("a closing quote");
    rest_.remove_prefix(1);
    return result;
  }
  /// A name as it stands behind % or @: plain, or in quotes.
  std::string name() {
    if (peek("\"")) return quoted();
    skip_blanks();
    size_t length = 0;
    while (length < rest_.size() && (is_word(rest_[length]) || std::strchr("./:-", rest_[length])))
      ++length;
    while (length > 0 && rest_[length - 1] == ':') --length;  // the colon before a type
    if (length == 0) expected("a name");
    return take_prefix(length);
  }
  double number() {
    skip_blanks();
    const std::string digits(rest_.substr(0, std::min<size_t>(rest_.size(), 64)));
    char* end = nullptr;
    const double value = std::strtod(digits.c_str(), &end);
    if (end == digits.c_str()) expected("a number");
    rest_.remove_prefix(static_cast<size_t>(end - digits.c_str()));
    return value;
  }
  int64_t integer() {
    skip_blanks();
    const std::string digits(rest_.substr(0, std::min<size_t>(rest_.size(), 32)));
    char* end = nullptr;
    const int64_t value = std::strtoll(digits.c_str(), &end, 10);
    if (end == digits.c_str()) expected("an integer");
    rest_.remove_prefix(static_cast<size_t>(end - digits.c_str()));
    return value;
  }
  /// Items between brackets, separated by commas.
  template <class Item>
  void list(std::string_view open, std::string_view close, Item&& item) {
    take(open);
    if (accept(close)) return;
    do item();
    while (accept(","));
    take(close);
  }

 private:
  static bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

  std::string take_prefix(size_t length) {
    std::string result(rest_.substr(0, length));
    rest_.remove_prefix(length);
    return result;
  }
  char character() {
    char c = rest_[0];
    rest_.remove_prefix(1);
    if (c == '\n') ++line_;
    if (c != '\\' || rest_.empty()) return c;
    c = rest_[0];
    rest_.remove_prefix(1);
    if (c != 'x' || rest_.size() < 2) return c;
    return static_cast<char>(std::strtol(take_prefix(2).c_str(), nullptr, 16));
  }
  void skip_blanks() {
    while (!rest_.empty()) {
      if (rest_[0] == '#') {
        rest_.remove_prefix(std::min(rest_.size(), rest_.find('\n')));
      } else if (std::isspace(static_cast<unsigned char>(rest_[0]))) {
        if (rest_[0] == '\n') ++line_;
        rest_.remove_prefix(1);
      } else {
        return;
      }
    }
  }

  std::string_view rest_;
  int line_ = 1;
};

}  // namespace dlaexec::ir
