#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "auth/headless_auth_client.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"
#include "daemon/log.h"
#include "roster/sorted_roster.h"
#include "rotator/rotator.h"
#include "settings/roster_file.h"
#include "settings/settings.h"
#include "sqlite/sqlite_store.h"

namespace rota {

// The parts that settings name, made or read. Each blocks on files; each error names its place.

// The SDK's client. `loop` outlives it. kConfig: the settings or the app token do not let it.
Result<std::unique_ptr<HeadlessAuthClient>> connect_to_circle(boost::asio::io_context& loop,
                                                              const Settings& settings,
                                                              SecretPtr app_token);
// The rotation, with all that is on record loaded; it does not run yet. What is handed in outlives
// it. Errors of open_store() and of Rotator::create().
struct RotatorNeeds {
  boost::asio::io_context& loop;
  const Clock& clock;
  Log& log;
  HeadlessAuthClient& client;
};
Result<std::unique_ptr<Rotator>> load_rotator(const RotatorNeeds& needs, const Settings& settings);

// The configuration. kConfig, too, if others than root and this process's user can write to it.
Result<Settings> load_own_settings(const std::string& path);
// The community's Headless Auth token, from its credential or file.
Result<SecretPtr> read_app_token(const Settings& settings);
Result<SecretPtr> read_app_token(const SecretSource& source);
// Opens the store with its key, making its folder (0700) where only that is missing.
Result<std::unique_ptr<SqliteStore>> open_store(const Settings& settings);
Result<std::unique_ptr<SqliteStore>> open_store(const Settings& settings, Secret key);
Result<Secret> read_store_key(const Settings& settings);
// How large the store's files are, as far as it can be told.
std::uint64_t database_bytes(const std::string& path);
// Both read again where the roster changes while it is read, a few times at most: then it is kIo.
// kConfig if others than root and this process's user can write to it (daemon/own_path.h).
Result<std::vector<RosterFile>> load_roster_files(const std::string& path);
Result<SortedRosterPtr> load_roster(const std::string& path);

}  // namespace rota
