#include "cli/options.h"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <span>
#include <sstream>
#include <type_traits>
#include <utility>

#include "base/secret_arguments.h"
#include "base/text.h"
#include "cli/command_words.h"
#include "cli/examples.h"
#include "cli/help.h"
#include "cli/keeping_options.h"
#include "cli/local_options.h"
#include "cli/option_checks.h"
#include "cli/output.h"
#include "settings/settings.h"

namespace rota::cli {
namespace {

std::string from_environment(const char* name, const std::string& otherwise) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): the command has one thread.
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : otherwise;
}

// CLI11 fills these in before the command is known.
struct Words {
  std::string community;
  std::string key;
  std::vector<std::string> keys;
  std::string state;
  std::string source;
  std::string since;
  std::string member;
  std::string token;
  std::string holder;
  std::string name;
  std::string approve;
  std::string plan;
  TokenQuery query;
  bool check = false;
  bool all = false;
  bool watch = false;  // of status and members
  EventsCommand events;
  bool wide = false;  // of audit
  bool yes = false;   // of revoke-all
  MembersCommand members;
  PlanCommand plan_of;
  bool no_check = false;  // of setup and doctor
  SetupCommand setup;
  std::vector<std::string> setup_members;
  DoctorCommand doctor;
  ImportCommand imported;
  std::string import_by = "id";
  std::string shell;
  std::string prefix;
  ClientCommand client;
  FilesCommand files;
  ExecCommand exec;
  std::vector<std::string> exec_keys;
  std::string exec_signal;
};

class Reader {
 public:
  Reader() : app_("Rota's operator command", "rota") {
    app_.require_subcommand(0, 1);
    app_.fallthrough();
    app_.footer(std::string(footer_of_all()));
    app_.formatter(folding_formatter());
    app_.set_version_flag("--version", ROTA_VERSION);
    app_.add_option("--socket", options_.socket, "the daemon's socket")->type_name("PATH");
    app_.add_option("-C,--community", words_.community,
                    "a community with units of its own: rotad@NAME.service")
        ->type_name("NAME")
        ->check(check_community, "", "");
    add_token();
    CLI::App* watch =
        add("watch", "print tokens as they come, one JSON object a line", WatchCommand{});
    watch->add_option("keys", words_.keys, "the members; default: all that you may read")
        ->type_name("KEY")
        ->check(check_key, "", "");
    CLI::App* status = add("status", "show the state of the daemon", StatusCommand{});
    status->add_flag("--check", words_.check, "exit with 1 if it is not ready");
    status->add_flag("--all", words_.all, "every field of the reply, instead of one screen");
    add_watch(*status);
    CLI::App* members = add("members", "list all members, one line each", MembersCommand{});
    members->add_option("--state", words_.state, "only the members in this state")
        ->type_name("STATE");
    members
        ->add_option("--source", words_.source,
                     "only the members of this source: roster or enrolled")
        ->type_name("SOURCE");
    members->add_option("--tag", words_.members.filter.tag, "only the members with this tag")
        ->type_name("TAG");
    members
        ->add_option("--find", words_.members.filter.find,
                     "only the members with this text in a key or the name")
        ->type_name("TEXT");
    members->add_flag("--overdue", words_.members.filter.overdue,
                      "only those that are to be kept fresh and have no live token");
    members->add_flag("--all", words_.members.filter.retired, "the retired ones, too");
    members->add_flag("--wide", words_.members.wide, "cut nothing, however long the lines are");
    members->add_flag("--utc", words_.members.utc, "times in UTC, instead of how far off they are");
    add_watch(*members);
    add_keyed("member", "show everything about one member", MemberCommand{});
    add_keyed("rotate", "get a new token for the member now", OperateCommand{{}, "rotate"});
    add_keyed("revoke", "revoke all tokens of the member and keep it out",
              OperateCommand{{}, "revoke"});
    add_keyed("reinstate", "let a revoked member in again", OperateCommand{{}, "reinstate"});
    add("revoke-all", "revoke all tokens of all members and keep them out", RevokeAllCommand{})
        ->add_flag("--yes", words_.yes, "ask nothing");
    add_each("enrol", "make these members, until they are removed",
             EachCommand{EachCommand::Deed::kEnrol})
        ->add_option("--name", words_.name, "the member's name, for people; only for one KEY")
        ->type_name("NAME");
    add_each("remove", "end the enrolments of these members",
             EachCommand{EachCommand::Deed::kRemove});
    add_each("sign-out", "revoke the access tokens of these members, who stay",
             EachCommand{EachCommand::Deed::kSignOut});
    add("lift-removals", "let a client that is held back remove members for an hour", LiftCommand{})
        ->add_option("client", words_.holder, "the client, as the alarm names it")
        ->type_name("CLIENT")
        ->required();
    CLI::App* reload =
        add("reload", "read configuration and roster again, and wait until they are in force",
            ReloadCommand{});
    reload->add_option("--approve", words_.approve, "let the held plan with this id through")
        ->type_name("ID");
    add_plan();
    add_events();
    add_audit();
    add_keeping(app_, options_);
    CLI::App* approve = add("approve", "let a held plan through", ReloadCommand{});
    approve->add_option("plan", words_.plan, "the plan's id")->type_name("ID")->required();
    setup_ = add_setup(app_, {words_.setup, words_.setup_members, words_.no_check, options_.json});
    doctor_ = add_doctor(app_, words_.doctor, words_.no_check, options_.json);
    import_ = add_import(app_, words_.imported, words_.import_by, options_.json);
    client_ = add_client(app_, words_.client, options_.json);
    files_ = add_files(app_, words_.files);
    exec_ = add_exec(app_, exec_words());
    add_completion();
    for (CLI::App* command : app_.get_subcommands({})) {
      if (group_of(command->get_name()).empty()) continue;
      command->group(group_of(command->get_name()));
      command->footer(examples_of(command->get_name()));
    }
  }

