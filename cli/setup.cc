#include "cli/setup.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "cli/option_checks.h"
#include "cli/program.h"
#include "cli/setup_files.h"
#include "cli/setup_report.h"
#include "cli/setup_texts.h"
#include "cli/setup_token.h"
#include "settings/accounts.h"
#include "settings/secret_files.h"

namespace rota::cli {
namespace {

constexpr mode_t kOpenFile = 0644;
constexpr mode_t kGroupFile = 0640;
constexpr mode_t kSecretFile = 0600;
constexpr mode_t kOpenFolder = 0755;
constexpr mode_t kSecretFolder = 0700;
constexpr std::string_view kStoreKey = "store-key";

// One thing to do. Nothing is done before the whole list is complete and the person has agreed.
struct Step {
  std::string text;
  std::move_only_function<Result<void>()> carry_out;
};

class Setup {
 public:
  Setup(const SetupCommand& command, Console& console, SetupReport& report,
        const CheckAppToken& check_token)
      : command_(command),
        console_(console),
        report_(report),
        check_token_(check_token),
        places_(command.root, command.community),
        tree_(places_.root),
        service_(command.community.unit("rotad.service")),
        rotad_(find_rotad(command.rotad)),
        encrypted_(command.encrypted || exists(places_.drop_in)) {}

  // What it leaves undone although it has not failed; empty: nothing.
  const std::string& problem() const { return problem_; }

  Result<ExitCode> run() {
    if (command_.root.empty() && ::geteuid() != 0) {
      return fail(ErrorKind::kInvalid, "only root can write to /etc: sudo rota setup");
    }
    if (!command_.yes && !console_.is_there()) {
      return fail(ErrorKind::kInvalid,
                  "there is no terminal to ask on: --yes agrees to everything, and "
                  "--app-token-file names the file with the app token");
    }
    ROTA_TRY(look_for_links());
    ROTA_TRY(plan_folders());
    ROTA_TRY(plan_app_token());
    ROTA_TRY(plan_store_key());
    ROTA_TRY(plan_drop_in());
    ROTA_TRY(plan_files());
    ROTA_ASSIGN(const bool agreed, agree());
    if (!agreed) {
      problem_ = "nothing was changed, because nobody agreed";
      ROTA_TRY(report_.say("Nothing was changed.\n"));
      return ExitCode::kFailed;
    }
    for (Step& step : steps_) {
      ROTA_TRY(step.carry_out());
      ROTA_TRY(report_.done(step.text));
    }
    ROTA_ASSIGN(const bool good, check());
    ROTA_TRY(say_what_next(good));
    if (!good) return ExitCode::kFailed;
    if (!unanswered_) return ExitCode::kDone;
    problem_ =
        "Circle did not say whether it accepts the app token: once this machine reaches Circle, "
        "run rota setup again, which asks (--no-check does not ask)";
    return ExitCode::kUnreachable;
  }

 private:
  static std::string find_rotad(const std::string& given) {
    if (!given.empty()) return given;
    std::error_code error;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
    const std::string beside = (self.parent_path() / "rotad").string();
    return !error && exists(beside) ? beside : "rotad";
  }

  void add(std::string text, std::move_only_function<Result<void>()> carry_out) {
    steps_.push_back({std::move(text), std::move(carry_out)});
  }

  // Before anything is read there. Each step checks again when it writes.
  Result<void> look_for_links() {
    for (const std::string& path :
         {places_.config, places_.roster, places_.drop_in, places_.database, places_.run,
          places_.credential(kAppToken, false), places_.credential(kAppToken, true),
          places_.credential(kStoreKey, false), places_.credential(kStoreKey, true)}) {
      const std::string link = tree_.link_on_the_way_to(path);
      if (link.empty()) continue;
      return fail(
          ErrorKind::kInvalid,
          fmt::format("{} is a symbolic link, and rota setup follows none below --root", link));
    }
    return {};
  }

  // Configuration and roster name members, so only the daemon's group may read them.
  Rights rights_of_files() const {
    if (!places_.root.empty()) return {.mode = kSecretFile};
    const auto group = find_group("rota");
    return {.mode = kGroupFile, .group = group ? std::optional<gid_t>(*group) : std::nullopt};
  }

  // Keeps the file, but makes it unreadable for others.
  Result<void> keep_to_few(const std::string& path) {
    ROTA_TRY(report_.kept(path));
    struct stat found{};
    if (::lstat(path.c_str(), &found) != 0 || !S_ISREG(found.st_mode)) return {};
    if ((found.st_mode & S_IRWXO) == 0) return {};
    Rights rights = rights_of_files();
    if (found.st_gid != 0) rights.group.reset();  // somebody chose it
    add(fmt::format("set the mode of {} to {:04o}: it names members, so others must not read it",
                    path, rights.mode),
        [this, path, rights] { return tree_.restrict_to(path, rights); });
    return {};
  }

