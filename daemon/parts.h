#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "base/secret.h"
#include "roster/sorted_roster.h"
#include "settings/settings.h"
#include "sqlite/sqlite_store.h"

namespace rota {

// The parts that settings name, made or read. Each blocks on files; each error names its place.

// The configuration. kConfig, too, if others than root and this process's user can write to it.
Result<Settings> load_own_settings(const std::string& path);
// The community's Headless Auth token, from its credential or file.
Result<SecretPtr> read_app_token(const Settings& settings);
Result<SecretPtr> read_app_token(const SecretSource& source);
// Opens the store with its key, making its folder (0700) where only that is missing.
Result<std::unique_ptr<SqliteStore>> open_store(const Settings& settings);
Result<std::unique_ptr<SqliteStore>> open_store(const Settings& settings, Secret key);
Result<Secret> read_store_key(const Settings& settings);
// Both read again where the roster changes while it is read, a few times at most: then it is kIo.
// kConfig if others than root and this process's user can write to it (daemon/own_path.h).
Result<std::vector<RosterFile>> load_roster_files(const std::string& path);
Result<SortedRosterPtr> load_roster(const std::string& path);

}  // namespace rota
