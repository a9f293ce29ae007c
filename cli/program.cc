#include "cli/program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/text.h"

namespace rota::cli {
namespace {

constexpr int kSignalled = 128;

struct Pipe {
  int read = -1;
  int write = -1;

  Pipe() = default;
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close(read);
    close(write);
  }
  bool open() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
    read = ends[0];
    write = ends[1];
    return true;
  }
  static void close(int& end) {
    if (end >= 0) ::close(std::exchange(end, -1));
  }
};

struct FileActions {
  FileActions() { posix_spawn_file_actions_init(&actions); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  ~FileActions() { posix_spawn_file_actions_destroy(&actions); }
  posix_spawn_file_actions_t actions{};
};

std::unexpected<Error> failure(const std::string& program, int error) {
  return fail(ErrorKind::kIo, fmt::format("the program {} cannot be run: {}",
                                          in_quotes_unless_secret(program), std::strerror(error)));
}

Secret read_all(int fd) {
  std::string buffer(kProgramOutputMax, '\0');
  std::array<char, 4'096> rest{};
  std::size_t used = 0;
  for (;;) {
    const bool full = used == buffer.size();
    const ssize_t got = full ? ::read(fd, rest.data(), rest.size())
                             : ::read(fd, buffer.data() + used, buffer.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    if (!full) used += static_cast<std::size_t>(got);
  }
  wipe(std::span<char>(rest));
  Secret output(std::string_view(buffer).substr(0, used));
  wipe(buffer);
  return output;
}

}  // namespace

Result<Ran> run_program(const std::vector<std::string>& command, std::string_view input,
                        ProgramErrors errors) {
  Pipe in;
  Pipe out;
  if (!in.open() || !out.open()) return failure(command.front(), errno);
  FileActions at;
  posix_spawn_file_actions_adddup2(&at.actions, in.read, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&at.actions, out.write, STDOUT_FILENO);
  if (errors == ProgramErrors::kToOutput) {
    posix_spawn_file_actions_adddup2(&at.actions, out.write, STDERR_FILENO);
  } else if (errors == ProgramErrors::kNowhere) {
    posix_spawn_file_actions_addopen(&at.actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  }
  std::vector<char*> words;
  std::vector<std::string> copies = command;
  for (std::string& word : copies) words.push_back(word.data());
  words.push_back(nullptr);
  pid_t child = -1;
  const int error =
      ::posix_spawnp(&child, words.front(), &at.actions, nullptr, words.data(), environ);
  if (error != 0) return failure(command.front(), error);
  Pipe::close(in.read);
  Pipe::close(out.write);
  // If the program does not read its input, its exit code decides.
  while (!input.empty()) {
    const ssize_t sent = ::write(in.write, input.data(), input.size());
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) break;
    input.remove_prefix(static_cast<std::size_t>(sent));
  }
  Pipe::close(in.write);
  Secret output = read_all(out.read);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return Ran{.code = WIFEXITED(status) ? WEXITSTATUS(status) : kSignalled + WTERMSIG(status),
             .output = std::move(output)};
}

}  // namespace rota::cli
