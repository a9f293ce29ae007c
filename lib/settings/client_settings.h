#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "settings/settings.h"
#include "settings/toml.h"

// How the [[client]] sections are read, whichever file they are in.
namespace rota {

// How each client's token begins, so that it is not taken for its digest or for a name, and so that
// a scan for leaked secrets finds it.
inline constexpr std::string_view kClientTokenPrefix = "rota_";

// Adds the clients. kConfig, with file and line: a bad value, or a client of that name or with one
// of its tokens is there already.
Result<void> read_clients(const TomlValue& value, Settings& settings);
// The clients that have no error of their own, for GoodRights.
std::vector<ClientSettings> good_clients(const TomlValue& value);
// Adds those of a file of client_files(). Blocks on the disk.
Result<void> read_client_file(const std::string& path, Settings& settings);

}  // namespace rota
