// The command line as values per flag.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "flag.h"

namespace dlaexec::cli {

/// Which release of trtexec decides what flags mean; the union of all with 8.6's defaults
/// otherwise.
enum class Dialect { Union, Release8_6, Release10_3, Release10_16, Release11_1 };

/// The release as a row of flags.def writes it; 806 for the union, whose defaults are 8.6's.
int release(Dialect dialect);
/// "8.6.1": the release as TensorRT writes its own version.
std::string full_name(Dialect dialect);

/// One flag outside of the command line, its value as the command line would have it.
struct ConfigEntry {
  std::string name, value;
};

/// Where a flag's value comes from.
enum class Source { Table, File, Environment, CommandLine };

/// One flag as it was given.
struct Given {
  Flag flag;
  std::string value;
  Source source = Source::CommandLine;
};

/// Every flag's values, checked against the flag's kind. Reading a flag that was not given yields
/// its default.
class Settings {
 public:
  explicit Settings(Dialect dialect = Dialect::Union) : dialect_(dialect) {}

  bool given(Flag flag) const { return !values(flag).empty(); }
  bool on(Flag flag) const;
  std::string text(Flag flag) const;
  int64_t integer(Flag flag) const;
  double real(Flag flag) const;
  /// Every value of a repeatable flag, in order.
  const std::vector<std::string>& texts(Flag flag) const { return values(flag); }

  Dialect dialect() const { return dialect_; }
  /// All flags in the order of the command line.
  const std::vector<Given>& in_order() const { return in_order_; }
  Source source(Flag flag) const;
  /// The values of a flag that belongs to groups, by the number of the group: --profile=I starts
  /// one of shapes, --refPair=I one of inputs and references. What stands before any is of group 0.
  std::map<int64_t, std::string> by_group(Flag flag) const;

  void add(Given given);
  void forget(Flag flag);

 private:
  const std::vector<std::string>& values(Flag flag) const {
    return values_[static_cast<size_t>(flag)];
  }

  static constexpr size_t kFlagCount = 0
#define DLAEXEC_FLAG(...) +1
#include "flags.def"
      ;
  Dialect dialect_;
  std::array<std::vector<std::string>, kFlagCount> values_;
  std::vector<Given> in_order_;
};

/// Reads the arguments behind the program's name. Takes "--flag=value" and "--flag value". Throws a
/// usage Error in one sentence with the nearest flag for what it does not know; warns in the log of
/// old names, of flags that do nothing here, and where trtexec would read a value differently. The
/// flags of --config=FILE come first, then those of @p environment; beside --help no other flag is
/// looked at.
Settings parse_arguments(const std::vector<std::string>& arguments,
                         const std::vector<ConfigEntry>& environment = {});

}  // namespace dlaexec::cli
