#include "settings/client_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "base/text.h"
#include "settings/secret_files.h"
#include "settings/settings_values.h"

namespace rota {
namespace {

constexpr std::size_t kClientsMax = 1'024;
constexpr std::size_t kClientFileBytesMax = 65'536;
constexpr std::size_t kClientNameBytesMax = 64;

using V = const TomlValue&;

constexpr std::array<TomlRule<ClientSettings>, 2> kClientRules{{
    {"name", [](V v, ClientSettings& c) { return read_client_name(v, c.name); }},
    {"token_sha256", [](V v, ClientSettings& c) { return read_token_digests(v, c.tokens); }},
}};

// The whole of a file of its own.
constexpr std::array<TomlRule<Settings>, 1> kFileRules{{{"client", read_clients}}};

bool is_alnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

Result<ClientSettings> read_client(const TomlTable& table, std::string where) {
  ClientSettings client{.name = {}, .tokens = {}, .where = std::move(where)};
  ROTA_TRY(read_table<ClientSettings>(table, kClientRules, client));
  if (client.name.empty()) return table.error("needs a name");
  if (client.tokens.empty()) return table.error("needs token_sha256");
  return client;
}

bool share_a_token(const ClientSettings& a, const ClientSettings& b) {
  return std::ranges::any_of(a.tokens, [&b](const TokenDigest& token) {
    return std::ranges::find(b.tokens, token) != b.tokens.end();
  });
}

}  // namespace

bool is_client_name(std::string_view text) {
  // A token is no name, because a name is shown.
  if (text.starts_with(kClientTokenPrefix) && !is_plainly_no_secret(text)) return false;
  return !text.empty() && text.size() <= kClientNameBytesMax && is_alnum(text.front()) &&
         std::ranges::all_of(
             text, [](char c) { return is_alnum(c) || c == '.' || c == '-' || c == '_'; });
}

Result<void> read_clients(const TomlValue& value, Settings& settings) {
  ROTA_ASSIGN(const std::vector<TomlTable> tables, value.tables());
  for (const TomlTable& table : tables) {
    if (settings.clients.size() >= kClientsMax) {
      return value.error(fmt::format("more than {} clients", kClientsMax));
    }
    ROTA_ASSIGN(ClientSettings client, read_client(table, value.where()));
    for (const ClientSettings& other : settings.clients) {
      if (other.name == client.name) {
        return table.error(fmt::format("there is a client of this name at {}", other.where));
      }
      if (share_a_token(client, other)) {
        return table.error(fmt::format("the client at {} has the same token", other.where));
      }
    }
    settings.clients.push_back(std::move(client));
  }
  return {};
}

std::vector<ClientSettings> good_clients(const TomlValue& value) {
  std::vector<ClientSettings> clients;
  const auto tables = value.tables();
  if (!tables || tables->size() > kClientsMax) return clients;
  for (const TomlTable& table : *tables) {
    if (auto client = read_client(table, value.where())) clients.push_back(*std::move(client));
  }
  return clients;
}

Result<void> read_client_file(const std::string& path, Settings& settings) {
  ROTA_ASSIGN(const std::string text, read_small_file(path, kClientFileBytesMax));
  ROTA_ASSIGN(const TomlDocument document,
              TomlDocument::parse({.file = path, .first_line = 1}, text));
  return read_table<Settings>(document.root(), kFileRules, settings);
}

std::string client_folder(const std::string& config_path) {
  return (std::filesystem::path(config_path).parent_path() / "clients.d").string();
}

Result<std::vector<std::string>> client_files(const std::string& config_path) {
  std::vector<std::string> files;
  const std::string folder = client_folder(config_path);
  std::error_code error;
  std::filesystem::directory_iterator entry(folder, error);
  if (error == std::errc::no_such_file_or_directory) return files;
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    if (is_roster_name(entry->path().filename().string())) files.push_back(entry->path().string());
    if (files.size() > kClientsMax) {
      return fail(ErrorKind::kConfig, fmt::format("{}: more than {} files", folder, kClientsMax));
    }
  }
  if (error) return fail(ErrorKind::kConfig, fmt::format("{}: {}", folder, error.message()));
  std::ranges::sort(files);
  return files;
}

std::vector<std::string> grants_without_client(const Settings& settings) {
  std::vector<std::string> lines;
  for (const GrantSettings& grant : settings.grants) {
    if (grant.holder != GrantSettings::Holder::kClient) continue;
    if (std::ranges::find(settings.clients, grant.name, &ClientSettings::name) !=
        settings.clients.end()) {
      continue;
    }
    lines.push_back(fmt::format("{}: there is no [[client]] {}, so the grant has no effect",
                                grant.where, in_quotes_unless_secret(grant.name)));
  }
  return lines;
}

}  // namespace rota
