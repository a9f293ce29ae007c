#include "daemon/client_keeper.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace rota {
namespace {

BearerClients clients_of(const std::vector<ClientSettings>& settings) {
  std::vector<BearerClients::Client> clients;
  for (const ClientSettings& each : settings) {
    clients.push_back({.name = each.name, .tokens = each.tokens});
  }
  return BearerClients(std::move(clients));
}

const ClientSettings* find(const std::vector<ClientSettings>& clients, const std::string& name) {
  const auto found = std::ranges::find(clients, name, &ClientSettings::name);
  return found == clients.end() ? nullptr : &*found;
}

}  // namespace

ClientKeeper::ClientKeeper(Parts parts, const Settings& settings)
    : parts_(parts), settings_(settings.clients), clients_(clients_of(settings_)) {
  warn_of_grants(settings);
}

ReloadChanges ClientKeeper::put(const Settings& fresh) {
  warn_of_grants(fresh);
  return replace(fresh.clients);
}

ReloadChanges ClientKeeper::withdraw_to(const RightsOnDisk& on_disk) {
  std::vector<ClientSettings> left;
  for (const ClientSettings& client : settings_) {
    ClientSettings still = on_disk.what_is_left_of(client);
    if (!still.tokens.empty()) left.push_back(std::move(still));
  }
  return replace(std::move(left));
}

ReloadChanges ClientKeeper::replace(std::vector<ClientSettings> fresh) {
  BearerClients clients = clients_of(fresh);
  const bool same = clients == clients_;
  const ReloadChanges changes = same ? ReloadChanges{} : note_changes(fresh);
  settings_ = std::move(fresh);
  if (same) return changes;
  clients_ = std::move(clients);
  parts_.log.say(Severity::kInfo, "clients",
                 fmt::format("new clients were read: {}", settings_.size()));
  changed_();
  return changes;
}

void ClientKeeper::warn_of_grants(const Settings& settings) {
  std::vector<std::string> lines = grants_without_client(settings);
  for (const std::string& line : lines) {
    if (std::ranges::find(warned_, line) != warned_.end()) continue;
    parts_.log.say(Severity::kWarning, "clients", line);
  }
  warned_ = std::move(lines);
}

ReloadChanges ClientKeeper::note_changes(const std::vector<ClientSettings>& fresh) {
  const auto note = [this](std::string_view what, const ClientSettings& client) {
    parts_.notes.note(
        AuditEvent::kGrantsChanged,
        fmt::format(
            "client {}: {}, {}", what,
            is_plainly_no_secret(client.name) ? client.name : in_quotes_unless_secret(client.name),
            counted(client.tokens.size(), "token", "tokens")));
  };
  ReloadChanges changes;
  for (const ClientSettings& before : settings_) {
    if (find(fresh, before.name) != nullptr) continue;
    note("removed", before);
    ++changes.removed;
  }
  for (const ClientSettings& after : fresh) {
    const ClientSettings* before = find(settings_, after.name);
    if (before == nullptr) {
      note("added", after);
      ++changes.added;
    } else if (before->tokens != after.tokens) {
      note("changed", after);
      ++changes.changed;
    }
  }
  return changes;
}

}  // namespace rota
