#include "cli/file_keeper.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <utility>
#include <variant>

#include "base/text.h"
#include "base/token_digest.h"
#include "cli/started_program.h"

namespace rota::cli {
namespace {

std::vector<deliver::FileOrder> orders_of(const std::vector<KeptFile>& files) {
  std::vector<deliver::FileOrder> orders;
  for (const KeptFile& file : files) {
    orders.push_back({.path = file.place.path, .run = file.run, .keep = file.keep});
  }
  return orders;
}

template <class... Each>
struct Overloaded : Each... {
  using Each::operator()...;
};

}  // namespace

Result<std::unique_ptr<FileKeeper>> FileKeeper::create(Options options, std::vector<KeptFile> files,
                                                       Hooks hooks, Output& output) {
  const std::string socket = options.socket;
  std::unique_ptr<FileKeeper> keeper(
      new FileKeeper(std::move(options), std::move(files), std::move(hooks), output));
  ROTA_TRY(keeper->connect(socket));
  return keeper;
}

FileKeeper::FileKeeper(Options options, std::vector<KeptFile> files, Hooks hooks, Output& output)
    : options_(std::move(options)),
      hooks_(std::move(hooks)),
      output_(output),
      deliveries_(orders_of(files), options_.told) {
  for (KeptFile& file : files) files_.push_back({.what = std::move(file)});
}

FileKeeper::~FileKeeper() { kill_programs(); }

Result<void> FileKeeper::connect(const std::string& socket) {
  std::vector<MemberKey> members;
  for (std::size_t i = 0; i < files_.size(); ++i) {
    const auto known = std::ranges::find(members, files_[i].what.member);
    const auto place = static_cast<std::size_t>(known - members.begin());
    if (known == members.end()) {
      members.push_back(files_[i].what.member);
      files_of_.emplace_back();
    }
    files_of_[place].push_back(i);
  }
  ROTA_ASSIGN(streams_,
              TokenStreams::create(socket, members, [this](std::size_t member, const Heard& heard) {
                hear(member, heard);
              }));
  return {};
}

void FileKeeper::hear(std::size_t member, const Heard& heard) {
  const bool silent = heard.what == Heard::What::kSilence;
  if (silent && !silent_) {
    output_.err(
        fmt::format("{}: no answer ({}); the files stay as they are", options_.socket, heard.why));
  }
  if (!silent && silent_) output_.err(fmt::format("{}: answers again", options_.socket));
  silent_ = silent;
  for (const std::size_t file : files_of_[member]) {
    switch (heard.what) {
      case Heard::What::kToken:
        hear_token(file, heard);
        break;
      case Heard::What::kGone:
        hear_gone(file, heard);
        break;
      case Heard::What::kSilence:
        break;
    }
  }
}

void FileKeeper::hear_token(std::size_t file, const Heard& heard) {
  File& at = files_[file];
  const BootTime now = boot_now();
  auto content = render(at.what.format, at.what.text, heard.token);
  if (!content) {
    say_file(file, fail(content.error().kind,
                        fmt::format("{}: {}", at.what.place.path, content.error().message)));
    deliveries_.on_gone(file, now);
    return;
  }
  if (!at.refusal.empty()) {
    output_.err(
        fmt::format("{}: there is a token of {} again", at.what.place.path, at.what.member.text()));
  }
  at.refusal.clear();
  at.content = *std::move(content);
  at.token = heard.token.access_token;
  deliveries_.on_content(file, digest_of(at.content.reveal()), now + heard.left, now);
}

void FileKeeper::hear_gone(std::size_t file, const Heard& heard) {
  File& at = files_[file];
  if (at.refusal != heard.code) {
    output_.err(fmt::format("{}: no token of {} ({}): {}", at.what.place.path,
                            at.what.member.text(), heard.code, heard.why));
  }
  at.refusal = heard.code;
  deliveries_.on_gone(file, boot_now());
}

void FileKeeper::turn(int other, Duration wait) {
  const BootTime now = boot_now();
  for (const deliver::Deed& deed : deliveries_.due(now)) carry_out(deed);
  end_overdue(now);
  if (const auto due = deliveries_.next_due()) wait = std::min(wait, *due - now);
  for (const auto& [child, running] : running_) wait = std::min(wait, running.limit - now);
  wait = std::max(wait, Duration{0});
  if (streams_ != nullptr) {
    streams_->poll(other, wait);
  } else {
    pollfd waited{.fd = other, .events = POLLIN, .revents = 0};
    ::poll(&waited, 1, static_cast<int>(wait.count()));
  }
  // What was heard is done at once.
  for (const deliver::Deed& deed : deliveries_.due(boot_now())) carry_out(deed);
}

void FileKeeper::carry_out(const deliver::Deed& deed) {
  std::visit(Overloaded{[this](const deliver::Write& deed) { write(deed.file); },
                        [this](const deliver::Remove& deed) { remove(deed.file); },
                        [this](const deliver::Run& deed) { run(deed.run); }},
             deed);
}

void FileKeeper::say_file(std::size_t file, const Result<void>& done) {
  File& at = files_[file];
  if (!done && !at.trouble) output_.err(done.error().message + "; tried again and again");
  if (done && at.trouble) output_.err(fmt::format("{}: done now", at.what.place.path));
  at.trouble = !done;
}

void FileKeeper::write(std::size_t file) {
  File& at = files_[file];
  const auto done =
      is_in_place(at.what.place, at.content) ? Result<void>{} : put(at.what.place, at.content);
  say_file(file, done);
  deliveries_.on_written(file, done.has_value(), boot_now());
  if (!done) return;
  if (at.was_written && hooks_.on_change) hooks_.on_change(file);
  at.was_written = true;
}

void FileKeeper::remove(std::size_t file) {
  File& at = files_[file];
  at.token.reset();
  const auto done = take_away(at.what.place.path);
  say_file(file, done);
  deliveries_.on_removed(file, done.has_value(), boot_now());
}

void FileKeeper::run(std::size_t run) {
  const auto child = start_program(deliveries_.program(run));
  if (!child) {
    deliveries_.on_run_end(run, false, boot_now());
    output_.err(child.error().message);
    return;
  }
  running_.emplace(*child, Running{.run = run, .limit = boot_now() + options_.run_timeout});
}

bool FileKeeper::on_child(pid_t child, int status) {
  const auto ended = running_.find(child);
  if (ended == running_.end()) return false;
  const Running what = ended->second;
  running_.erase(ended);
  const bool good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  const std::string name = in_quotes_unless_secret(deliveries_.program(what.run).front());
  if (!good) {
    output_.err(fmt::format("{} {}; it is run again", name,
                            what.killed ? "took longer than run_timeout" : end_of_program(status)));
  } else if (deliveries_.failures_of_run(what.run) > 0) {
    output_.err(fmt::format("{} has done it now", name));
  }
  deliveries_.on_run_end(what.run, good, boot_now());
  if (good && hooks_.on_told) hooks_.on_told(deliveries_.told());
  return true;
}

void FileKeeper::end_overdue(BootTime now) {
  constexpr Duration kKillAgain{1'000};
  for (auto& [child, running] : running_) {
    if (running.limit > now) continue;
    ::kill(-child, SIGKILL);
    running.killed = true;
    running.limit = now + kKillAgain;
  }
}

void FileKeeper::stop() {
  deliveries_.on_stop(boot_now());
  streams_.reset();
}

void FileKeeper::kill_programs() {
  for (auto& [child, running] : running_) {
    ::kill(-child, SIGKILL);
    running.killed = true;
  }
}

std::size_t FileKeeper::written() const {
  std::size_t count = 0;
  for (std::size_t i = 0; i < files_.size(); ++i) {
    if (deliveries_.state_of(i) == deliver::FileState::kWritten) ++count;
  }
  return count;
}

}  // namespace rota::cli
