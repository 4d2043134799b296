#include "support/program.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "base/error.h"
#include "base/file.h"
#include "support/paths.h"

namespace dlaexec::test {
namespace {

/// Makes the file @p path the descriptor @p target. Only async-signal-safe calls: runs after fork.
void redirect(const char* path, int flags, int target) {
  const int file = ::open(path, flags, 0600);
  if (file < 0 || ::dup2(file, target) < 0) ::_exit(126);
}

}  // namespace

Process::Process(const std::vector<std::string>& command, const std::string& folder, Errors errors)
    : files_(temporary_dir()) {
  std::vector<char*> arguments;
  for (const std::string& argument : command)
    arguments.push_back(const_cast<char*>(argument.c_str()));  // execv promises not to write
  arguments.push_back(nullptr);
  const std::string out = files_ + "/out", err = files_ + "/err";
  id_ = ::fork();
  DLAEXEC_CHECK(id_ >= 0);
  if (id_ > 0) return;
  for (const char* name : {"CLICOLOR_FORCE"}) ::unsetenv(name);
  redirect("/dev/null", O_RDONLY, STDIN_FILENO);
  redirect(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO);
  if (errors == Errors::IntoOutput)
    ::dup2(STDOUT_FILENO, STDERR_FILENO);
  else
    redirect(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, STDERR_FILENO);
  if (::chdir(folder.c_str()) != 0) ::_exit(126);
  ::execv(arguments.front(), arguments.data());
  ::_exit(127);
}

void Process::send(int signal) const { ::kill(id_, signal); }

std::string Process::output_so_far() const {
  return ::access((files_ + "/out").c_str(), R_OK) == 0 ? read_file(files_ + "/out") : "";
}

Outcome Process::wait() {
  int state = 0;
  rusage usage{};
  ::wait4(id_, &state, 0, &usage);
  Outcome outcome;
  outcome.status = WIFSIGNALED(state) ? 128 + WTERMSIG(state) : WEXITSTATUS(state);
  outcome.page_faults = usage.ru_minflt + usage.ru_majflt;
  outcome.out = output_so_far();
  if (::access((files_ + "/err").c_str(), R_OK) == 0) outcome.err = read_file(files_ + "/err");
  return outcome;
}

Outcome run_program(const std::vector<std::string>& command, const std::string& folder,
                    Errors errors) {
  return Process(command, folder, errors).wait();
}

}  // namespace dlaexec::test
