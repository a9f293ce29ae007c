#include "cli/exec_command.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "base/text.h"
#include "cli/exec_child.h"
#include "cli/exit_code.h"
#include "cli/file_keeper.h"
#include "cli/private_folder.h"
#include "cli/signals.h"

namespace rota::cli {
namespace {

constexpr Duration kLook{60'000};
// Changes at about the same time, of several members, are one.
constexpr Duration kChangeDelay{1'000};
constexpr Duration kEndMax{10'000};  // for a command that is to be restarted
constexpr int kNotFound = 127;
constexpr int kNotExecutable = 126;
constexpr int kSignalled = 128;

int status_of(int status) {
  return WIFSIGNALED(status) ? kSignalled + WTERMSIG(status) : WEXITSTATUS(status);
}

// What a refusal means to whoever started us, as of `rota token`.
ExitCode code_of(std::string_view refusal) {
  if (refusal == "forbidden") return ExitCode::kFailed;
  if (refusal == "token_unavailable" || refusal == "member_mismatched") return ExitCode::kNotNow;
  return ExitCode::kNoMember;
}

class ExecRun {
 public:
  ExecRun(const ExecCommand& command, mode_t creation_mask, Output& output)
      : command_(command), creation_mask_(creation_mask), output_(output) {}

  int run(const std::string& socket) {
    auto folder = PrivateFolder::create();
    if (!folder) return failed(folder.error());
    folder_ = *std::move(folder);
    auto signals = Signals::create(
        {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGTSTP, SIGCONT, SIGWINCH, SIGCHLD});
    if (!signals) return failed(signals.error());
    auto keeper = FileKeeper::create({.socket = socket}, files(),
                                     {.on_change = [this](std::size_t) { on_change(); }}, output_);
    if (!keeper) return failed(keeper.error());
    keeper_ = *std::move(keeper);
    if (const auto code = wait_for_tokens(*signals)) return *code;
    start(*signals);
    while (!end_) turn(*signals);
    return *end_;
  }

 private:
  int failed(const Error& error) {
    output_.err(error.message);
    return static_cast<int>(ExitCode::kFailed);
  }

  // "" if there is one member, else "_1", "_2", …
  std::string suffix(std::size_t i) const {
    return command_.keys.size() == 1 ? "" : fmt::format("_{}", i + 1);
  }
  std::string path(std::size_t i) const {
    return fmt::format("{}/token{}", folder_->path(), suffix(i));
  }
  std::vector<KeptFile> files() const {
    std::vector<KeptFile> files;
    for (std::size_t i = 0; i < command_.keys.size(); ++i) {
      files.push_back({.member = command_.keys[i],
                       .place = {.path = path(i), .owner = ::geteuid(), .group = ::getegid()}});
    }
    return files;
  }

  // The status to exit with if there will be none.
  std::optional<int> wait_for_tokens(const Signals& signals) {
    while (keeper_->written() < keeper_->size()) {
      std::optional<int> ended;
      keeper_->turn(signals.fd(), kLook);
      signals.each([&ended](const signalfd_siginfo& signal) {
        const int number = static_cast<int>(signal.ssi_signo);
        if (number != SIGCHLD && number != SIGCONT && number != SIGWINCH && number != SIGTSTP) {
          ended = kSignalled + number;
        }
      });
      if (ended) return ended;
      if (keeper_->is_silent()) return static_cast<int>(ExitCode::kUnreachable);
      for (std::size_t i = 0; i < keeper_->size(); ++i) {
        const std::string& refusal = keeper_->refusal_of(i);
        if (!refusal.empty()) return static_cast<int>(code_of(refusal));
      }
    }
    return std::nullopt;
  }

  void start(const Signals& signals) {
    std::vector<Variable> variables;
    for (std::size_t i = 0; i < command_.keys.size(); ++i) {
      variables.push_back({.name = "ROTA_TOKEN_FILE" + suffix(i), .value = Secret(path(i))});
      const SecretPtr token = keeper_->token_of(i);
      if (command_.env.empty() || token == nullptr) continue;
      variables.push_back({.name = command_.env + suffix(i), .value = Secret(token->reveal())});
    }
    const auto child = start_child({.command = command_.command,
                                    .variables = std::move(variables),
                                    .signals = signals.before(),
                                    .creation_mask = creation_mask_});
    if (child) {
      child_ = *child;
      return;
    }
    output_.err(fmt::format("{} cannot be run: {}",
                            in_quotes_unless_secret(command_.command.front()),
                            std::strerror(child.error().error)));
    end_ = child.error().error == ENOENT ? kNotFound : kNotExecutable;
  }

  void turn(const Signals& signals) {
    Duration wait = kLook;
    for (const auto& due : {change_due_, kill_due_}) {
      if (due) wait = std::min(wait, *due - boot_now());
    }
    keeper_->turn(signals.fd(), wait);
    signals.each([this](const signalfd_siginfo& signal) { pass_on(signal); });
    each_child(true,
               [this, &signals](pid_t child, int status) { on_child(child, status, signals); });
    const BootTime now = boot_now();
    if (change_due_ && *change_due_ <= now) act_on_change(now);
    if (kill_due_ && *kill_due_ <= now) {
      kill_due_.reset();
      ::kill(child_, SIGKILL);
    }
  }

  // The kernel sends what a terminal sends to the whole process group, and so to the command, too.
  void pass_on(const signalfd_siginfo& signal) const {
    const int number = static_cast<int>(signal.ssi_signo);
    if (number == SIGCHLD || signal.ssi_code == SI_KERNEL) return;
    ::kill(child_, number);
  }

  void on_child(pid_t child, int status, const Signals& signals) {
    if (child != child_) return;
    if (WIFSTOPPED(status)) {
      // Whoever waits for us sees what it would see of the command.
      ::raise(SIGSTOP);
      return;
    }
    if (!restarting_) {
      end_ = status_of(status);
      return;
    }
    restarting_ = false;
    kill_due_.reset();
    start(signals);
  }

  void on_change() {
    if (!change_due_) change_due_ = boot_now() + kChangeDelay;
  }

  void act_on_change(BootTime now) {
    change_due_.reset();
    if (command_.signal_on_change != 0) ::kill(child_, command_.signal_on_change);
    if (!command_.restart_on_change || restarting_) return;
    restarting_ = true;
    kill_due_ = now + kEndMax;
    ::kill(child_, SIGTERM);
    ::kill(child_, SIGCONT);
  }

  const ExecCommand& command_;
  const mode_t creation_mask_;
  Output& output_;
  std::unique_ptr<PrivateFolder> folder_;
  std::unique_ptr<FileKeeper> keeper_;
  pid_t child_ = -1;
  std::optional<int> end_;  // the status to exit with
  std::optional<BootTime> change_due_;
  bool restarting_ = false;
  std::optional<BootTime> kill_due_;
};

}  // namespace

int run_exec(const ExecCommand& command, const std::string& socket, mode_t creation_mask,
             Output& output) {
  return ExecRun(command, creation_mask, output).run(socket);
}

}  // namespace rota::cli
