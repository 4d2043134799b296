// The flags that the command knows: what flags.def says, as data.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace dlaexec::cli {

/// One per row of flags.def.
enum class Flag : int {
#define DLAEXEC_FLAG(name, ...) name,
#include "flags.def"
};

/// What a flag's value is.
enum class Kind {
  Switch,       ///< none; or true or false behind an =
  Text,         ///< any text
  Texts,        ///< any text; the flag may be given several times
  List,         ///< comma-separated; "@FILE" reads the list from a file
  Shapes,       ///< as List, each element a shape
  File,         ///< a file to read
  OutFile,      ///< a file to write; "-" is standard output
  Choice,       ///< one of the words in FlagInfo::value
  Int,          ///< a whole number
  Natural,      ///< a whole number, 0 or more
  Count,        ///< a whole number, 1 or more
  Real,         ///< a number
  NonNegative,  ///< a number, 0 or more
  Level,        ///< a whole number from 0 to 5
  Device,       ///< a whole number, 0 or more, or "cpu"
  Topic,        ///< any text behind an =, or none
  Report,       ///< a file to write behind an =, "-" for standard output; or none: the console
};

enum class Group { Model, Build, Dla, Inference, Reporting, Gates, System };

/// What giving the flag comes to.
enum class Effect {
  Works,
  Old,      ///< works; the note says what to write instead
  Ignored,  ///< accepted, no effect here; the note says why
  Refused,  ///< an error; the note says what to do instead
};

/// Releases of trtexec are major * 100 + minor.
inline constexpr int kOwn = 0;      ///< as first release: a flag that only dlaexec has
inline constexpr int kNow = 99999;  ///< as last release: still known

struct FlagInfo {
  Flag flag;
  std::string_view name;  ///< without the dashes
  Kind kind;
  std::string_view value;     ///< as help writes the value; for a Choice its words
  std::string_view standard;  ///< the value when the flag is not given
  Group group;
  int since, until;
  Effect effect;
  std::string_view help;
  std::string_view note;
};

/// Why a second name exists.
enum class Style { Old, Short };

struct Alias {
  std::string_view name;
  Flag target;
  int since, until;
  Style style;
};

/// The value of a flag that is not given, in a release of trtexec.
std::string_view standard(Flag flag, int release);

/// The flag whose number starts the group that @p flag belongs to: --profile for shapes, --refPair
/// for inputs and references.
std::optional<Flag> starter_of(Flag flag);
bool starts_group(Flag flag);

std::span<const FlagInfo> all_flags();
std::span<const Alias> all_aliases();
const FlagInfo& info(Flag flag);
/// "--saveEngine"
std::string spelling(Flag flag);

/// The flag or alias called @p name, without dashes.
struct Found {
  Flag flag;
  const Alias* alias = nullptr;  ///< when @p name is an alias
};
std::optional<Found> find_flag(std::string_view name);

/// The known name that lies nearest to @p name, if one is near enough to be meant.
std::optional<std::string> nearest_flag(std::string_view name);

std::string_view title(Group group);
std::string_view title(Kind kind);
std::string_view title(Effect effect);
inline constexpr Group kGroups[] = {Group::Model,     Group::Build, Group::Dla,   Group::Inference,
                                    Group::Reporting, Group::Gates, Group::System};
std::optional<Group> find_group(std::string_view name);

/// The words of a Choice.
bool is_choice(const FlagInfo& info, std::string_view word);

}  // namespace dlaexec::cli
