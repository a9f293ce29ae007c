#include "daemon/check_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "auth/ca_file.h"
#include "base/text.h"
#include "daemon/parts.h"
#include "engine/engine.h"
#include "report/report.h"
#include "settings/accounts.h"
#include "settings/hidden_values.h"
#include "settings/own_path.h"
#include "settings/roster_file.h"
#include "settings/settings.h"
#include "settings/store_key.h"

namespace rota {
namespace {

constexpr std::size_t kKeysShownMax = 20;

std::string list(std::string_view what, const std::vector<MemberKey>& keys) {
  std::string text = fmt::format("  {:<7} {}", what, keys.size());
  for (std::size_t i = 0; i < keys.size() && i < kKeysShownMax; ++i) {
    text += fmt::format("{} {}", i == 0 ? ":" : ",", keys[i].text());
  }
  if (keys.size() > kKeysShownMax) text += ", …";
  return text + "\n";
}

bool can_read(const SecretSource& source) {
  return !source.file.empty() || std::getenv("CREDENTIALS_DIRECTORY") != nullptr;
}

// What the roster is compared with, and a sentence that says so.
struct Compared {
  Snapshot with;
  std::string what;
};

Compared with_nothing(std::string why) {
  return {.with = {},
          .what = fmt::format("compared with an EMPTY database, not with the real one: {}", why)};
}

Result<Compared> look_at_store(const Settings& settings) {
  const std::string& path = settings.store.path;
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    if (error) return with_nothing(fmt::format("{}: {}", path, error.message()));
    return Compared{.with = {},
                    .what = fmt::format("no database at {} yet: every member is new", path)};
  }
  if (!can_read(settings.store.key)) {
    return with_nothing("only the service has the store key; to ask the daemon: rota plan");
  }
  ROTA_ASSIGN(Secret key, read_store_key(settings));
  ROTA_ASSIGN(const AsOwner owner, AsOwner::of(path));
  auto store = open_store(settings, std::move(key));
  if (store) {
    ROTA_ASSIGN(Snapshot snapshot, (*store)->load());
    return Compared{.with = std::move(snapshot), .what = fmt::format("compared with {}", path)};
  }
  if (store.error().kind != ErrorKind::kBusy) return std::unexpected(store.error());
  return with_nothing(store.error().message + "; to ask the daemon: rota plan");
}

// What a start would say about grants whose holder is not found. It would go on without them.
Result<std::string> held_grants(const Grantees& grantees) {
  std::string text;
  for (const HeldGrant& grant : grantees.held) {
    if (grant.is_wrong) return fail(ErrorKind::kConfig, grant.why);
    text += fmt::format("grant held back until its user or group is found: {}\n", grant.why);
  }
  return text;
}

Result<std::string> check_settings(const std::string& config_path, const Settings& settings,
                                   const Clock& clock) {
  const Grantees grantees = find_grantees(settings.grants);
  ROTA_ASSIGN(const std::string held, held_grants(grantees));
  ROTA_ASSIGN(const auto roster_read, load_roster(settings.roster.path));
  const Roster& roster = roster_read->roster();
  if (const std::string& ca_file = settings.upstream.ca_file; !ca_file.empty()) {
    ROTA_TRY(check_own_ca_file(ca_file));
    ROTA_TRY(read_ca_file(ca_file));
  }
  find_credentials(config_path, settings);
  if (can_read(settings.upstream.app_token)) ROTA_TRY(read_app_token(settings));
  ROTA_ASSIGN(Compared compared, look_at_store(settings));

  const Engine engine(settings.policy, std::move(compared.with), 0, clock.now());
  const RosterPlanPtr planned = engine.plan_for(roster_read);
  const RosterPlan& plan = *planned;
  std::string text = fmt::format("{}: good, {}\n{}: good, {}\n", config_path,
                                 counted(grantees.grants.size(), "grant", "grants"),
                                 settings.roster.path, size_of(roster));
  for (const std::string& line : grants_without_client(settings)) text += line + "\n";
  text += held + compared.what + "\n";
  text += fmt::format("would change ({} to Circle):\n", counted(plan.calls, "call", "calls"));
  text += list("add", plan.add) + list("change", plan.change) + list("retire", plan.retire);
  const auto wanted =
      static_cast<std::size_t>(std::ranges::count(roster.entries, false, &RosterEntry::retired));
  text += fmt::format("the budget keeps {} fresh; this roster has {}\n",
                      counted(engine.members().upkeep().capacity(), "member", "members"), wanted);
  if (const auto left_out = left_out_of(engine, roster); !left_out.empty()) {
    text += list("on demand, least recently used:", left_out);
  }
  if (plan.held) {
    text += fmt::format("  the retirements would be held until `rota approve {}`\n", plan.id);
  }
  return text;
}

}  // namespace

Result<std::string> check_configuration(const std::string& config_path, const Clock& clock) {
  ROTA_TRY(check_only_ours(config_path));
  ROTA_TRY(check_client_files(config_path));
  ROTA_ASSIGN(const Settings settings, load_settings(config_path));
  const HiddenValues hidden(settings);
  auto text = check_settings(config_path, settings, clock);
  if (!text) return std::unexpected(hidden.hide(std::move(text).error()));
  return hidden.hide(*std::move(text));
}

}  // namespace rota
