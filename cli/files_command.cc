#include "cli/files_command.h"

#include <fmt/format.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "cli/delivery_record.h"
#include "cli/file_keeper.h"
#include "cli/placed_file.h"
#include "cli/signals.h"
#include "settings/accounts.h"
#include "settings/token_files.h"

namespace rota::cli {
namespace {

// A unit that waits for the files need not wait longer for a daemon that does not answer.
constexpr Duration kReadyMax{30'000};
// What a stop waits for programs that run, and for a file that cannot be removed.
constexpr Duration kStopMax{5'000};
constexpr Duration kLook{60'000};  // nothing is due so long as a rule

Result<std::vector<KeptFile>> kept_files(const TokenFilesSettings& settings) {
  std::vector<KeptFile> files;
  for (const TokenFileSettings& file : settings.files) {
    KeptFile kept{
        .member = file.member,
        .place = {.path = file.path, .owner = ::geteuid(), .group = ::getegid(), .mode = file.mode},
        .format = file.format,
        .text = file.text,
        .run = file.run,
        .keep = file.keep};
    const auto at_file = [&](const Error& error) {
      return fail(error.kind, fmt::format("{}: {}", file.where, error.message));
    };
    if (!file.owner.empty()) {
      const auto owner = find_user(file.owner);
      if (!owner) return at_file(owner.error());
      kept.place.owner = *owner;
    }
    if (!file.group.empty()) {
      const auto group = find_group(file.group);
      if (!group) return at_file(group.error());
      kept.place.group = *group;
    }
    files.push_back(std::move(kept));
  }
  return files;
}

// One run of `rota files`, over reloads.
class FilesRun {
 public:
  FilesRun(const FilesCommand& command, Output& output) : command_(command), output_(output) {}

  ExitCode run() {
    auto signals = Signals::create({SIGTERM, SIGINT, SIGHUP, SIGCHLD});
    if (!signals) return failed(signals.error());
    if (const auto loaded = load(); !loaded) return failed(loaded.error());
    const BootTime begin = boot_now();
    for (bool ready = false; !stop_at_ || !is_over();) {
      keeper_->turn(
          signals->fd(),
          wait_until(ready || stop_at_ ? std::nullopt : std::optional(begin + kReadyMax)));
      signals->each([this](const signalfd_siginfo& signal) { on_signal(signal); });
      each_child(false, [this](pid_t child, int status) { keeper_->on_child(child, status); });
      if (reload_ && !stop_at_ && !keeper_->runs_programs()) reload();
      if (!ready && (keeper_->settled() || boot_now() >= begin + kReadyMax)) {
        ready = true;
        ::sd_notify(0, "READY=1");
      }
      tell_status();
    }
    keeper_->kill_programs();
    return keeper_->stopped() ? ExitCode::kDone : ExitCode::kFailed;
  }

 private:
  ExitCode failed(const Error& error) {
    output_.err(error.message);
    return error.kind == ErrorKind::kConfig ? ExitCode::kConfig : ExitCode::kFailed;
  }

  bool is_over() const {
    return (keeper_->stopped() && !keeper_->runs_programs()) || boot_now() >= *stop_at_;
  }

  Duration wait_until(std::optional<BootTime> time) const {
    if (stop_at_) time = *stop_at_;
    return time ? std::min(kLook, std::max(Duration{0}, *time - boot_now())) : kLook;
  }

  Result<void> load() {
    ROTA_ASSIGN(const TokenFilesSettings settings, load_token_files(command_.config));
    ROTA_ASSIGN(std::vector<KeptFile> files, kept_files(settings));
    if (settings.record != record_path_) {
      ROTA_ASSIGN(record_, load_record(settings.record));
      record_path_ = settings.record;
    }
    if (keeper_ != nullptr) record_.told = keeper_->told();
    std::set<std::string> wanted;
    for (const KeptFile& file : files) wanted.insert(file.place.path);
    record_.paths.insert(wanted.begin(), wanted.end());
    // Before the first file is written, or a crash would leave one that nobody knows of.
    ROTA_TRY(save_record(record_path_, record_));
    ROTA_ASSIGN(keeper_, FileKeeper::create({.socket = settings.socket,
                                             .run_timeout = settings.run_timeout,
                                             .told = record_.told},
                                            std::move(files),
                                            {.on_told =
                                                 [this](const deliver::Told& told) {
                                                   record_.told = told;
                                                   save();
                                                 }},
                                            output_));
    // Last, so that a load that fails leaves the files of the configuration in force.
    remove_leftovers(wanted);
    return {};
  }

  // Files that an earlier configuration had.
  void remove_leftovers(const std::set<std::string>& wanted) {
    for (auto path = record_.paths.begin(); path != record_.paths.end();) {
      if (wanted.contains(*path)) {
        ++path;
        continue;
      }
      const auto gone = take_away(*path);
      if (!gone) output_.err(gone.error().message);
      record_.told.erase(*path);
      // One that could not be removed stays on record, for the next start.
      path = gone ? record_.paths.erase(path) : std::next(path);
    }
    save();
  }

  void save() {
    if (const auto saved = save_record(record_path_, record_); !saved) {
      output_.err(saved.error().message + "; after a restart, programs may run once more");
    }
  }

  void on_signal(const signalfd_siginfo& signal) {
    switch (signal.ssi_signo) {
      case SIGHUP:
        reload_ = true;
        return;
      case SIGTERM:
      case SIGINT:
        if (stop_at_) return;
        stop_at_ = boot_now() + kStopMax;
        ::sd_notify(0, "STOPPING=1");
        keeper_->stop();
        return;
      default:  // plain: SIGCHLD; whoever ended is asked for in any case
        return;
    }
  }

  void reload() {
    reload_ = false;
    if (const auto loaded = load(); !loaded) {
      output_.err(loaded.error().message + "; the configuration of before stays in force");
      return;
    }
    output_.err(fmt::format("{}: in force", command_.config));
  }

  void tell_status() {
    std::string status = fmt::format("STATUS={} of {} written", keeper_->written(),
                                     counted(keeper_->size(), "file", "files"));
    if (keeper_->is_silent()) status += ", rotad does not answer";
    if (status == status_) return;
    status_ = std::move(status);
    ::sd_notify(0, status_.c_str());
  }

  const FilesCommand& command_;
  Output& output_;
  std::string record_path_;
  DeliveryRecord record_;
  std::unique_ptr<FileKeeper> keeper_;  // set by load()
  bool reload_ = false;
  std::optional<BootTime> stop_at_;  // set: stopping, at the latest then
  std::string status_;
};

ExitCode check(const FilesCommand& command, Output& output) {
  const auto settings = load_token_files(command.config);
  const auto files = settings ? kept_files(*settings) : std::unexpected(settings.error());
  if (!files) {
    output.err(files.error().message);
    return files.error().kind == ErrorKind::kConfig ? ExitCode::kConfig : ExitCode::kFailed;
  }
  const auto said =
      output.out(fmt::format("{}: {}\n", command.config, counted(files->size(), "file", "files")));
  return said ? ExitCode::kDone : ExitCode::kFailed;
}

}  // namespace

ExitCode run_files(FilesCommand command, Output& output) {
  if (command.config.empty()) command.config = command.community.etc() + "/files.toml";
  return command.check ? check(command, output) : FilesRun(command, output).run();
}

}  // namespace rota::cli
