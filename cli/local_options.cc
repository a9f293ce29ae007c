#include "cli/local_options.h"

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

}  // namespace rota::cli
