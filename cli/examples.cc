#include "cli/examples.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace rota::cli {
namespace {

struct Examples {
  std::string_view command;
  std::string_view group;
  std::string_view first;
  std::string_view second;
};
constexpr auto kExamples = std::to_array<Examples>({
    {"token", "Tokens", "rota token id:42", "rota token email:ada@example.com --min-ttl 5m"},
    {"watch", "Tokens", "rota watch", "rota watch id:42 id:43"},
    {"exec", "Tokens", "rota exec id:42 -- my-job --verbose",
     "rota exec id:42 --signal-on-change HUP -- my-server"},
    {"files", "Tokens", "rota files --config files.toml", "rota files --check"},
    {"status", "The daemon", "rota status", "rota status --check --json"},
    {"members", "Members", "rota members --overdue", "rota members --tag staff --find ada"},
    {"member", "Members", "rota member id:42", "rota member email:ada@example.com --json"},
    {"rotate", "Members", "rota rotate id:42", "rota rotate email:ada@example.com"},
    {"revoke", "Members", "rota revoke id:42", "rota revoke email:ada@example.com --json"},
    {"reinstate", "Members", "rota reinstate id:42", "rota reinstate email:ada@example.com"},
    {"revoke-all", "Members", "rota revoke-all", "rota revoke-all --yes --json"},
    {"enrol", "Members", "rota enrol id:42 id:43", "rota enrol email:ada@example.com --name Ada"},
    {"remove", "Members", "rota remove id:42", "rota remove id:42 email:ada@example.com"},
    {"sign-out", "Members", "rota sign-out id:42", "rota sign-out id:42 email:ada@example.com"},
    {"lift-removals", "Members", "rota lift-removals user:www-data",
     "rota lift-removals client:shop"},
    {"reload", "The roster", "rota reload", "rota reload --approve 0123456789abcdef"},
    {"plan", "The roster", "rota plan", "rota plan new-roster.toml --all"},
    {"approve", "The roster", "rota approve 0123456789abcdef",
     "rota approve 0123456789abcdef --json"},
    {"events", "The daemon", "rota events --since 1d", "rota events --follow"},
    {"audit", "The daemon", "rota audit --since 2h",
     "rota audit --member id:42 --since 2024-03-20T16:00:00Z"},
    {"setup", "This machine", "rota setup",
     "rota setup --yes --app-token-file token.txt --member id:42 --json"},
    {"doctor", "The daemon", "rota doctor", "rota doctor --user www-data"},
    {"import", "The roster", "rota import members.csv --out roster.toml --dry-run",
     "rota import page-1.json page-2.json --out roster.toml --tags"},
    {"backup", "The daemon", "rota backup /var/backups/rota.backup",
     "rota backup rota.backup --json"},
    {"restore", "This machine", "rota restore /var/backups/rota.backup",
     "rota restore rota.backup --yes"},
    {"rekey", "This machine", "rota rekey", "rota rekey --json"},
    {"client", "This machine", "rota client add shop", "rota client remove shop --old"},
    {"completion", "This machine", "rota completion bash", "rota completion fish"},
});

constexpr std::string_view kFooter =
    "KEY is id:NUMBER, email:ADDRESS or sso:SSO_USER_ID.\n"
    "The socket: --socket, else that of --community, else ROTA_TOKEN_SOCKET (token, watch) or\n"
    "ROTA_ADMIN_SOCKET (others), else that of ROTA_COMMUNITY, else /run/rota/token.sock or\n"
    "/run/rota/admin.sock.\n"
    "Exit status: 0: done; 1: refused or failed, a revoked token is still alive, not ready\n"
    "(status --check), something is wrong (doctor), or a list is not taken (import); 2: wrong\n"
    "command line; 3: the member is unknown, retired or blocked; 4: rotad cannot be reached, or\n"
    "Circle gave setup no answer; 5: no token now, try again later; 78: the configuration of "
    "files\n"
    "is wrong. exec ends as its command ends.";

}  // namespace

std::string_view footer_of_all() { return kFooter; }

std::string group_of(std::string_view command) {
  const auto* const found = std::ranges::find(kExamples, command, &Examples::command);
  return found == kExamples.end() ? std::string() : std::string(found->group);
}

std::string examples_of(std::string_view command) {
  const auto* const found = std::ranges::find(kExamples, command, &Examples::command);
  if (found == kExamples.end()) return {};
  return fmt::format("Examples:\n  {}\n  {}", found->first, found->second);
}

}  // namespace rota::cli
