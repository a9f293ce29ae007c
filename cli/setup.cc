#include "cli/setup.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "cli/program.h"
#include "cli/setup_files.h"
#include "cli/setup_texts.h"
#include "daemon/files.h"

namespace rota::cli {
namespace {

constexpr mode_t kOpenFile = 0644;
constexpr mode_t kSecretFile = 0600;
constexpr mode_t kOpenFolder = 0755;
constexpr mode_t kSecretFolder = 0700;
constexpr std::string_view kAppToken = "app-token";
constexpr std::string_view kStoreKey = "store-key";

// What would be done, and how; nothing is done before all of it is known and agreed to.
struct Step {
  std::string text;
  std::move_only_function<Result<void>()> carry_out;
};

// The first line, as rotad will read it.
Result<Secret> usable_token(Secret read) {
  std::string_view line = read.reveal();
  line = line.substr(0, line.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  const bool printable = std::ranges::all_of(line, [](char c) { return c > ' ' && c < 0x7f; });
  if (line.empty() || !printable) {
    return fail(ErrorKind::kInvalid,
                "the app token must be one line without spaces or special characters");
  }
  return Secret(line);
}

Result<Secret> read_standard_input() {
  constexpr std::size_t kTokenBytesMax = 4'096;
  std::string buffer(kTokenBytesMax, '\0');
  std::size_t used = 0;
  while (used < buffer.size()) {
    const ssize_t got = ::read(STDIN_FILENO, buffer.data() + used, buffer.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) {
      wait_for_input(STDIN_FILENO);
      continue;
    }
    if (got <= 0) break;
    used += static_cast<std::size_t>(got);
  }
  Secret input(std::string_view(buffer).substr(0, used));
  wipe(buffer);
  return input;
}

class Setup {
 public:
  Setup(const SetupCommand& command, Console& console, Output& output)
      : command_(command),
        console_(console),
        output_(output),
        places_(command.root),
        rotad_(find_rotad(command.rotad)),
        encrypted_(command.encrypted || exists(places_.drop_in)) {}

  Result<ExitCode> run() {
    if (command_.root.empty() && ::geteuid() != 0) {
      return fail(ErrorKind::kInvalid, "only root can write to /etc: sudo rota setup");
    }
    if (!command_.yes && !console_.is_there()) {
      return fail(ErrorKind::kInvalid,
                  "there is no terminal to ask at: --yes agrees to all, and --app-token-file says "
                  "where the app token is");
    }
    ROTA_TRY(plan_folders());
    ROTA_TRY(plan_app_token());
    ROTA_TRY(plan_store_key());
    ROTA_TRY(plan_drop_in());
    ROTA_TRY(plan_files());
    ROTA_ASSIGN(const bool agreed, agree());
    if (!agreed) {
      ROTA_TRY(output_.out("Nothing was changed.\n"));
      return ExitCode::kFailed;
    }
    for (Step& step : steps_) {
      ROTA_TRY(step.carry_out());
      ROTA_TRY(output_.out(visible(fmt::format("done: {}\n", step.text), "\n")));
    }
    ROTA_ASSIGN(const bool good, check());
    ROTA_TRY(say_what_next(good));
    return good ? ExitCode::kDone : ExitCode::kFailed;
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
  Result<void> keeps(std::string_view what) {
    return output_.out(visible(fmt::format("stays: {}\n", what), "\n"));
  }

  Result<void> plan_folders() {
    const auto folder = [this](const std::string& path, mode_t mode) {
      if (!exists(path)) {
        add(fmt::format("make the folder {} ({:04o})", path, mode),
            [path, mode] { return make_folder(path, mode); });
      }
    };
    folder(places_.etc, kOpenFolder);
    folder(places_.credentials, kSecretFolder);
    if (!places_.root.empty()) {  // the units make these of the system itself
      folder(places_.run, kOpenFolder);
      folder(places_.state, kSecretFolder);
    }
    return {};
  }

  Result<void> plan_app_token() {
    const std::string path = places_.credential(kAppToken, encrypted_);
    const std::string plain = places_.credential(kAppToken, false);
    const bool there = exists(path);
    std::optional<Secret> token;
    if (!command_.app_token_file.empty()) {
      auto read = command_.app_token_file == "-" ? read_standard_input()
                                                 : read_secret_file(command_.app_token_file);
      if (!read) return std::unexpected(std::move(read).error());
      token = *std::move(read);
    } else if (!there && encrypted_ && exists(plain)) {
      ROTA_ASSIGN(token, read_secret_file(plain));
      to_remove_.push_back(plain);
    } else if (!there) {
      if (command_.yes) {
        return fail(ErrorKind::kInvalid, "no app token: --app-token-file says where it is");
      }
      ROTA_ASSIGN(token, console_.ask_unseen("Headless Auth app token (Circle: Settings, "
                                             "Developers, Tokens; it is not shown): "));
    }
    if (!token) return keeps(path);
    ROTA_ASSIGN(Secret usable, usable_token(*std::move(token)));
    return plan_credential(kAppToken, std::make_shared<const Secret>(std::move(usable)), there);
  }

  // The one that is there is never replaced: nothing else opens the tokens on record.
  Result<void> plan_store_key() {
    const std::string path = places_.credential(kStoreKey, encrypted_);
    const std::string plain = places_.credential(kStoreKey, false);
    if (exists(path)) return keeps(path);
    if (encrypted_ && exists(plain)) {
      ROTA_ASSIGN(Secret key, read_secret_file(plain));
      to_remove_.push_back(plain);
      return plan_credential(kStoreKey, std::make_shared<const Secret>(std::move(key)), false);
    }
    if (const std::string sealed = places_.credential(kStoreKey, true); exists(sealed)) {
      return fail(ErrorKind::kInvalid,
                  fmt::format("{} is there, so the credentials are sealed: rota setup --encrypted",
                              sealed));
    }
    if (exists(places_.database)) {
      return fail(ErrorKind::kInvalid,
                  fmt::format("there is a database, {}, but not its key, {}: put that back. With a "
                              "new key every token on record were lost; to begin anew, move the "
                              "database away first",
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
        [path, secret, replaces, name = std::string(name), sealed = encrypted_]() -> Result<void> {
          std::string bytes = std::string(secret->reveal()) + "\n";
          const auto write = [&] {
            auto done =
                replaces ? replace(path, bytes, kSecretFile) : write_new(path, bytes, kSecretFile);
            wipe(bytes);
            return done;
          };
          if (!sealed) return write();
          ROTA_ASSIGN(const Ran ran,
                      run_program({"systemd-creds", "encrypt", "--name=" + name, "-", "-"}, bytes));
          wipe(bytes);
          if (ran.code != 0 || ran.output.empty()) {
            return fail(ErrorKind::kIo,
                        fmt::format("systemd-creds cannot seal {} (it ended with {}); without "
                                    "--encrypted it is a file that only root reads",
                                    name, ran.code));
          }
          bytes = ran.output.reveal();
          return write();
        });
    return {};
  }

  Result<void> plan_drop_in() {
    if (!encrypted_) return {};
    if (exists(places_.drop_in)) return keeps(places_.drop_in);
    add(fmt::format("write {}, which has systemd open the credentials", places_.drop_in),
        [this]() -> Result<void> {
          ROTA_TRY(make_folder(places_.drop_ins, kOpenFolder));
          return write_new(places_.drop_in, encrypted_drop_in(places_), kOpenFile);
        });
    return {};
  }

  // Asks until the answer is a member's key, or empty. What was typed before is not lost by a slip.
  Result<void> ask_for_a_member(std::vector<MemberKey>& members) {
    constexpr std::string_view kQuestion =
        "First member, as id:42 or email:ADDRESS (empty: none yet): ";
    std::string question(kQuestion);
    while (true) {
      ROTA_ASSIGN(const std::string text, console_.ask(question));
      if (text.empty()) return {};
      Result<MemberKey> key = MemberKey::parse(text);
      if (key) {
        members.push_back(*std::move(key));
        return {};
      }
      question = fmt::format("{}\n{}", key.error().message, kQuestion);
    }
  }

  Result<void> plan_files() {
    if (exists(places_.config)) {
      ROTA_TRY(keeps(places_.config));
    } else {
      add("write " + places_.config,
          [this] { return write_new(places_.config, first_config(places_), kOpenFile); });
    }
    std::vector<MemberKey> members = command_.members;
    if (exists(places_.roster)) {
      if (members.empty()) return keeps(places_.roster);
      return fail(
          ErrorKind::kInvalid,
          places_.roster + " is there already: add the member to it, without --member here");
    }
    if (members.empty() && !command_.yes) ROTA_TRY(ask_for_a_member(members));
    add(fmt::format("write {} with {} members", places_.roster, members.size()),
        [this, members] { return write_new(places_.roster, first_roster(members), kOpenFile); });
    return {};
  }

  Result<bool> agree() {
    if (steps_.empty()) {
      ROTA_TRY(output_.out("All is there already.\n"));
      return true;
    }
    for (const Step& step : steps_)
      ROTA_TRY(output_.out(visible(fmt::format("will {}\n", step.text), "\n")));
    if (command_.yes) return true;
    ROTA_ASSIGN(const std::string answer, console_.ask("Do all this? [y/N] "));
    return answer == "y" || answer == "Y" || answer == "yes";
  }

  Result<bool> check() {
    ROTA_ASSIGN(const Ran ran, run_program({rotad_, "--check", "--config", places_.config}, {},
                                           ProgramErrors::kToOutput));
    ROTA_TRY(output_.out(visible(ran.output.reveal(), "\n")));
    return ran.code == 0;
  }

  Result<void> say_what_next(bool good) {
    std::string text;
    for (const std::string& path : to_remove_) {
      text += fmt::format("sealed, so keep a copy away from this machine and remove: {}\n", path);
    }
    if (!good) {
      text += fmt::format("next: mend {} or {}, and check: rotad --check --config {}\n",
                          places_.config, places_.roster, shell_word(places_.config));
    } else if (places_.root.empty()) {
      text +=
          "next: systemctl daemon-reload && systemctl enable --now rotad.socket "
          "rotad-admin.socket rotad.service\n"
          "then: rota doctor, and rota doctor --user NAME for a program's user\n";
    } else {
      text += fmt::format("next: CREDENTIALS_DIRECTORY={} rotad --config {}\n",
                          shell_word(places_.credentials), shell_word(places_.config));
    }
    return output_.out(visible(text, "\n"));
  }

  const SetupCommand& command_;
  Console& console_;
  Output& output_;
  const Places places_;
  const std::string rotad_;
  const bool encrypted_;
  std::vector<Step> steps_;
  std::vector<std::string> to_remove_;  // the plain copies of what is sealed now
};

}  // namespace

ExitCode run_setup(const SetupCommand& command, Console& console, Output& output) {
  auto ended = Setup(command, console, output).run();
  if (ended) return *ended;
  output.err(ended.error().message);
  return ended.error().kind == ErrorKind::kInvalid ? ExitCode::kUsage : ExitCode::kFailed;
}

}  // namespace rota::cli
