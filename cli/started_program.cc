#include "cli/started_program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <string_view>

#include "base/text.h"

namespace rota::cli {
namespace {

struct SpawnPlan {
  SpawnPlan() {
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_init(&actions);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  posix_spawnattr_t attributes{};
  posix_spawn_file_actions_t actions{};
};

bool is_managers(std::string_view entry) {
  constexpr auto kNames = std::to_array<std::string_view>(
      {"NOTIFY_SOCKET=", "LISTEN_FDS=", "LISTEN_PID=", "WATCHDOG_USEC=", "WATCHDOG_PID="});
  return std::ranges::any_of(kNames,
                             [entry](std::string_view name) { return entry.starts_with(name); });
}

}  // namespace

Result<pid_t> start_program(const std::vector<std::string>& words) {
  SpawnPlan plan;
  sigset_t none{};
  sigset_t all{};
  sigemptyset(&none);
  sigfillset(&all);
  constexpr short kFlags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
  posix_spawnattr_setflags(&plan.attributes, kFlags);
  posix_spawnattr_setpgroup(&plan.attributes, 0);
  posix_spawnattr_setsigmask(&plan.attributes, &none);
  posix_spawnattr_setsigdefault(&plan.attributes, &all);
  posix_spawn_file_actions_addopen(&plan.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  std::vector<std::string> copies = words;
  std::vector<char*> arguments;
  for (std::string& word : copies) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::vector<char*> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (!is_managers(*entry)) environment.push_back(*entry);
  }
  environment.push_back(nullptr);
  pid_t child = -1;
  const int error = ::posix_spawnp(&child, arguments.front(), &plan.actions, &plan.attributes,
                                   arguments.data(), environment.data());
  if (error != 0) {
    return fail(ErrorKind::kIo,
                fmt::format("{} cannot be run: {}", in_quotes_unless_secret(words.front()),
                            std::strerror(error)));
  }
  return child;
}

std::string end_of_program(int status) {
  return WIFSIGNALED(status) ? fmt::format("was ended by signal {}", WTERMSIG(status))
                             : fmt::format("ended with {}", WEXITSTATUS(status));
}

}  // namespace rota::cli
