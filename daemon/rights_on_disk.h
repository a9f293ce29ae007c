#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/token_digest.h"
#include "settings/settings.h"

namespace rota {

// The grants and clients that the files on disk still have, if the configuration as a whole has an
// error. They bring nothing into force; they only say what is withdrawn. A grant or client that has
// an error itself counts as gone. A file that is not TOML, or that others can write to, says
// nothing: what it gave stays. A plain value.
struct RightsOnDisk {
  std::optional<std::vector<GrantSettings>> grants;  // nullopt: those in force stay
  std::vector<ClientSettings> clients;               // two may have one name or one token
  // Where the `where` of a client begins if the client stays, since its file says nothing.
  std::vector<std::string> silent;

  // The client as far as it is still there; without tokens if it is gone.
  ClientSettings what_is_left_of(const ClientSettings& in_force) const;
};

// Reads rotad.toml and the files of clients.d. Blocks on the disk.
RightsOnDisk load_own_rights(const std::string& config_path);

}  // namespace rota
