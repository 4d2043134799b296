#include "completion.h"

#include <algorithm>

#include "base/error.h"
#include "flag.h"

namespace dlaexec::cli {
namespace {

bool is_offered(const FlagInfo& flag) { return flag.effect != Effect::Refused; }
bool is_switch(const FlagInfo& flag) {
  return flag.kind == Kind::Switch || flag.kind == Kind::Topic || flag.kind == Kind::Report;
}
bool is_file(const FlagInfo& flag) { return flag.kind == Kind::File || flag.kind == Kind::OutFile; }

/// The words of a choice, blanks between them.
std::string words_of(const FlagInfo& flag) {
  std::string words(flag.value);
  std::replace(words.begin(), words.end(), '|', ' ');
  return words;
}

template <class Text>
std::string for_each_flag(Text&& text) {
  std::string script;
  for (const FlagInfo& flag : all_flags())
    if (is_offered(flag)) script += text(flag);
  return script;
}

std::string bash() {
  const std::string choices = for_each_flag([](const FlagInfo& flag) {
    if (flag.kind != Kind::Choice) return std::string();
    return format("    --{}=*) words=\"{}\" ;;\n", flag.name, words_of(flag));
  });
  const std::string flags = for_each_flag([](const FlagInfo& flag) {
    return format("--{}{} ", flag.name, is_switch(flag) ? "" : "=");
  });
  const std::string files = for_each_flag([](const FlagInfo& flag) {
    return is_file(flag) ? format("--{}=*|", flag.name) : std::string();
  });
  return format(R"(# Completion of dlaexec for bash: dlaexec --completion=bash > \
#   ~/.local/share/bash-completion/completions/dlaexec
_dlaexec() {{
  local line="${{COMP_LINE:0:COMP_POINT}}" word words
  word="${{line##*[[:space:]]}}"
  COMPREPLY=()
  case "$word" in
{}    {}--unused) COMPREPLY=($(compgen -f -- "${{word#*=}}")); return ;;
    --*=*) return ;;
    *) COMPREPLY=($(compgen -W "{}" -- "$word"))
       [[ ${{#COMPREPLY[@]}} -eq 1 && ${{COMPREPLY[0]}} == *= ]] && compopt -o nospace
       return ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "${{word#*=}}"))
}}
complete -F _dlaexec dlaexec
)",
                choices, files, flags);
}

/// @p text inside single quotes of a shell; zsh's own signs are led by backslashes.
std::string zsh_text(std::string_view text) {
  std::string quoted;
  for (const char c : text) {
    if (c == '\'')
      quoted += "'\\''";
    else if (std::string_view("[]:\\").find(c) != std::string_view::npos)
      quoted += std::string("\\") + c;
    else
      quoted += c;
  }
  return quoted;
}

std::string zsh() {
  return "#compdef dlaexec\n# Completion of dlaexec for zsh: save as _dlaexec in a folder of "
         "$fpath.\n"
         "_arguments \\\n" +
         for_each_flag([](const FlagInfo& flag) {
           std::string line =
               format("  '--{}{}[{}]", flag.name, is_switch(flag) ? "" : "=-", zsh_text(flag.help));
           if (flag.kind == Kind::Choice)
             line += format(":{}:({})", flag.name, words_of(flag));
           else if (is_file(flag))
             line += format(":{}:_files", flag.name);
           else if (!is_switch(flag))
             line += format(":{}:", zsh_text(flag.value));
           return line + "' \\\n";
         }) +
         "  '*:file:_files'\n";
}

std::string fish_text(std::string_view text) {
  std::string quoted;
  for (const char c : text) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted;
}

std::string fish() {
  return "# Completion of dlaexec for fish: dlaexec --completion=fish > \\\n"
         "#   ~/.config/fish/completions/dlaexec.fish\n" +
         for_each_flag([](const FlagInfo& flag) {
           std::string line =
               format("complete -c dlaexec -l {} -d '{}'", flag.name, fish_text(flag.help));
           if (flag.kind == Kind::Choice)
             line += format(" -x -a '{}'", words_of(flag));
           else if (is_file(flag))
             line += " -r -F";
           else
             line += is_switch(flag) ? " -f" : " -x";
           return line + "\n";
         });
}

}  // namespace

std::string completion(std::string_view shell) {
  if (shell == "bash") return bash();
  if (shell == "zsh") return zsh();
  DLAEXEC_CHECK(shell == "fish");
  return fish();
}

}  // namespace dlaexec::cli
