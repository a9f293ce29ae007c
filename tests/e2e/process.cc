#include "e2e/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "support/temp_directory.h"

namespace rota::e2e {
namespace {

constexpr int kLookEveryMs = 5;

int code_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status); }

}  // namespace

bool eventually(const std::function<bool()>& holds, Seconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    ::poll(nullptr, 0, kLookEveryMs);  // what is waited for needs the processor meanwhile
  }
  return true;
}

Process::Process(std::vector<std::string> command, std::filesystem::path output,
                 const Options& options)
    : output_(std::move(output)) {
  std::vector<std::string> texts;
  for (const char* name : {"PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"}) {
    if (const char* value = std::getenv(name)) texts.push_back(std::string(name) + "=" + value);
  }
  for (const auto& [name, value] : options.environment) texts.push_back(name + "=" + value);
  std::vector<char*> environment;
  for (std::string& text : texts) environment.push_back(text.data());
  environment.push_back(nullptr);
  std::vector<char*> arguments;
  for (std::string& text : command) arguments.push_back(text.data());
  arguments.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, output_.c_str(), O_WRONLY | O_CREAT | O_TRUNC,
                                   0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  int next = 3;
  for (const int fd : options.inherit) posix_spawn_file_actions_adddup2(&actions, fd, next++);
  const int error =
      ::posix_spawnp(&pid_, arguments[0], &actions, nullptr, arguments.data(), environment.data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    pid_ = -1;
    ended_ = -1;
    ADD_FAILURE() << "cannot start " << command[0];
  }
}

Process::~Process() {
  if (!ended_) kill_and_wait(SIGKILL);
}

void Process::signal(int number) const {
  if (!ended_) ::kill(pid_, number);
}

bool Process::running() {
  if (ended_) return false;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) == pid_) ended_ = code_of(status);
  return !ended_;
}

bool Process::ends_within(std::chrono::milliseconds delay) {
  const auto ended = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
  pollfd readable{.fd = ended, .events = POLLIN, .revents = 0};
  ::poll(&readable, 1, static_cast<int>(delay.count()));
  ::close(ended);
  return !running();
}

int Process::wait(Seconds limit) {
  if (!eventually([this] { return !running(); }, limit)) {
    ADD_FAILURE() << "does not end; its output:\n" << output();
    kill_and_wait(SIGKILL);
  }
  return *ended_;
}

int Process::kill_and_wait(int number) {
  signal(number);
  if (number == SIGKILL && !ended_) {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    ended_ = code_of(status);
  }
  return wait();
}

std::string Process::output() const { return testing::read_bytes(output_); }

Finished run(std::vector<std::string> command, const std::filesystem::path& folder,
             const std::map<std::string, std::string>& environment, Seconds limit) {
  Process process(std::move(command), folder / "run.out",
                  {.environment = environment, .inherit = {}});
  const int code = process.wait(limit);
  return {.code = code, .output = process.output()};
}

}  // namespace rota::e2e
