// The dlaexec command.
#include <exception>

#include "base/error.h"
#include "console.h"
#include "help.h"
#include "question.h"
#include "settings.h"

namespace dlaexec::cli {
namespace {

/// What the command was called with, behind the program's name.
std::vector<std::string> arguments_of(const std::vector<std::string>& command) {
  return {command.begin() + (command.empty() ? 0 : 1), command.end()};
}

/// An exit status of its own for each fault, unless 0 and 1 are all that is wanted.
int status_of(Fault fault, bool only_one) { return only_one ? 1 : static_cast<int>(fault); }

/// Somebody typed the name alone: trtexec prints its help and passes.
int answer_nothing(Console& console) {
  if (console.persona() == Persona::Trtexec) {
    console.begin();
    console.print(help(""));
    console.test_line("PASSED");
    return 0;
  }
  console.print(usage());
  return static_cast<int>(Fault::Usage);
}

void run_job(const Settings& settings, Console& console) {
  (void)settings;
  console.begin();
  fail("building is not there yet");
}

int run(Console& console, const std::vector<std::string>& arguments) {
  bool only_one = console.persona() == Persona::Trtexec;
  try {
    const Settings settings = parse_arguments(arguments);
    only_one = only_one || settings.text(Flag::exitCodes) == "trtexec";
    if (const auto text = answer(settings)) {
      console.print(*text);
      return 0;
    }
    run_job(settings, console);
    console.test_line("PASSED");
    return 0;
  } catch (const Error& error) {
    console.begin();
    console.report(error);
    console.test_line("FAILED");
    return status_of(error.fault(), only_one);
  } catch (const std::exception& error) {
    console.begin();
    log::error("Uncaught exception detected: {}", error.what());
    console.test_line("FAILED");
    return static_cast<int>(Fault::Failed);
  }
}

}  // namespace
}  // namespace dlaexec::cli

int main(int argc, char** argv) {
  using namespace dlaexec::cli;
  const std::vector<std::string> command(argv, argv + argc);
  Console console(command);
  if (argc <= 1) return answer_nothing(console);
  return run(console, arguments_of(command));
}
