#include "man_page.h"

#include <algorithm>

#include "base/format.h"
#include "flag.h"

namespace dlaexec::cli {
namespace {

/// @p text as roff prints it literally: signs that it would interpret are led by a backslash.
std::string literal(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    if (c == '\\' || c == '-') safe += '\\';
    safe += c;
  }
  if (safe.starts_with('.') || safe.starts_with('\'')) safe.insert(0, "\\&");
  return safe;
}

std::string with_value(const FlagInfo& flag) {
  std::string text = "\\fB\\-\\-" + literal(flag.name) + "\\fR";
  const std::string value = "\\fI" + literal(flag.value) + "\\fR";
  if (flag.kind == Kind::Topic || flag.kind == Kind::Report) return text + "[=" + value + "]";
  return flag.kind == Kind::Switch ? text : text + "=" + value;
}

std::string entry(const FlagInfo& flag) {
  std::string text(flag.help);
  if (!flag.standard.empty()) text += format(" (default {})", flag.standard);
  if (flag.effect == Effect::Old) text += format("; old name of {}", flag.note);
  return format(".TP\n{}\n{}\n", with_value(flag), literal(text));
}

std::string group_section(Group group) {
  std::string title_text(title(group));
  std::transform(title_text.begin(), title_text.end(), title_text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  std::string section = format(".SH {} FLAGS\n", title_text);
  for (const FlagInfo& flag : all_flags())
    if (flag.group == group && flag.effect <= Effect::Old) section += entry(flag);
  return section;
}

std::string reasons(Effect effect) {
  std::string list;
  for (const FlagInfo& flag : all_flags())
    if (flag.effect == effect)
      list += format(".TP\n{}\n{}\n", with_value(flag), literal(flag.note));
  return list;
}

}  // namespace

std::string man_page() {
  std::string page = ".TH DLAEXEC 1 \"\" \"dlaexec " DLAEXEC_VERSION R"(" "User Commands"
.SH NAME
dlaexec \- build, run and time neural networks on emulated DLA cores and a GPU or host
.SH SYNOPSIS
.B dlaexec
\fB\-\-onnx\fR=\fIMODEL\fR [\fB\-\-useDLACore\fR=\fIN\fR] [\fIflags\fR]
.br
.B dlaexec
\fB\-\-loadEngine\fR=\fIPLAN\fR [\fIflags\fR]
.SH DESCRIPTION
Imports an ONNX model, places its layers on a DLA core and a GPU, compiles and saves a plan, runs it,
times it and reports, with the flags, the console and the files of trtexec. The DLA is emulated: its
outputs follow the documented arithmetic of its units, and its time is modelled for the board of
\fB\-\-platform\fR.
)";
  for (const Group group : kGroups) page += group_section(group);
  page +=
      ".SH FLAGS WITHOUT EFFECT\nAccepted for the sake of scripts.\n" + reasons(Effect::Ignored);
  page += ".SH FLAGS THAT ARE REFUSED\n" + reasons(Effect::Refused);
  return page + R"(.SH EXIT STATUS
0 passed, 1 failed, 2 usage, 3 a gate failed, 4 a gate is inconclusive, 5 the plan does not fit this
version or machine; with \fB\-\-exitCodes\fR=\fItrtexec\fR 0 or 1.
.SH ENVIRONMENT
.TP
.B DLAEXEC_*
a flag, its words in capitals with underscores between them: DLAEXEC_USE_DLA_CORE=0 is
\fB\-\-useDLACore\fR=\fI0\fR. The command line overrides the environment, which overrides
\fB\-\-config\fR.
.TP
.B NO_COLOR
when not empty, nothing is coloured unless \fB\-\-color\fR=\fIalways\fR is given.
.TP
.B CLICOLOR_FORCE
when not empty and not 0, lines are coloured also where no terminal reads them.
)";
}

}  // namespace dlaexec::cli