  Result<void> plan_folders() {
    const auto folder = [this](const std::string& path, mode_t mode) {
      if (!exists(path)) {
        add(fmt::format("create the folder {} ({:04o})", path, mode),
            [this, path, mode] { return tree_.make_folder(path, mode); });
      }
    };
    folder(places_.etc, kOpenFolder);
    folder(places_.credentials, kSecretFolder);
    if (!places_.root.empty()) {  // for the system itself, the units make these
      folder(places_.run, kOpenFolder);
      folder(places_.state, kSecretFolder);
    }
    return {};
  }

  Result<void> plan_app_token() {
    AppTokenChooser chooser(command_, places_, encrypted_, console_, report_, check_token_);
    ROTA_ASSIGN(AppTokenChoice choice, chooser.choose());
    unanswered_ = choice.unanswered;
    if (!choice.token) return report_.kept(places_.credential(kAppToken, encrypted_));
    if (!choice.plain_copy.empty()) to_remove_.push_back(choice.plain_copy);
    new_token_ = choice.replaces;
    return plan_credential(kAppToken, std::move(choice.token), choice.replaces);
  }

  // A store key that exists is never replaced: nothing else opens the tokens on record.
  Result<void> plan_store_key() {
    const std::string path = places_.credential(kStoreKey, encrypted_);
    const std::string plain = places_.credential(kStoreKey, false);
    if (exists(path)) return report_.kept(path);
    if (encrypted_ && exists(plain)) {
      ROTA_ASSIGN(Secret key, read_secret_file(plain));
      to_remove_.push_back(plain);
      return plan_credential(kStoreKey, SecretPtr(std::move(key)), false);
    }
    if (const std::string sealed = places_.credential(kStoreKey, true); exists(sealed)) {
      return fail(
          ErrorKind::kInvalid,
          fmt::format("{} exists, so the credentials are sealed: run rota setup --encrypted",
                      sealed));
    }
    if (exists(places_.database)) {
      return fail(
          ErrorKind::kInvalid,
          fmt::format(
              "there is a database, {}, but not its key, {}: restore the key. With a new key every "
              "token on record would be lost. To start over, move the database away first",
              places_.database, path));
    }
    ROTA_ASSIGN(Ran made, run_program({rotad_, "keygen"}));
    if (made.code != 0) return fail(ErrorKind::kIo, rotad_ + " keygen failed");
    std::string_view line = made.output.reveal();
    line = line.substr(0, line.find('\n'));
    return plan_credential(kStoreKey, make_secret(line), false);
  }

  Result<void> plan_credential(std::string_view name, SecretPtr secret, bool replaces) {
    const std::string path = places_.credential(name, encrypted_);
    std::string text = fmt::format("{} {} (0600{})", replaces ? "replace" : "write", path,
                                   encrypted_ ? ", sealed to this machine" : "");
    add(std::move(text),
        [this, path, secret, replaces, name = std::string(name)]() -> Result<void> {
          std::string bytes = std::string(secret->reveal()) + "\n";
          const auto write = [&] {
            const Rights rights{.mode = kSecretFile};
            auto done = replaces ? tree_.replace(path, bytes, rights)
                                 : tree_.write_new(path, bytes, rights);
            wipe(bytes);
            return done;
          };
          if (!encrypted_) return write();
          ROTA_ASSIGN(const Ran ran,
                      run_program({"systemd-creds", "encrypt", "--name=" + name, "-", "-"}, bytes));
          wipe(bytes);
          if (ran.code != 0 || ran.output.empty()) {
            return fail(
                ErrorKind::kIo,
                fmt::format("systemd-creds cannot seal {} (exit status {}); without --encrypted, "
                            "rota setup writes it to a file that only root can read",
                            name, ran.code));
          }
          bytes = ran.output.reveal();
          return write();
        });
    return {};
  }

  Result<void> plan_drop_in() {
    if (!encrypted_) return {};
    if (exists(places_.drop_in)) return report_.kept(places_.drop_in);
    add(fmt::format("write {}, which makes systemd decrypt the credentials", places_.drop_in),
        [this]() -> Result<void> {
          ROTA_TRY(tree_.make_folder(places_.drop_ins, kOpenFolder));
          return tree_.write_new(places_.drop_in, encrypted_drop_in(places_), {.mode = kOpenFile});
        });
    return {};
  }

  // Asks until the answer is a member's key, or empty, so that a typing error does not end the
  // setup.
  Result<void> ask_for_a_member(std::vector<MemberKey>& members) {
    constexpr std::string_view kQuestion =
        "First member, an address or an id, or sso:SSO_USER_ID (empty: none yet): ";
    std::string question(kQuestion);
    while (true) {
      ROTA_ASSIGN(const std::string text, console_.ask(question));
      if (text.empty()) return {};
      Result<MemberKey> key = member_named(text);
      if (key) {
        members.push_back(*std::move(key));
        return {};
      }
      question = fmt::format("{}\n{}", key.error().message, kQuestion);
    }
  }

