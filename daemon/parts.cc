#include "daemon/parts.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <random>
#include <system_error>
#include <utility>

#include "daemon/system_clock.h"
#include "rotator/budget_file.h"
#include "settings/own_path.h"
#include "settings/secret_files.h"
#include "settings/store_key.h"
#include "sqlite/handle_key.h"
#include "sqlite/sealer.h"

namespace rota {

Result<std::unique_ptr<HeadlessAuthClient>> connect_to_circle(boost::asio::io_context& loop,
                                                              const Settings& settings,
                                                              SecretPtr app_token) {
  return HeadlessAuthClient::create(loop.get_executor(),
                                    {.base_url = settings.upstream.base_url,
                                     .app_token = std::move(app_token),
                                     .connect_timeout = settings.upstream.connect_timeout,
                                     .request_timeout = settings.upstream.request_timeout,
                                     .ca_file = settings.upstream.ca_file,
                                     .check_ca_file = check_own_ca_file,
                                     .connections_max = settings.policy.max_in_flight});
}

// Null: the budget is this daemon's alone.
static std::unique_ptr<SharedBudget> shared_budget(const Settings& settings, const Clock& clock) {
  if (settings.upstream.budget_file.empty()) return nullptr;
  const BudgetFile::Place place{
      .path = settings.upstream.budget_file,
      .identity = std::filesystem::absolute(settings.store.path).lexically_normal().string(),
      .boot = fmt::format("{:016x}", static_cast<std::uint64_t>(this_boot())),
      .terms = {.limit = settings.policy.requests_per_window, .window = settings.policy.window}};
  return std::make_unique<BudgetFile>(place, clock.now().boot);
}

Result<std::unique_ptr<Rotator>> load_rotator(const RotatorNeeds& needs, const Settings& settings) {
  ROTA_ASSIGN(auto store, open_store(settings));
  Rotator::Parts parts{
      .executor = needs.loop.get_executor(),
      .clock = needs.clock,
      .store = std::move(store),
      .call = [&client =
                   needs.client](AuthRequest request) { return client.call(std::move(request)); },
      .tell = [&log = needs.log](const Notice& notice) { log.tell(notice); },
      .seed = (std::uint64_t{std::random_device{}()} << 32U) | std::random_device{}(),
      .boot = this_boot(),
      .audit = settings.audit,
      .shared_budget = shared_budget(settings, needs.clock)};
  return Rotator::create(std::move(parts), settings.policy);
}

// Whoever can write a file there can make a client.
Result<void> check_client_files(const std::string& config_path) {
  ROTA_TRY(check_only_ours(client_folder(config_path)));
  ROTA_ASSIGN(const std::vector<std::string> files, client_files(config_path));
  for (const std::string& file : files) ROTA_TRY(check_only_ours(file));
  return {};
}

Result<void> check_own_ca_file(const std::string& path) {
  auto checked = check_only_ours(path);
  if (!checked) checked.error().message = "ca_file " + checked.error().message;
  return checked;
}

Result<Settings> load_own_settings(const std::string& path) {
  ROTA_TRY(check_only_ours(path));
  ROTA_TRY(check_client_files(path));
  return load_settings(path);
}

Result<SecretPtr> read_app_token(const Settings& settings) {
  return read_app_token(settings.upstream.app_token);
}

Result<SecretPtr> read_app_token(const SecretSource& source) {
  ROTA_TRY(check_place(source, "app_token"));
  ROTA_ASSIGN(Secret token, read_secret(source, "app_token"));
  return SecretPtr(std::move(token));
}

Result<Secret> read_handle_key(const Settings& settings) {
  ROTA_ASSIGN(const Secret key, read_store_key(settings));
  return derive_handle_key(key);
}

Result<std::unique_ptr<SqliteStore>> open_store(const Settings& settings) {
  ROTA_ASSIGN(Secret key, read_store_key(settings));
  return open_store(settings, std::move(key));
}

Result<std::unique_ptr<SqliteStore>> open_store(const Settings& settings, Secret key) {
  ROTA_ASSIGN(Sealer sealer, Sealer::create(std::move(key)));
  const std::filesystem::path path = settings.store.path;
  const std::string folder = path.parent_path().string();
  if (!folder.empty() && ::mkdir(folder.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
    return fail(ErrorKind::kConfig,
                fmt::format("[store] path: {}: {}", folder, std::strerror(errno)));
  }
  // Nobody else may replace or remove the database, its lock or its mark.
  ROTA_TRY(check_only_ours(path));
  return SqliteStore::open(path, std::move(sealer));
}

std::uint64_t database_bytes(const std::string& path) {
  std::uint64_t bytes = 0;
  for (const std::string& file : {path, path + "-wal"}) {
    std::error_code missing;
    const auto size = std::filesystem::file_size(file, missing);
    if (!missing) bytes += size;
  }
  return bytes;
}

Result<std::vector<RosterFile>> load_roster_files(const std::string& path) {
  constexpr int kReadsMax = 3;
  auto files = read_roster(path);
  for (int reads = 1; !files && files.error().kind == ErrorKind::kIo && reads < kReadsMax;
       ++reads) {
    files = read_roster(path);
  }
  if (!files) return files;
  for (const RosterFile& file : *files) ROTA_TRY(check_only_ours(file.name));
  return files;
}

Result<SortedRosterPtr> load_roster(const std::string& path) {
  ROTA_ASSIGN(const std::vector<RosterFile> files, load_roster_files(path));
  ROTA_ASSIGN(Roster roster, parse_roster(files));
  return SortedRoster::of(std::move(roster));
}

}  // namespace rota
