#include "settings/settings_values.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"
#include "circle/base_url.h"
#include "roster/roster_limits.h"

namespace rota {
namespace {

constexpr std::size_t kSocketPathBytesMax = sizeof(sockaddr_un{}.sun_path) - 1;
constexpr std::size_t kNameBytesMax = 255;
constexpr std::size_t kClientTokensMax = 8;
constexpr std::string_view kTagPrefix = "tag:";

// Whether `host` is an address in digits, as inet_pton() reads it.
bool is_address(int family, const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return inet_pton(family, host.c_str(), bytes.data()) == 1;
}

struct HostPort {
  std::string host;  // without brackets
  bool bracketed = false;
  std::optional<std::uint16_t> port;
};

// "HOST", "HOST:PORT", "[V6]" or "[V6]:PORT".
std::optional<HostPort> split_host_port(std::string_view text) {
  HostPort result;
  std::size_t host_end = text.find(':');
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    result.bracketed = true;
    result.host = text.substr(1, close - 1);
    host_end = close + 1;
  } else {
    result.host = text.substr(0, host_end);
  }
  if (result.host.empty()) return std::nullopt;
  if (host_end >= text.size()) return result;
  if (text[host_end] != ':') return std::nullopt;
  const std::string_view digits = text.substr(host_end + 1);
  std::uint16_t port = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, status] = std::from_chars(digits.data(), end, port);
  if (status != std::errc{} || stop != end || port == 0) return std::nullopt;
  result.port = port;
  return result;
}

// Whether an address in digits is one of the loopback interface.
bool is_loopback(const std::string& host) {
  in_addr v4{};
  in6_addr v6{};
  constexpr std::uint32_t kLoopbackNet = 127;
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return ntohl(v4.s_addr) >> 24U == kLoopbackNet;
  return inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

Result<void> read_tag(const TomlValue& item, std::string tag, std::vector<std::string>& into) {
  if (tag.empty()) return item.error("names no tag");
  if (tag.size() > kTagBytesMax) {
    return item.error(fmt::format("a tag has at most {} bytes", kTagBytesMax));
  }
  into.push_back(std::move(tag));
  return {};
}

Result<void> read_name(const TomlValue& value, std::string& into) {
  ROTA_TRY(read_words(value, into));
  if (into.empty()) return value.error("must not be empty");
  return {};
}

}  // namespace

Result<void> read_duration(const TomlValue& value, Duration low, Duration high, Duration& into) {
  ROTA_ASSIGN(const std::string_view text, value.text());
  const Result<Duration> parsed = parse_duration(text);
  if (!parsed) return value.error(parsed.error().message);
  if (*parsed < low || *parsed > high) {
    return value.error(
        fmt::format("must be from {} to {}", format_duration(low), format_duration(high)));
  }
  into = *parsed;
  return {};
}

Result<void> read_duration_or_never(const TomlValue& value, Duration low, Duration high,
                                    std::optional<Duration>& into) {
  ROTA_ASSIGN(const std::string_view text, value.text());
  into.reset();
  if (text == "never") return {};
  return read_duration(value, low, high, into.emplace());
}

Result<void> read_count(const TomlValue& value, std::size_t low, std::size_t high,
                        std::size_t& into) {
  ROTA_ASSIGN(const std::int64_t number, value.whole());
  if (number < 0 || static_cast<std::uint64_t>(number) < low ||
      static_cast<std::uint64_t>(number) > high) {
    return value.error(fmt::format("must be from {} to {}", low, high));
  }
  into = static_cast<std::size_t>(number);
  return {};
}

Result<void> read_fraction(const TomlValue& value, double& into) {
  ROTA_ASSIGN(const double number, value.number());
  const bool in_range = number >= 0 && number <= 1;  // false for a NaN
  if (!in_range) return value.error("must be from 0 to 1");
  into = number;
  return {};
}

Result<void> read_flag(const TomlValue& value, bool& into) {
  ROTA_ASSIGN(into, value.flag());
  return {};
}

Result<void> read_words(const TomlValue& value, std::string& into) {
  ROTA_ASSIGN(const std::string_view text, value.text());
  if (has_control(text)) return value.error("has a control character");
  into = text;
  return {};
}

