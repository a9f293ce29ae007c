#include "daemon/rights_on_disk.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "settings/own_path.h"

namespace rota {
namespace {

Result<GoodRights> load_own(const std::string& path) {
  ROTA_TRY(check_only_ours(path));
  return load_good_rights(path);
}

Result<std::vector<std::string>> own_client_files(const std::string& config_path) {
  ROTA_TRY(check_only_ours(client_folder(config_path)));
  return client_files(config_path);
}

}  // namespace

ClientSettings RightsOnDisk::what_is_left_of(const ClientSettings& in_force) const {
  const bool stays = std::ranges::any_of(
      silent, [&](const std::string& begin) { return in_force.where.starts_with(begin); });
  if (stays) return in_force;
  ClientSettings left{.name = in_force.name, .tokens = {}, .where = in_force.where};
  for (const ClientSettings& client : clients) {
    if (client.name != in_force.name) continue;
    left.where = client.where;
    std::ranges::copy_if(
        client.tokens, std::back_inserter(left.tokens), [&in_force](const TokenDigest& token) {
          return std::ranges::find(in_force.tokens, token) != in_force.tokens.end();
        });
  }
  return left;
}

RightsOnDisk load_own_rights(const std::string& config_path) {
  RightsOnDisk rights;
  const auto add = [&rights](const std::string& path) -> Result<std::vector<GrantSettings>> {
    auto read = load_own(path);
    if (!read) {
      rights.silent.push_back(path + ":");
      return std::unexpected(std::move(read).error());
    }
    for (ClientSettings& client : read->clients) rights.clients.push_back(std::move(client));
    return std::move(read->grants);
  };
  if (auto grants = add(config_path)) rights.grants = *std::move(grants);
  const auto files = own_client_files(config_path);
  if (!files) rights.silent.push_back(client_folder(config_path) + "/");
  // Such a file has no grants.
  for (const std::string& file : files.value_or(std::vector<std::string>{})) (void)add(file);
  return rights;
}

}  // namespace rota
