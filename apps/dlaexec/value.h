// What a flag's kind asks of its value.
#pragma once

#include <string>

#include "flag.h"

namespace dlaexec::cli {

/// How much of a value must be right.
enum class Leniency {
  Strict,     ///< a number is a number, and --fp16=false means what it says
  OwnForm,    ///< as Strict, in a file or variable that trtexec does not read
  AsTrtexec,  ///< what stands behind a number is ignored, and any value switches a flag on
};

/// @p value as Settings keep it: numbers in plain digits, switches as "true" or "false", a list of
/// "@FILE" as the file's content. Throws a usage Error in one sentence when it does not fit @p
/// flag; warns where trtexec would read it differently.
std::string checked_value(const FlagInfo& flag, const std::string& value, Leniency leniency);

}  // namespace dlaexec::cli
