#include "cli/setup_token.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "cli/program.h"
#include "settings/hidden_values.h"
#include "settings/secret_files.h"
#include "settings/settings.h"

namespace rota::cli {
namespace {

// The first line, as rotad reads it.
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

Result<SecretPtr> usable(Secret read) {
  ROTA_ASSIGN(Secret token, usable_token(std::move(read)));
  return SecretPtr(std::move(token));
}

}  // namespace

Result<AppTokenChoice> AppTokenChooser::choose() {
  const std::string path = places_.credential(kAppToken, encrypted_);
  const std::string plain = places_.credential(kAppToken, false);
  AppTokenChoice choice{.token = nullptr, .replaces = exists(path), .plain_copy = {}};
  if (!command_.app_token_file.empty()) {
    const bool by_input = command_.app_token_file == "-";
    auto read = by_input ? read_standard_input() : read_secret_file(command_.app_token_file);
    if (!read) return unreadable_token_file(std::move(read).error());
    ROTA_ASSIGN(choice.token, usable(*std::move(read)));
    ROTA_TRY(expect_taken(choice.token, "give another one with --app-token-file"));
  } else if (choice.replaces) {
    ROTA_ASSIGN(choice.token, in_place_of_a_refused_one(path));
  } else if (encrypted_ && exists(plain)) {
    ROTA_ASSIGN(Secret read, read_secret_file(plain));
    ROTA_ASSIGN(choice.token, usable(std::move(read)));
    choice.plain_copy = plain;
  } else if (command_.yes) {
    return fail(ErrorKind::kInvalid, "no app token: name its file with --app-token-file");
  } else {
    ROTA_ASSIGN(choice.token, ask_for_token(""));
  }
  choice.unanswered = unanswered_;
  return choice;
}

// Does not repeat what was given, because it may be the token itself.
std::unexpected<Error> AppTokenChooser::unreadable_token_file(Error error) const {
  const std::string& given = command_.app_token_file;
  if (exists(given) || given == "-") return std::unexpected(std::move(error));
  return fail(error.kind,
              "--app-token-file: there is no such file. It takes the path of a file that contains "
              "the token, never the token itself");
}

// [upstream] of the configuration, if there is one already.
UpstreamSettings AppTokenChooser::upstream() const {
  const auto settings = load_settings(places_.config);
  UpstreamSettings upstream = settings ? settings->upstream : UpstreamSettings{};
  if (!command_.base_url.empty()) upstream.base_url = command_.base_url;
  return upstream;
}

Result<TokenCheck> AppTokenChooser::ask_circle(const SecretPtr& token) {
  const UpstreamSettings where = upstream();
  ROTA_TRY(report_.say_folded(
      fmt::format("asking {} whether it accepts the app token: one call that changes "
                  "nothing (--no-check skips it)\n",
                  shown_base_url(where.base_url))));
  TokenCheck check = check_token_(where, token);
  ROTA_TRY(report_.app_token(visible(check.text) + "\n"));
  if (const std::string other = describe_base_url(where.base_url); !other.empty()) {
    ROTA_TRY(report_.app_token(visible(other) + "\n"));
  }
  if (check.verdict == TokenVerdict::kNotCircle) {
    return fail(ErrorKind::kConfig,
                "nothing was written, because the server that was asked is not Circle (--no-check "
                "asks nobody)");
  }
  unanswered_ = check.verdict == TokenVerdict::kUnknown;
  return check;
}

Result<void> AppTokenChooser::expect_taken(const SecretPtr& token, std::string_view remedy) {
  if (!command_.check) return {};
  ROTA_ASSIGN(const TokenCheck check, ask_circle(token));
  if (check.verdict != TokenVerdict::kRefused) return {};
  return fail(ErrorKind::kInvalid, fmt::format("the app token is refused: {}", remedy));
}

// Asks the person until Circle does not refuse the token. `why`: a text before the question.
Result<SecretPtr> AppTokenChooser::ask_for_token(std::string why) {
  for (;;) {
    ROTA_ASSIGN(Secret typed,
                console_.ask_unseen(why + "Headless Auth app token (Circle: Settings, "
                                          "Developers, Tokens; it is not shown): "));
    ROTA_ASSIGN(SecretPtr token, usable(std::move(typed)));
    if (!command_.check) return token;
    ROTA_ASSIGN(const TokenCheck check, ask_circle(token));
    if (check.verdict != TokenVerdict::kRefused) return token;
    why = "Please enter another one.\n";
  }
}

// Null: the present token stays.
Result<SecretPtr> AppTokenChooser::in_place_of_a_refused_one(const std::string& path) {
  if (!command_.check) return SecretPtr{};
  auto read = read_credential_file(path);
  if (!read) {
    ROTA_TRY(report_.app_token(fmt::format("not checked: {}\n", visible(read.error().message))));
    return SecretPtr{};
  }
  ROTA_ASSIGN(const SecretPtr there, usable(*std::move(read)));
  if (command_.yes) {
    ROTA_TRY(expect_taken(there, "replace it with rota setup --yes --app-token-file FILE"));
    return SecretPtr{};
  }
  ROTA_ASSIGN(const TokenCheck check, ask_circle(there));
  if (check.verdict != TokenVerdict::kRefused) return SecretPtr{};
  return ask_for_token(
      fmt::format("Circle refuses the token in {}; enter another to replace it.\n", path));
}

Result<Secret> AppTokenChooser::read_credential_file(const std::string& path) const {
  if (!encrypted_) return read_secret_file(path);
  ROTA_ASSIGN(Ran ran, run_program({"systemd-creds", "decrypt", fmt::format("--name={}", kAppToken),
                                    path, "-"},
                                   {}, ProgramErrors::kNowhere));
  if (ran.code != 0) return fail(ErrorKind::kIo, path + " cannot be decrypted by systemd-creds");
  return std::move(ran.output);
}

}  // namespace rota::cli
