#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cli/doctor.h"
#include "cli/exit_code.h"
#include "cli/setup.h"
#include "cli/target.h"
#include "model/member_key.h"

namespace rota::cli {

struct TokenCommand {
  MemberKey key;
  TokenQuery query;
};
// Prints the events until the daemon ends or the reader goes.
struct WatchCommand {
  std::vector<MemberKey> keys;  // none: all that is granted
};
struct StatusCommand {
  bool check = false;  // fail when the daemon is not ready
};
struct MembersCommand {
  std::string state;  // empty: all
};
struct MemberCommand {
  MemberKey key;
};
// Rotate, revoke or reinstate one member.
struct OperateCommand {
  MemberKey key;
  std::string action;  // as in the path
};
struct ReloadCommand {
  std::string approve;  // the id of a held plan, or empty
};
struct PlanCommand {};
struct AuditCommand {
  AuditQuery query;
};

using Command =
    std::variant<TokenCommand, WatchCommand, StatusCommand, MembersCommand, MemberCommand,
                 OperateCommand, ReloadCommand, PlanCommand, AuditCommand>;

// What is no single call to the daemon, and may find none.
using LocalCommand = std::variant<SetupCommand, DoctorCommand>;

struct Options {
  Command command;
  bool json = false;  // the daemon's reply as it is
  // The one to use: --socket, else the environment, else the installed one; for a local command
  // empty in the place of that.
  std::string socket;
  std::optional<LocalCommand> local{};  // in the place of `command`
};

// Reads the command line, whose words it checks as far as that goes without the daemon. When there
// is nothing to run (help, version, a wrong command line), says so on the standard streams and
// returns the exit code instead.
std::variant<Options, ExitCode> read_options(int argc, const char* const* argv);

}  // namespace rota::cli