Result<void> read_path(const TomlValue& value, std::string& into) {
  ROTA_TRY(read_name(value, into));
  // Anything else is more likely a secret: no file of that name must be created or looked for.
  if (!into.starts_with('/') && !is_plainly_no_secret(into)) {
    return value.error(
        "must be an absolute path, or a relative one of plain words (because anything else may be "
        "a secret)");
  }
  return {};
}

Result<void> read_socket_path(const TomlValue& value, std::string& into) {
  ROTA_TRY(read_path(value, into));
  if (!into.starts_with('/')) return value.error("must be an absolute path");
  if (into.size() > kSocketPathBytesMax) {
    return value.error(fmt::format("is longer than the {} bytes that a socket's path may have",
                                   kSocketPathBytesMax));
  }
  return {};
}

Result<void> read_socket_mode(const TomlValue& value, std::uint32_t& into) {
  constexpr std::uint32_t kOwner = 0600;
  constexpr int kOctal = 8;
  ROTA_ASSIGN(const std::string_view text, value.text());
  std::uint32_t mode = 0;
  const char* end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, mode, kOctal);
  if (text.size() != 4 || !text.starts_with('0') || status != std::errc{} || stop != end) {
    return value.error("must be four octal digits, such as \"0660\"");
  }
  if ((mode & kOwner) != kOwner) return value.error("must let the owner read and write");
  into = mode;
  return {};
}

Result<void> read_credential_name(const TomlValue& value, std::string& into) {
  // The value is not repeated: somebody may have put the secret itself there.
  ROTA_TRY(read_name(value, into));
  if (into.contains('/') || into.starts_with('.') || into.size() > kNameBytesMax) {
    return value.error("must be the name of a credential, not a path");
  }
  return {};
}

Result<void> read_user_or_group(const TomlValue& value, std::string& into) {
  ROTA_TRY(read_name(value, into));
  if (into.size() > kNameBytesMax) {
    return value.error(fmt::format("is longer than {} bytes", kNameBytesMax));
  }
  return {};
}

Result<void> read_listen_address(const TomlValue& value, std::optional<ListenAddress>& into) {
  ROTA_ASSIGN(const std::string_view text, value.text());
  into.reset();
  if (text.empty()) return {};
  const auto at = split_host_port(text);
  if (!at || !at->port || !is_address(at->bracketed ? AF_INET6 : AF_INET, at->host)) {
    return value.error(
        "must be ADDRESS:PORT in digits, such as \"127.0.0.1:9468\" or \"[::1]:9468\", or empty");
  }
  into = ListenAddress{at->host, *at->port};
  return {};
}

// The value is not repeated: somebody may have put a token there.
Result<void> read_budget_group(const TomlValue& value, std::string& into) {
  ROTA_ASSIGN(const std::string_view text, value.text());
  into.clear();
  if (text.empty()) return {};
  constexpr std::size_t kGroupBytesMax = 32;
  const std::size_t slash = text.rfind('/');
  const std::string_view name = slash == std::string_view::npos ? text : text.substr(slash + 1);
  const bool is_name =
      !name.empty() && name.size() <= kGroupBytesMax && std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
      });
  if (!is_name || (slash != std::string_view::npos && !text.starts_with('/'))) {
    return value.error(
        fmt::format("must be empty, a name of up to {} of a-z, 0-9 and \"-\", or an absolute path "
                    "that ends in one",
                    kGroupBytesMax));
  }
  if (slash != std::string_view::npos) return read_path(value, into);
  into = fmt::format("{}/{}", kBudgetFolder, text);
  return {};
}

Result<void> read_base_url(const TomlValue& value, std::string& into) {
  ROTA_ASSIGN(std::string_view text, value.text());
  auto origin = check_base_url(text);
  if (!origin) return value.error(origin.error().message);
  into = *std::move(origin);
  return {};
}

