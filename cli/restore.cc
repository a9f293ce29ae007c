#include "cli/restore.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include "base/text.h"
#include "cli/stopped_daemon.h"
#include "model/audit.h"
#include "settings/hidden_values.h"
#include "settings/own_path.h"
#include "settings/secret_files.h"
#include "settings/settings.h"
#include "settings/store_key.h"
#include "sqlite/backup_file.h"
#include "sqlite/database_restore.h"
#include "sqlite/files.h"
#include "sqlite/sealer.h"
#include "store/restoration.h"

namespace rota::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t kKeysShownMax = 20;

// "  blocked since, and stay out: 2: email:a@example.com, id:4\n"; empty if there are none.
std::string list(std::string_view what, const std::vector<MemberKey>& keys) {
  if (keys.empty()) return {};
  std::string text = fmt::format("  {}: {}", what, keys.size());
  for (std::size_t i = 0; i < keys.size() && i < kKeysShownMax; ++i) {
    text += fmt::format("{} {}", i == 0 ? ":" : ",", keys[i].text());
  }
  return text + (keys.size() > kKeysShownMax ? ", …\n" : "\n");
}

json::array to_json(const std::vector<MemberKey>& keys) {
  json::array all;
  for (const MemberKey& key : keys) all.emplace_back(key.text());
  return all;
}

// Whether a daemon of this machine can have made calls within the window: each call brings commits,
// and each commit is written down beside the database. Without that note nobody can tell.
bool may_have_called(const std::string& database, Duration window, WallTime now) {
  const auto written = trace_of(database + ".mark");
  return !written || now - written->written_at <= window;
}

class Restore {
 public:
  Restore(const RestoreCommand& command, bool as_json, Console& console, Output& output,
          const std::function<WallTime()>& now)
      : command_(command), as_json_(as_json), console_(console), output_(output), now_(now()) {}

  Result<ExitCode> run() {
    ROTA_ASSIGN(const Settings settings, load_settings(command_.config));
    auto done = run_with(settings);
    if (!done) return std::unexpected(HiddenValues(settings).hide(std::move(done).error()));
    return done;
  }

 private:
  Result<ExitCode> run_with(const Settings& settings) {
    find_credentials(command_.config, settings);
    ROTA_ASSIGN(Secret key, read_store_key(settings, owner_of_database(settings.store.path)));
    ROTA_ASSIGN(std::optional<Secret> earlier_key, read_key_file());
    ROTA_ASSIGN(const BackupReader backup, BackupReader::open(command_.file));
    ROTA_ASSIGN(const AsOwner owner, AsOwner::of(settings.store.path));
    ROTA_TRY(check_only_ours(settings.store.path));

    DatabaseRestore restore(settings.store.path, std::move(key));
    ROTA_ASSIGN(DatabaseRestore::Present present, restore.look_at_present());
    ROTA_ASSIGN(const bool has_our_key, restore.has_key_of(backup));
    if (has_our_key) earlier_key.reset();
    if (!has_our_key && !earlier_key) {
      return fail(ErrorKind::kConfig,
                  command_.file +
                      " was sealed with another store key: name the file of that key with "
                      "--key-file");
    }
    sealed_anew_ = earlier_key.has_value();
    ROTA_ASSIGN(Snapshot copy, restore.unseal(backup, earlier_key));
    const bool readable = present.snapshot.has_value();
    const std::int64_t damaged = readable ? present.snapshot->rows_set_aside : 0;
    const std::string report = head_of(backup.head());
    const Restoration plan =
        readable ? carry_over(std::move(copy), *std::move(present.snapshot),
                              present.database == backup.head().database, now_, Sealer::draw_salt)
                 : from_copy(std::move(copy), settings);
    const std::string losses =
        readable ? kept(plan, damaged, settings.store.path) : unknown(present.problem, settings);
    if (!as_json_) ROTA_TRY(output_.out(visible(report + losses, "\n")));
    ROTA_ASSIGN(const ExitCode agreed, ask());
    if (agreed != ExitCode::kDone) return agreed;

    const AuditNote note{.key = {.event = AuditEvent::kRestored,
                                 .detail = "a copy of " + format_iso8601(backup.head().made_at)},
                         .at = now_,
                         .last_at = now_};
    ROTA_ASSIGN(const std::filesystem::path before,
                restore.put_in_place(plan.mutations, note, now_));
    return tell(plan, backup.head(), before, readable);
  }

  // None: no --key-file.
  Result<std::optional<Secret>> read_key_file() const {
    if (command_.key_file.empty()) return std::nullopt;
    ROTA_ASSIGN(const Secret text, read_secret_file(command_.key_file));
    ROTA_ASSIGN(Secret key, parse_store_key(text.reveal()));
    return std::move(key);
  }

