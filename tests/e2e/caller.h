#pragma once

#include <sys/types.h>

#include <filesystem>
#include <vector>

#include "e2e/wire.h"

namespace rota::e2e {

// A local program's user and groups. Taking them on needs root: without it a test of these fails.
struct Caller {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  // besides gid

  // A connection that a process of this user and these groups has made, and handed over.
  Connection connect(const std::filesystem::path& socket) const;
  // What setpriv(1) puts in front of a command.
  std::vector<std::string> command(const std::vector<std::string>& rest) const;
};

}  // namespace rota::e2e
