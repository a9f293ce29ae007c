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

// Makes or reads the parts that the settings name. Each function blocks on files, and each error
// has the path or the setting.

// The client of Circle's API. `loop` must outlive it. kConfig: the settings or the app token cannot
// be used.
Result<std::unique_ptr<HeadlessAuthClient>> connect_to_circle(boost::asio::io_context& loop,
                                                              const Settings& settings,
                                                              SecretPtr app_token);
// The rotation, with everything on record loaded; it does not run yet. All of RotatorNeeds must
// outlive it. Has the errors of open_store() and Rotator::create().
struct RotatorNeeds {
  boost::asio::io_context& loop;
  const Clock& clock;
  Log& log;
  HeadlessAuthClient& client;
};
Result<std::unique_ptr<Rotator>> load_rotator(const RotatorNeeds& needs, const Settings& settings);

// kConfig: users other than root and our own can write to the folder clients.d beside the
// configuration, or to a file in it.
Result<void> check_client_files(const std::string& config_path);
// kConfig: users other than root and our own can write to the ca_file, so they choose whom rotad
// takes for Circle.
Result<void> check_own_ca_file(const std::string& path);
// The configuration, with its clients. kConfig: it is not valid, or users other than root and our
// own can write to it.
Result<Settings> load_own_settings(const std::string& path);
// The community's Headless Auth token, from its credential or its file.
Result<SecretPtr> read_app_token(const Settings& settings);
Result<SecretPtr> read_app_token(const SecretSource& source);
// Opens the store with its key. Creates its folder (0700) if only the last part of the path is
// missing.
Result<std::unique_ptr<SqliteStore>> open_store(const Settings& settings);
Result<std::unique_ptr<SqliteStore>> open_store(const Settings& settings, Secret key);
// The key of all login handles, from the store key.
Result<Secret> read_handle_key(const Settings& settings);
// The size of the store's files; files that cannot be looked at count as empty.
std::uint64_t database_bytes(const std::string& path);
// The roster, as its files and as one list. If a file changes while the roster is read, each of the
// two functions reads it again; kIo if it changes each time. kConfig: it is not valid, or users
// other than root and our own can write to it (settings/own_path.h).
Result<std::vector<RosterFile>> load_roster_files(const std::string& path);
Result<SortedRosterPtr> load_roster(const std::string& path);

}  // namespace rota