  Restoration from_copy(Snapshot copy, const Settings& settings) {
    waits_ = may_have_called(settings.store.path, settings.policy.window, now_);
    return start_from(std::move(copy), waits_ ? settings.policy.requests_per_window : 0, now_,
                      Sealer::draw_salt);
  }

  std::string head_of(const BackupHead& head) const {
    return fmt::format(
        "{}: all that was durable at {}, {} ago{}: {}, by Rota {}\n{}", command_.file,
        format_iso8601(head.made_at),
        format_duration(
            std::chrono::floor<std::chrono::seconds>(std::max(now_ - head.made_at, Duration{0}))),
        head.community == 0 ? "" : fmt::format(", of community {}", head.community),
        counted(static_cast<std::size_t>(head.members), "member", "members"), head.rota,
        sealed_anew_ ? "it was sealed with an earlier store key, and is sealed anew\n" : "");
  }

  static std::string kept(const Restoration& plan, std::int64_t damaged, const std::string& path) {
    const std::string text = list("blocked, and stay so", plan.blocked) +
                             list("left, and stay out unless the roster names them", plan.left) +
                             list("came, and stay", plan.came) +
                             list("reinstated; the copy blocks them again", plan.let_in);
    const std::string lost =
        damaged == 0 ? "" : fmt::format(", and {} rows that nobody can read", damaged);
    return fmt::format(
        "what the copy does not know, and takes over from {}:\n{}  tokens: {}; calls: {}\n"
        "lost are only the entries of the audit trail since then{}\n",
        path, text, plan.tokens, plan.calls, lost);
  }

  std::string unknown(const std::string& problem, const Settings& settings) const {
    std::string text = fmt::format(
        "{}\nSo nothing tells what came after the copy, and this is LOST:\n"
        "  - blocks: repeat each with rota revoke KEY\n"
        "  - leavers: the roster decides again who is out; members that clients removed are back\n"
        "  - tokens: those since then live at Circle until they expire, and Rota cannot revoke "
        "them\n"
        "  - logins: all login handles are dead, and programs log in again\n",
        problem);
    if (waits_) {
      text += fmt::format(
          "  - calls: nobody knows those of the last minutes, so rotad makes none for the first "
          "{}\n",
          format_duration(settings.policy.window));
    }
    return text;
  }

  Result<ExitCode> ask() {
    if (command_.yes) return ExitCode::kDone;
    constexpr std::string_view kWord = "restore";
    if (!console_.is_there()) {
      output_.err("nobody is here to ask: give --yes");
      return ExitCode::kUsage;
    }
    ROTA_ASSIGN(const std::string said,
                console_.ask(fmt::format("To put the copy in place, type \"{}\": ", kWord)));
    if (said == kWord) return ExitCode::kDone;
    return fail(ErrorKind::kInvalid, "nothing has changed");
  }

  Result<ExitCode> tell(const Restoration& plan, const BackupHead& head,
                        const std::filesystem::path& before, bool readable) {
    std::string text;
    if (as_json_) {
      text = json::serialize(json::object{{"made_at", format_iso8601(head.made_at)},
                                          {"sealed_anew", sealed_anew_},
                                          {"compared", readable},
                                          {"blocked", to_json(plan.blocked)},
                                          {"left", to_json(plan.left)},
                                          {"came", to_json(plan.came)},
                                          {"reinstated", to_json(plan.let_in)},
                                          {"tokens", plan.tokens},
                                          {"calls", plan.calls},
                                          {"before", before.string()}}) +
             "\n";
    } else {
      text = "the copy is in place";
      if (!before.empty()) text += fmt::format("; the database of before is {}", before.string());
      text += "\nBefore rotad serves a member's token, it asks Circle about the member.\n";
    }
    ROTA_TRY(output_.out(visible(text, "\n")));
    return ExitCode::kDone;
  }

  const RestoreCommand& command_;
  const bool as_json_;
  Console& console_;
  Output& output_;
  const WallTime now_;
  bool sealed_anew_ = false;  // the backup had an earlier key
  bool waits_ = false;        // rotad makes no call for one window
};

}  // namespace

ExitCode run_restore(const RestoreCommand& command, bool as_json, Console& console, Output& output,
                     const std::function<WallTime()>& now) {
  auto done = Restore(command, as_json, console, output, now).run();
  if (done) return *done;
  return say_why_not(std::move(done).error(), {command.file, command.config, command.key_file},
                     command.community, output);
}

}  // namespace rota::cli
