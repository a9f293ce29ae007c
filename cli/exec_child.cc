#include "cli/exec_child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <string_view>

#include "base/descriptor.h"

namespace rota::cli {
namespace {

// NAME=VALUE of each variable, before those of ours that it does not replace. The texts are wiped.
class Environment {
 public:
  explicit Environment(const std::vector<Variable>& variables) {
    for (const Variable& variable : variables) {
      std::string& text = texts_.emplace_back();
      text.reserve(variable.name.size() + variable.value.size() + 2);
      text.append(variable.name).append("=").append(variable.value.reveal());
    }
    for (std::string& text : texts_) entries_.push_back(text.data());
    for (char** entry = environ; *entry != nullptr; ++entry) {
      const std::string_view ours(*entry);
      const bool replaced = std::ranges::any_of(variables, [ours](const Variable& variable) {
        return ours.starts_with(variable.name) &&
               ours.substr(variable.name.size()).starts_with('=');
      });
      if (!replaced) entries_.push_back(*entry);
    }
    entries_.push_back(nullptr);
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment() {
    for (std::string& text : texts_) wipe(text);
  }
  char** entries() { return entries_.data(); }

 private:
  std::vector<std::string> texts_;
  std::vector<char*> entries_;
};

// In the forked process. Writes errno to `failed` and ends if the command cannot be run.
[[noreturn]] void become(const ChildPlan& plan, char** arguments, char** environment, pid_t parent,
                         int failed) {
  // Without us its files are gone.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  ::signal(SIGPIPE, SIG_DFL);
  ::umask(plan.creation_mask);
  ::sigprocmask(SIG_SETMASK, &plan.signals, nullptr);
  ::execvpe(arguments[0], arguments, environment);
  const int error = errno;
  static_cast<void>(!::write(failed, &error, sizeof error));
  ::_exit(1);
}

}  // namespace

std::expected<pid_t, NotStarted> start_child(const ChildPlan& plan) {
  std::vector<std::string> copies = plan.command;
  std::vector<char*> arguments;
  for (std::string& word : copies) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  Environment environment(plan.variables);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::unexpected(NotStarted{errno});
  const Descriptor read_end(ends[0]);
  Descriptor write_end(ends[1]);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return std::unexpected(NotStarted{errno});
  if (child == 0) {
    become(plan, arguments.data(), environment.entries(), parent, write_end.get());
  }
  write_end.close();
  int error = 0;
  ssize_t got = 0;
  do {
    got = ::read(read_end.get(), &error, sizeof error);
  } while (got < 0 && errno == EINTR);
  if (got != static_cast<ssize_t>(sizeof error)) return child;
  ::waitpid(child, nullptr, 0);
  return std::unexpected(NotStarted{error});
}

}  // namespace rota::cli