Result<void> read_log_level(const TomlValue& value, LogLevel& into) {
  struct Named {
    std::string_view name;
    LogLevel level;
  };
  // The first and the last are for those who know them from other programs: Rota logs nothing at
  // levels of their own.
  constexpr std::array<Named, 7> kLevels{{{"trace", LogLevel::kDebug},
                                          {"debug", LogLevel::kDebug},
                                          {"info", LogLevel::kInfo},
                                          {"warn", LogLevel::kWarn},
                                          {"error", LogLevel::kError},
                                          {"off", LogLevel::kOff},
                                          {"critical", LogLevel::kOff}}};
  ROTA_ASSIGN(const std::string_view text, value.text());
  const auto* const found = std::ranges::find(kLevels, text, &Named::name);
  if (found == kLevels.end()) {
    return value.error("must be debug, info, warn, error or off");
  }
  into = found->level;
  return {};
}

Result<void> read_loopback_address(const TomlValue& value, std::optional<ListenAddress>& into) {
  ROTA_TRY(read_listen_address(value, into));
  if (!into || !is_loopback(into->host)) {
    return value.error(
        "must be an address of the loopback interface with its port, such as \"127.0.0.1:8465\"");
  }
  return {};
}

// The value is not repeated: somebody may have put a token there.
Result<void> read_client_name(const TomlValue& value, std::string& into) {
  ROTA_ASSIGN(const std::string_view text, value.text());
  if (!is_client_name(text)) {
    return value.error(
        "must have 1 to 64 letters, digits, \".\", \"-\" and \"_\", and begin with a letter or "
        "digit; a client's token is no name");
  }
  into = text;
  return {};
}

Result<void> read_token_digests(const TomlValue& value, std::vector<TokenDigest>& into) {
  ROTA_ASSIGN(const std::vector<TomlValue> items, value.list());
  if (items.empty() || items.size() > kClientTokensMax) {
    return value.error(fmt::format("must have 1 to {} digests", kClientTokensMax));
  }
  for (const TomlValue& item : items) {
    ROTA_ASSIGN(const std::string_view text, item.text());
    const auto digest = parse_digest(text);
    if (!digest) {
      return item.error(
          "must be the SHA-256 of a client's token, 64 hex digits, as `rota client add` writes it; "
          "never the token itself");
    }
    into.push_back(*digest);
  }
  return {};
}

Result<void> read_rights(const TomlValue& value, Rights& into) {
  struct Named {
    std::string_view name;
    Right right;
  };
  constexpr std::array<Named, kRights.size()> kNames{{{"fetch", Right::kFetch},
                                                      {"enrol", Right::kEnrol},
                                                      {"sign_out", Right::kSignOut},
                                                      {"remove", Right::kRemove}}};
  ROTA_ASSIGN(const std::vector<TomlValue> items, value.list());
  into = {};
  for (const TomlValue& item : items) {
    ROTA_ASSIGN(const std::string_view text, item.text());
    const auto* const found = std::ranges::find(kNames, text, &Named::name);
    if (found == kNames.end()) return item.error("must be fetch, enrol, sign_out or remove");
    into.add(found->right);
  }
  if (into.empty()) return value.error("must have a right: fetch, enrol, sign_out or remove");
  return {};
}

Result<void> read_tags(const TomlValue& value, std::vector<std::string>& into) {
  ROTA_ASSIGN(const std::vector<TomlValue> items, value.list());
  for (const TomlValue& item : items) {
    std::string tag;
    ROTA_TRY(read_words(item, tag));
    ROTA_TRY(read_tag(item, std::move(tag), into));
  }
  return {};
}

Result<void> read_grant_members(const TomlValue& value, GrantSettings& into) {
  ROTA_ASSIGN(const std::vector<TomlValue> items, value.list());
  for (const TomlValue& item : items) {
    std::string text;
    ROTA_TRY(read_words(item, text));
    if (text == "*") {
      into.all_members = true;
    } else if (text.starts_with(kTagPrefix)) {
      ROTA_TRY(read_tag(item, text.substr(kTagPrefix.size()), into.tags));
    } else if (auto key = MemberKey::parse(text)) {
      into.members.push_back(*std::move(key));
    } else {
      return item.error(
          fmt::format("must be \"*\", \"tag:NAME\" or a member key: {}", key.error().message));
    }
  }
  return {};
}

}  // namespace rota