  Result<void> plan_files() {
    if (exists(places_.config) && !command_.base_url.empty()) {
      return fail(ErrorKind::kInvalid,
                  places_.config +
                      " already exists: set base_url in it, and run this without "
                      "--base-url");
    }
    if (exists(places_.config)) {
      ROTA_TRY(keep_to_few(places_.config));
    } else {
      add("write " + places_.config, [this] {
        return tree_.write_new(places_.config, first_config(places_, command_.base_url),
                               rights_of_files());
      });
    }
    std::vector<MemberKey> members = command_.members;
    if (exists(places_.roster)) {
      if (members.empty()) return keep_to_few(places_.roster);
      return fail(
          ErrorKind::kInvalid,
          places_.roster + " already exists: add the member to it, and run this without --member");
    }
    if (members.empty() && !command_.yes) ROTA_TRY(ask_for_a_member(members));
    add(fmt::format("write {} with {} {}", places_.roster, members.size(),
                    members.size() == 1 ? "member" : "members"),
        [this, members] {
          return tree_.write_new(places_.roster, first_roster(members), rights_of_files());
        });
    return {};
  }

  Result<bool> agree() {
    if (steps_.empty()) {
      ROTA_TRY(report_.say("Everything is in place already.\n"));
      return true;
    }
    std::string list;
    for (const Step& step : steps_) list += visible(fmt::format("will {}\n", step.text), "\n");
    ROTA_TRY(report_.say(list));
    if (command_.yes) return true;
    // Whoever is asked sees the list, whatever becomes of the output.
    ROTA_ASSIGN(const std::string answer,
                console_.ask((report_.is_json() ? list : "") + "Do all this? [y/N] "));
    return answer == "y" || answer == "Y" || answer == "yes";
  }

  Result<bool> check() {
    ROTA_ASSIGN(const Ran ran, run_program({rotad_, "--check", "--config", places_.config}, {},
                                           ProgramErrors::kToOutput));
    ROTA_TRY(report_.checked(ran.code == 0, ran.output.reveal()));
    return ran.code == 0;
  }

  Result<void> say_what_next(bool good) {
    std::string text;
    for (const std::string& path : to_remove_) {
      text += fmt::format("sealed now: keep a copy on another machine, then remove {}\n", path);
    }
    if (!good) {
      text += fmt::format("next: fix {} or {}, then check: rotad --check --config {}\n",
                          places_.config, places_.roster, shell_word(places_.config));
    } else if (places_.root.empty() && is_running()) {
      text += new_token_ || runs_with_an_older_token()
                  ? "next: systemctl daemon-reload && systemctl restart rotad.service (it reads "
                    "the app token when it starts; no fetch is lost)\n"
                    "then: rota doctor\n"
                  : "rotad is running with these files; to check it: rota doctor\n";
    } else if (places_.root.empty()) {
      text +=
          "next: systemctl daemon-reload && systemctl enable --now rotad.socket "
          "rotad-admin.socket rotad.service\n"
          "then: rota doctor, and rota doctor --user NAME for a program's user\n";
    } else {
      text += fmt::format("next: CREDENTIALS_DIRECTORY={} rotad --config {}\n",
                          shell_word(places_.credentials), shell_word(places_.config));
    }
    return report_.next(command_.community.in_its_words(std::move(text)));
  }

  bool is_running() const {
    const auto ran =
        run_program({"systemctl", "is-active", "--quiet", service_}, {}, ProgramErrors::kNowhere);
    return ran && ran->code == 0;
  }
  // Whether the app token's file was changed after the daemon had started.
  bool runs_with_an_older_token() const {
    struct stat found{};
    if (::stat(places_.credential(kAppToken, encrypted_).c_str(), &found) != 0) return false;
    const auto ran = run_program({"systemctl", "show", "--property=ExecMainStartTimestamp",
                                  "--timestamp=unix", "--value", service_},
                                 {}, ProgramErrors::kNowhere);
    if (!ran || ran->code != 0) return false;
    std::string_view text = ran->output.reveal();  // "@1710951887"
    std::int64_t started = 0;
    if (!text.starts_with('@')) return false;
    std::from_chars(text.data() + 1, text.data() + text.size(), started);
    return found.st_mtim.tv_sec >= started;
  }

  const SetupCommand& command_;
  Console& console_;
  SetupReport& report_;
  const CheckAppToken& check_token_;
  const Places places_;
  const Tree tree_;
  const std::string service_;
  const std::string rotad_;
  const bool encrypted_;
  bool new_token_ = false;   // it replaces one
  bool unanswered_ = false;  // Circle did not say whether it accepts the app token
  std::string problem_;
  std::vector<Step> steps_;
  std::vector<std::string> to_remove_;  // plain copies of secrets that are sealed now
};

}  // namespace

ExitCode run_setup(const SetupCommand& command, bool as_json, Console& console, Output& output,
                   const CheckAppToken& check_token) {
  SetupReport report(as_json, output);
  Setup setup(command, console, report, check_token);
  auto ended = setup.run();
  const std::string problem = ended ? setup.problem() : ended.error().message;
  const auto written = report.finish(problem);
  if (ended && !written) ended = std::unexpected(written.error());
  if (!ended || *ended == ExitCode::kUnreachable) {
    output.err(ended ? problem : ended.error().message);
  }
  if (ended) return *ended;
  return ended.error().kind == ErrorKind::kInvalid ? ExitCode::kUsage : ExitCode::kFailed;
}

}  // namespace rota::cli