  std::variant<Options, ExitCode> read(int argc, const char* const* argv) {
    try {
      const auto words = without_command(argc, argv, words_.exec.command);
      app_.parse(static_cast<int>(words.size()), words.data());
    } catch (const CLI::ExtrasError&) {
      std::cerr << describe_extras(app_.remaining(true), names_of_commands())
                << "Run with --help for more information.\n";
      return ExitCode::kUsage;
    } catch (const CLI::ParseError& error) {
      // It quotes the wrong word, which may be a secret in a wrong place (P10).
      std::ostringstream out;
      std::ostringstream err;
      const int code = app_.exit(error, out, err);
      const std::span words(argv, static_cast<std::size_t>(argc));
      std::cerr << visible(without_secret_arguments(err.str(), words.subspan(1)), "\n");
      if (code != 0) return ExitCode::kUsage;
      StandardOutput output;
      const auto written = output.out(out.view());
      if (!written) output.err(written.error().message);
      return written ? ExitCode::kDone : ExitCode::kFailed;
    }
    if (app_.get_subcommands().empty()) {
      std::cerr << app_.help();
      return ExitCode::kUsage;
    }
    if (!choose_community()) return ExitCode::kUsage;
    if (auto* token = std::get_if<TokenCommand>(&options_.command)) token->query = words_.query;
    if (auto* status = std::get_if<StatusCommand>(&options_.command)) {
      status->check = words_.check;
      status->all = words_.all;
      status->watch = words_.watch;
    }
    if (auto* members = std::get_if<MembersCommand>(&options_.command)) {
      *members = words_.members;
      members->state = words_.state;
      members->source = words_.source;
      members->watch = words_.watch;
    }
    if (auto* audit = std::get_if<AuditCommand>(&options_.command)) {
      audit->query = {.since = words_.since, .member = words_.member, .token = words_.token};
      audit->wide = words_.wide;
    }
    if (auto* events = std::get_if<EventsCommand>(&options_.command)) *events = words_.events;
    if (auto* plan = std::get_if<PlanCommand>(&options_.command)) *plan = words_.plan_of;
    if (auto* all = std::get_if<RevokeAllCommand>(&options_.command)) all->yes = words_.yes;
    if (auto* lift = std::get_if<LiftCommand>(&options_.command)) lift->client = words_.holder;
    if (auto* reload = std::get_if<ReloadCommand>(&options_.command)) {
      reload->approve = words_.plan.empty() ? words_.approve : words_.plan;
    }
    if (auto* watch = std::get_if<WatchCommand>(&options_.command)) {
      for (const std::string& key : words_.keys) watch->keys.push_back(*MemberKey::parse(key));
    }
    if (auto* each = std::get_if<EachCommand>(&options_.command)) {
      for (const std::string& key : words_.keys) each->keys.push_back(*MemberKey::parse(key));
      each->name = words_.name;
    }
    if (!words_.key.empty()) set_key(*MemberKey::parse(words_.key));
    for (const std::string& key : words_.setup_members) {
      words_.setup.members.push_back(*member_named(key));
    }
    words_.setup.check = words_.doctor.check = !words_.no_check;
    if (setup_->parsed()) options_.local = words_.setup;
    if (doctor_->parsed()) options_.local = words_.doctor;
    words_.imported.rules.by = *selector_kind(words_.import_by);
    if (import_->parsed()) options_.local = words_.imported;
    if (client_->parsed()) options_.local = words_.client;
    if (files_->parsed()) options_.local = words_.files;
    if (exec_->parsed()) {
      if (const std::string why = settle_exec(exec_words()); !why.empty()) {
        std::cerr << why << "\n";
        return ExitCode::kUsage;
      }
      options_.local = words_.exec;
    }
    if (completion_->parsed()) {
      options_.local = CompletionCommand{*shell_named(words_.shell), words_of(app_)};
    }
    if (auto* keys = std::get_if<CompleteKeysCommand>(&options_.command)) {
      keys->prefix = words_.prefix;
    }
    settle_community();
    if (options_.socket.empty()) options_.socket = usual_socket();
    return std::move(options_);
  }

