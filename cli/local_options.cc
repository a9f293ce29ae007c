#include "cli/local_options.h"

#include <span>
#include <string_view>

#include "cli/option_checks.h"

namespace rota::cli {
namespace {

void add_no_check(CLI::App& command, bool& no_check) {
  command.add_flag("--no-check", no_check, "do not ask Circle whether it accepts the app token");
}

}  // namespace

CLI::App* add_setup(CLI::App& app, SetupWords words) {
  SetupCommand& setup = words.setup;
  CLI::App* sub = app.add_subcommand("setup", "write a first configuration with its credentials");
  sub->add_flag("--json", words.json, "print what it did as one JSON object");
  sub->add_flag("--yes", setup.yes, "ask nothing");
  sub->add_option("--app-token-file", setup.app_token_file,
                  "read the Headless Auth app token from this file (-: standard input)")
      ->type_name("FILE");
  sub->add_flag("--encrypted", setup.encrypted,
                "seal the credentials to this machine (systemd-creds)");
  sub->add_option("--member", words.members, "a first member of the roster; repeatable")
      ->type_name("MEMBER")
      ->check(check_member, "", "");
  sub->add_option("--base-url", setup.base_url, "a server in Circle's place, such as rota-sandbox")
      ->type_name("URL")
      ->check(check_url, "", "");
  sub->add_option("--root", setup.root, "write all files below DIR, for a trial")->type_name("DIR");
  add_no_check(*sub, words.no_check);
  sub->add_option("--rotad", setup.rotad, "the rotad program to run")->type_name("FILE");
  return sub;
}

CLI::App* add_doctor(CLI::App& app, DoctorCommand& doctor, bool& no_check, bool& json) {
  CLI::App* sub = app.add_subcommand("doctor", "show what is wrong, and what to do about it");
  sub->add_flag("--json", json, "print the findings as JSON");
  sub->add_option("--user", doctor.user, "also check which members' tokens this user gets")
      ->type_name("NAME");
  sub->add_option("--unit", doctor.unit, "the same of the user that this unit runs as")
      ->type_name("UNIT");
  sub->add_option("--client", doctor.client, "the same of this [[client]]")->type_name("NAME");
  sub->add_option("--file", doctor.file, "what is wrong with this file of rota files")
      ->type_name("PATH");
  sub->add_flag("--all", doctor.all, "what is good, too");
  sub->add_option("--config", doctor.config, "the daemon's configuration")->type_name("FILE");
  sub->add_option("--credentials", doctor.credentials,
                  "the folder of the credentials; default: credentials/ beside the configuration")
      ->type_name("DIR");
  add_no_check(*sub, no_check);
  sub->add_option("--root", doctor.root, "as given to setup")->type_name("DIR");
  return sub;
}

CLI::App* add_import(CLI::App& app, ImportCommand& lists, std::string& by, bool& json) {
  CLI::App* sub =
      app.add_subcommand("import", "make a roster file of Circle's own lists of members");
  sub->add_flag("--json", json, "print what changes as JSON");
  sub->add_option("files", lists.files,
                  "Circle's CSV export, or pages of the Admin API's community_members; -: the "
                  "standard input")
      ->type_name("FILE")
      ->required();
  sub->add_option("--out", lists.out, "the roster file to write")->type_name("PATH")->required();
  sub->add_option("--by", by, "what names a member: id (the default), email, sso")
      ->type_name("WORD")
      ->check(check_selector, "", "");
  sub->add_flag("--tags", lists.rules.tags, "take the members' tags over, as circle:NAME");
  sub->add_flag("--dry-run", lists.dry_run, "say what would change, and write nothing");
  sub->add_option("--config", lists.config, "the daemon's configuration")->type_name("FILE");
  return sub;
}

CLI::App* add_client(CLI::App& app, ClientCommand& client, bool& json) {
  CLI::App* own = app.add_subcommand("client", "make, list and remove clients with a bearer token");
  own->require_subcommand(1);
  own->add_option("--config", client.config, "the daemon's configuration")->type_name("FILE");
  const auto add = [own, &client](const char* name, const char* what,
                                  ClientCommand::Action action) {
    CLI::App* sub = own->add_subcommand(name, what);
    sub->fallthrough();
    sub->callback([&client, action] { client.action = action; });
    return sub;
  };
  using Action = ClientCommand::Action;
  CLI::App* made = add("add", "make a token for a client, and print it", Action::kAdd);
  CLI::App* listed = add("list", "list the clients", Action::kList);
  CLI::App* removed = add("remove", "remove a client", Action::kRemove);
  for (CLI::App* sub : {made, removed}) {
    sub->add_option("name", client.name, "the client")
        ->type_name("NAME")
        ->required()
        ->check(check_client_name, "", "");
  }
  for (CLI::App* sub : {made, listed, removed}) {
    sub->add_flag("--json", json, "print the result as JSON");
  }
  removed->add_flag("--old", client.old, "only its older tokens; the newest stays");
  return own;
}

CLI::App* add_files(CLI::App& app, FilesCommand& files) {
  CLI::App* sub = app.add_subcommand("files", "keep tokens in files, for programs that read files");
  sub->add_option("--config", files.config, "which files; default: /etc/rota/files.toml")
      ->type_name("FILE");
  sub->add_flag("--check", files.check, "only say whether the configuration is good");
  return sub;
}

CLI::App* add_exec(CLI::App& app, ExecWords words) {
  CLI::App* sub = app.add_subcommand("exec", "run a command with tokens in files of its own");
  sub->add_option("keys", words.keys, "the members; then -- COMMAND ARGUMENT...")
      ->type_name("KEY")
      ->required()
      ->check(check_key, "", "");
  sub->add_option("--env", words.exec.env,
                  "the token itself in this variable, where it does not stay fresh")
      ->type_name("NAME")
      ->check(check_variable, "", "");
  CLI::Option* restart = sub->add_flag("--restart-on-change", words.exec.restart_on_change,
                                       "run the command anew when a token changes");
  sub->add_option("--signal-on-change", words.signal,
                  "send the command this signal when a token changes")
      ->type_name("SIG")
      ->check(check_signal, "", "")
      ->excludes(restart);
  return sub;
}

std::string settle_exec(ExecWords words) {
  if (words.exec.command.empty()) return "rota exec: give the command to run behind --";
  for (const std::string& key : words.keys) words.exec.keys.push_back(*MemberKey::parse(key));
  if (!words.signal.empty()) words.exec.signal_on_change = signal_named(words.signal);
  return {};
}

std::vector<const char*> without_command(int argc, const char* const* argv,
                                         std::vector<std::string>& command) {
  const std::span<const char* const> all(argv, static_cast<std::size_t>(argc));
  std::vector<const char*> words(all.begin(), all.end());
  std::size_t first = 1;  // that is no option
  while (first < words.size() && std::string_view(words[first]).starts_with('-')) {
    const std::string_view word(words[first]);
    first += word == "--socket" || word == "--community" ? 2 : 1;
  }
  if (first >= words.size() || std::string_view(words[first]) != "exec") return words;
  for (std::size_t i = first; i < words.size(); ++i) {
    if (std::string_view(words[i]) != "--") continue;
    command.assign(words.begin() + static_cast<std::ptrdiff_t>(i) + 1, words.end());
    words.resize(i);
    break;
  }
  return words;
}

}  // namespace rota::cli
