#include "cli/option_checks.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <csignal>
#include <cstring>

#include "base/fingerprint.h"
#include "base/secret_arguments.h"
#include "base/text.h"
#include "base/time.h"
#include "circle/base_url.h"
#include "cli/target.h"
#include "settings/settings.h"

namespace rota::cli {
namespace {

// How many letters must be added, taken away, changed, or swapped with their neighbour.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> rows(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        rows[i][j] = i + j;
        continue;
      }
      const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      rows[i][j] = std::min({rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        rows[i][j] = std::min(rows[i][j], rows[i - 2][j - 2] + 1);
      }
    }
  }
  return rows[a.size()][b.size()];
}

// Empty: none is near.
std::string nearest_of(const std::string& word, const std::vector<std::string>& names) {
  constexpr std::size_t kNear = 2;
  constexpr std::size_t kLongest = 32;
  if (word.size() > kLongest) return {};
  const auto far = [&word](const std::string& name) { return distance(word, name); };
  const auto best = std::ranges::min_element(names, {}, far);
  return best != names.end() && far(*best) <= kNear ? *best : std::string();
}

}  // namespace

Result<MemberKey> member_named(const std::string& text) {
  const bool has_kind =
      std::ranges::any_of(std::to_array<std::string_view>({"id:", "email:", "sso:"}),
                          [&](auto kind) { return text.starts_with(kind); });
  if (!has_kind && text.contains('@')) return MemberKey::parse("email:" + text);
  const bool digits =
      !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  return MemberKey::parse(digits ? "id:" + text : text);
}

std::string check_member(const std::string& text) {
  const auto key = member_named(text);
  return key ? "" : key.error().message;
}

std::string check_url(const std::string& text) {
  const auto url = check_base_url(text);
  return url ? "" : url.error().message;
}

std::string check_key(const std::string& text) {
  const auto key = MemberKey::parse(text);
  return key ? "" : key.error().message;
}
std::optional<SelectorKind> selector_kind(std::string_view word) {
  if (word == "id") return SelectorKind::kCommunityMemberId;
  if (word == "email") return SelectorKind::kEmail;
  if (word == "sso") return SelectorKind::kSsoUserId;
  return std::nullopt;
}
std::string check_selector(const std::string& text) {
  return selector_kind(text) ? "" : "none of id, email, sso";
}
std::string check_duration(const std::string& text) {
  return parse_loose_duration(text)
             ? ""
             : "must be a duration such as 500ms, 90s or 10m, or a number of seconds";
}
std::string check_since(const std::string& text) {
  if (parse_iso8601(text) || parse_loose_duration(text)) return "";
  return "must be a duration such as 2h, or a time in UTC such as 2024-03-20T16:54:47Z";
}
std::string check_client_name(const std::string& text) {
  return is_client_name(text) ? ""
                              : "must have 1 to 64 letters, digits, dots, hyphens and underscores, "
                                "and begin with a letter or digit; a token is no name";
}
std::string check_fingerprint(const std::string& text) {
  return parse_fingerprint(text) ? "" : "must be the first 16 hex digits of a token's SHA-256";
}

std::string check_variable(const std::string& text) {
  constexpr std::string_view kDigits = "0123456789";
  const bool good = !text.empty() && !kDigits.contains(text.front()) &&
                    std::ranges::all_of(text, [](unsigned char c) {
                      return c == '_' || (c < 0x80 && std::isalnum(c) != 0);
                    });
  return good ? "" : "must be the name of a variable: letters, digits and underscores";
}

int signal_named(std::string_view word) {
  int number = 0;
  const char* const end = word.data() + word.size();
  const auto [stop, error] = std::from_chars(word.data(), end, number);
  if (error == std::errc{} && stop == end) return number > 0 && number < NSIG ? number : 0;
  if (word.starts_with("SIG")) word.remove_prefix(3);
  for (number = 1; number < NSIG; ++number) {
    const char* const name = ::sigabbrev_np(number);
    if (name != nullptr && word == name) return number;
  }
  return 0;
}
std::string check_signal(const std::string& text) {
  return signal_named(text) != 0 ? "" : "must be a signal, such as HUP";
}

std::optional<Shell> shell_named(std::string_view word) {
  if (word == "bash") return Shell::kBash;
  if (word == "zsh") return Shell::kZsh;
  if (word == "fish") return Shell::kFish;
  return std::nullopt;
}
std::string check_shell(const std::string& text) {
  return shell_named(text) ? "" : "none of bash, zsh, fish";
}

std::string describe_extras(const std::vector<std::string>& words,
                            const std::vector<std::string>& commands) {
  std::string text = "Unexpected on the command line:";
  std::size_t others = 0;
  std::string nearest;
  for (const std::string& word : words) {
    const std::string name = word.substr(0, word.find('='));
    if (name.starts_with("--") && is_plainly_no_secret(name)) {
      text += " " + visible(name);
    } else if (others++ == 0) {
      nearest = nearest_of(word, commands);
    }
  }
  if (others > 0) text += others == 1 ? " a word" : " " + std::to_string(others) + " words";
  text += "\n";
  return nearest.empty() ? text : text + "Is it \"rota " + nearest + "\" that you mean?\n";
}

}  // namespace rota::cli
