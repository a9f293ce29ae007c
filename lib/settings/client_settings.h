#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "settings/settings.h"
#include "settings/toml.h"

// How the [[client]] sections are read, whichever file they are in.
namespace rota {

// Adds the clients. kConfig, with file and line: a bad value, or a client of that name or with one
// of its tokens is there already.
Result<void> read_clients(const TomlValue& value, Settings& settings);
// The clients that have no error of their own, for GoodRights.
std::vector<ClientSettings> good_clients(const TomlValue& value);
// Adds those of a file of client_files(). Blocks on the disk.
Result<void> read_client_file(const std::string& path, Settings& settings);

}  // namespace rota