 private:
  // False: the environment names none that can be; it has said so.
  bool choose_community() {
    const bool is_given = !words_.community.empty();
    const std::string name = is_given ? words_.community : from_environment("ROTA_COMMUNITY", "");
    if (name.empty()) return true;
    if (const std::string why = check_community(name); !why.empty()) {
      std::cerr << "ROTA_COMMUNITY " << why << "\n";
      return false;
    }
    options_.community = Community(name);
    return true;
  }
  // For the commands that read files or name units.
  void settle_community() {
    const Community& community = options_.community;
    if (auto* plan = std::get_if<PlanCommand>(&options_.command)) plan->community = community;
    if (!options_.local) return;
    const auto give = [&community](auto& command) {
      using Given = std::remove_cvref_t<decltype(command)>;
      if constexpr (requires { command.community; }) command.community = community;
      // These have the installed one as their default.
      if constexpr (requires { Given().config; }) {
        if (!Given().config.empty() && command.config == Given().config) {
          command.config = community.config();
        }
      }
    };
    std::visit(give, *options_.local);
  }
  std::string usual_socket() const {
    // A local command leaves options_.command as it was.
    const bool fetches = options_.local
                             ? exec_->parsed()
                             : std::holds_alternative<TokenCommand>(options_.command) ||
                                   std::holds_alternative<WatchCommand>(options_.command);
    const Community& community = options_.community;
    const std::string installed = fetches ? community.token_socket() : community.admin_socket();
    const char* const variable = fetches ? "ROTA_TOKEN_SOCKET" : "ROTA_ADMIN_SOCKET";
    const bool is_chosen = !words_.community.empty();
    if (options_.local && !fetches) {
      return is_chosen ? "" : from_environment("ROTA_ADMIN_SOCKET", "");
    }
    return is_chosen ? installed : from_environment(variable, installed);
  }
  std::vector<std::string> names_of_commands() {
    std::vector<std::string> names;
    for (const CommandWords& command : words_of(app_)) names.push_back(command.name);
    return names;
  }
  CLI::App* add(const char* name, const char* what, Command command) {
    CLI::App* sub = app_.add_subcommand(name, what);
    sub->add_flag("--json", options_.json, "print the daemon's JSON reply as it is");
    sub->callback([this, command = std::move(command)] { options_.command = command; });
    return sub;
  }
  void add_watch(CLI::App& command) {
    command.add_flag("--watch", words_.watch, "draw it again every two seconds");
  }
  CLI::App* add_keyed(const char* name, const char* what, Command command) {
    CLI::App* sub = add(name, what, std::move(command));
    sub->add_option("key", words_.key, "the member")
        ->type_name("KEY")
        ->required()
        ->check(check_key, "", "");
    return sub;
  }
  CLI::App* add_each(const char* name, const char* what, EachCommand command) {
    CLI::App* sub = add(name, what, std::move(command));
    sub->add_option("keys", words_.keys, "the members")
        ->type_name("KEY")
        ->required()
        ->check(check_key, "", "");
    return sub;
  }
  void add_token() {
    CLI::App* sub = add_keyed("token", "print the member's access token", TokenCommand{});
    sub->add_option("--min-ttl", words_.query.min_ttl,
                    "how long the token must still live; one with less is refreshed first")
        ->type_name("DURATION")
        ->check(check_duration, "", "");
    sub->add_option("--wait", words_.query.wait, "how long to wait for a refresh, at most 60s")
        ->type_name("DURATION")
        ->check(check_duration, "", "");
    sub->add_flag("--strict", words_.query.strict,
                  "fail rather than print a token with less than --min-ttl");
    sub->add_option("--refused", words_.query.refused,
                    "Circle refused the token whose SHA-256 begins with this: get another")
        ->type_name("HEX")
        ->check(check_fingerprint, "", "");
  }
  void add_plan() {
    CLI::App* sub =
        add("plan", "show what a roster would change, and what it costs", PlanCommand{});
    sub->add_option("files", words_.plan_of.files,
                    "roster files as if they were in place; default: the roster on disk")
        ->type_name("FILE");
    sub->add_option("--config", words_.plan_of.config, "the daemon's configuration")
        ->type_name("FILE");
    sub->add_flag("--all", words_.plan_of.all, "every member, instead of the first of each list");
  }
  void add_events() {
    CLI::App* sub = add("events", "show what happened, in plain words", EventsCommand{});
    sub->add_option("--since", words_.events.since, "a duration ago, or a time in UTC; default: 7d")
        ->type_name("DURATION|TIME")
        ->check(check_since, "", "");
    sub->add_flag("--follow", words_.events.follow, "go on with what happens from now on");
  }
  void add_audit() {
    CLI::App* sub = add("audit", "show who fetched whose token, and what was done", AuditCommand{});
    sub->add_option("--since", words_.since,
                    "only entries since then: a duration ago, or a time in UTC")
        ->type_name("DURATION|TIME")
        ->check(check_since, "", "");
    sub->add_flag("--wide", words_.wide, "every field of an entry, and cut nothing");
    sub->add_option("--member", words_.member, "only entries about this member")
        ->type_name("KEY")
        ->check(check_key, "", "");
    sub->add_option("--token", words_.token,
                    "only entries about the token whose SHA-256 begins with this")
        ->type_name("HEX")
        ->check(check_fingerprint, "", "");
  }
  void add_completion() {
    completion_ = app_.add_subcommand("completion", "print the completion script of a shell");
    completion_->add_option("shell", words_.shell, "bash, zsh or fish")
        ->type_name("SHELL")
        ->required()
        ->check(check_shell, "", "");
    add("complete-keys", "print member keys that begin so", CompleteKeysCommand{})
        ->group("")
        ->add_option("prefix", words_.prefix, "how they begin");
  }
  ExecWords exec_words() { return {words_.exec, words_.exec_keys, words_.exec_signal}; }
  void set_key(const MemberKey& key) {
    if (auto* token = std::get_if<TokenCommand>(&options_.command)) token->key = key;
    if (auto* member = std::get_if<MemberCommand>(&options_.command)) member->key = key;
    if (auto* operate = std::get_if<OperateCommand>(&options_.command)) operate->key = key;
  }

  Options options_;
  Words words_;
  CLI::App app_;
  CLI::App* setup_ = nullptr;  // app_'s own
  CLI::App* doctor_ = nullptr;
  CLI::App* import_ = nullptr;
  CLI::App* client_ = nullptr;
  CLI::App* files_ = nullptr;
  CLI::App* exec_ = nullptr;
  CLI::App* completion_ = nullptr;
};

}  // namespace

std::variant<Options, ExitCode> read_options(int argc, const char* const* argv) {
  return Reader().read(argc, argv);
}

}  // namespace rota::cli
