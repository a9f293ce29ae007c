#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cli/clients_command.h"
#include "cli/community.h"
#include "cli/completion.h"
#include "cli/doctor.h"
#include "cli/events_command.h"
#include "cli/exec_command.h"
#include "cli/exit_code.h"
#include "cli/files_command.h"
#include "cli/import.h"
#include "cli/members_screen.h"
#include "cli/plan_command.h"
#include "cli/rekey.h"
#include "cli/restore.h"
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
  bool all = false;    // every field, instead of one screen
  bool watch = false;  // again every two seconds, until the reply fails or somebody ends it
};
struct MembersCommand {
  std::string state;   // empty: all
  std::string source;  // "roster", "enrolled"; empty: all
  MembersFilter filter{};
  bool wide = false;  // cut nothing
  bool utc = false;
  bool watch = false;  // as of StatusCommand
};
struct MemberCommand {
  MemberKey key;
};
// Rotate, revoke or reinstate one member.
struct OperateCommand {
  MemberKey key;
  std::string action;  // as in the path
};
// Enrol, remove or sign out several members, one after the other.
struct EachCommand {
  enum class Deed { kEnrol, kRemove, kSignOut };
  Deed deed = Deed::kEnrol;
  std::vector<MemberKey> keys{};
  std::string name{};  // for people, of the one key that is enrolled; empty: none
};
struct ReloadCommand {
  std::string approve;  // the id of a held plan, or empty
};
// Let a client remove members although it has removed very many.
struct LiftCommand {
  std::string client;  // as the alarm names it
};
struct AuditCommand {
  AuditQuery query;
  bool wide = false;  // every field of an entry, and cut nothing
};
// Revoke the tokens of all members.
struct RevokeAllCommand {
  bool yes = false;  // ask nothing
};
// Have the daemon make a backup, and bring it to a file.
struct BackupCommand {
  std::string file;
};
// For a shell: print member keys that begin so, or nothing if the daemon does not answer at once.
struct CompleteKeysCommand {
  std::string prefix;
};

using Command =
    std::variant<TokenCommand, WatchCommand, StatusCommand, MembersCommand, MemberCommand,
                 OperateCommand, EachCommand, LiftCommand, ReloadCommand, PlanCommand, AuditCommand,
                 EventsCommand, RevokeAllCommand, BackupCommand, CompleteKeysCommand>;

// Commands that do more than one call to the daemon, and work without one.
using LocalCommand =
    std::variant<SetupCommand, DoctorCommand, ImportCommand, ClientCommand, CompletionCommand,
                 RestoreCommand, RekeyCommand, FilesCommand, ExecCommand>;

struct Options {
  Command command;
  bool json = false;      // print the daemon's reply as it is
  Community community{};  // --community, else the environment
  // The socket to use: --socket, else the environment, else the installed one of the community. For
  // a local command empty instead of the installed one. If --community names one, the environment
  // does not count.
  std::string socket;
  std::optional<LocalCommand> local{};  // if set, it is the command, and `command` means nothing
};

// Reads and checks the command line, as far as that is possible without the daemon. If there is
// nothing to run (help, version, a wrong command line), it prints that on the standard streams and
// returns the exit code. No message repeats a word that may be a secret (P10).
std::variant<Options, ExitCode> read_options(int argc, const char* const* argv);

}  // namespace rota::cli
