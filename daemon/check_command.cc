#include "daemon/check_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "auth/ca_file.h"
#include "daemon/accounts.h"
#include "daemon/own_path.h"
#include "daemon/parts.h"
#include "daemon/settings.h"
#include "rotator/engine.h"
#include "rotator/report.h"

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

// What is on record; an empty snapshot and a remark where it cannot be looked at.
Result<Snapshot> look_at_store(const Settings& settings, std::string& remark) {
  if (!std::filesystem::exists(settings.store.path)) {
    remark = fmt::format("no database at {} yet: every member is new", settings.store.path);
    return Snapshot{};
  }
  if (!can_read(settings.store.key)) {
    remark = "the store key is a credential of the service: compared with an empty database";
    return Snapshot{};
  }
  auto store = open_store(settings);
  if (store) return (*store)->load();
  if (store.error().kind != ErrorKind::kBusy) return std::unexpected(store.error());
  remark = fmt::format("{}: compared with an empty database; `rota plan` asks the daemon",
                       store.error().message);
  return Snapshot{};
}

// What a start would say of grants whose holder is not there. It goes on without them.
Result<std::string> held_grants(const Grantees& grantees) {
  std::string text;
  for (const HeldGrant& grant : grantees.held) {
    if (grant.is_wrong) return fail(ErrorKind::kConfig, grant.why);
    text += fmt::format("held back until the name is known: {}\n", grant.why);
  }
  return text;
}

}  // namespace

Result<std::string> check_configuration(const std::string& config_path, const Clock& clock) {
  ROTA_TRY(check_only_ours(config_path));
  ROTA_ASSIGN(const Settings settings, load_settings(config_path));
  const Grantees grantees = find_grantees(settings.grants);
  ROTA_ASSIGN(const std::string held, held_grants(grantees));
  ROTA_ASSIGN(const auto roster_read, load_roster(settings.roster.path));
  const Roster& roster = *roster_read;
  if (!settings.upstream.ca_file.empty()) ROTA_TRY(read_ca_file(settings.upstream.ca_file));
  if (can_read(settings.upstream.app_token)) ROTA_TRY(read_app_token(settings));
  std::string remark;
  ROTA_ASSIGN(Snapshot snapshot, look_at_store(settings, remark));

  const Engine engine(settings.policy, std::move(snapshot), 0, clock.now());
  const RosterPlan plan = engine.plan_for(roster);
  std::string text =
      fmt::format("{}: good, {} grants\n{}: good, {} members\n", config_path,
                  grantees.grants.size(), settings.roster.path, roster.entries.size());
  text += held;
  if (!remark.empty()) text += remark + "\n";
  text += fmt::format("would change ({} calls to Circle):\n", plan.calls);
  text += list("add", plan.add) + list("change", plan.change) + list("retire", plan.retire);
  const auto wanted =
      static_cast<std::size_t>(std::ranges::count(roster.entries, false, &RosterEntry::retired));
  text += fmt::format("the budget keeps {} members fresh; this roster has {}\n",
                      engine.upkeep().capacity(), wanted);
  if (const auto left_out = left_out_of(engine, roster); !left_out.empty()) {
    text += list("on demand, as the ones used least lately:", left_out);
  }
  if (plan.held) {
    text += fmt::format("  the retirements would be held until `rota approve {}`\n", plan.id);
  }
  return text;
}

}  // namespace rota
