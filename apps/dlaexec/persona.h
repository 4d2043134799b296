// Under which name the command was called: scripts that call trtexec get its lines.
#pragma once

#include <string_view>

namespace dlaexec::cli {

/// Trtexec: test lines, statuses and lines without a meaning here are as its readers expect them.
enum class Persona { Dlaexec, Trtexec };

/// The persona of a command called @p program, which may be a path.
inline Persona persona_of(std::string_view program) {
  const std::string_view name = program.substr(program.rfind('/') + 1);
  return name == "trtexec" ? Persona::Trtexec : Persona::Dlaexec;
}

}  // namespace dlaexec::cli
