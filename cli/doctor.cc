#include "cli/doctor.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "auth/ca_file.h"
#include "base/secret_arguments.h"
#include "base/text.h"
#include "cli/app_token_check.h"
#include "cli/client.h"
#include "cli/doctor_access.h"
#include "cli/doctor_circle.h"
#include "cli/doctor_credentials.h"
#include "cli/doctor_files.h"
#include "cli/doctor_grants.h"
#include "cli/doctor_listeners.h"
#include "cli/doctor_machine.h"
#include "cli/doctor_status.h"
#include "cli/fields.h"
#include "cli/findings.h"
#include "cli/paint.h"
#include "cli/program.h"
#include "cli/setup_files.h"
#include "cli/target.h"
#include "settings/accounts.h"
#include "settings/hidden_values.h"
#include "settings/own_path.h"
#include "settings/roster_file.h"
#include "settings/secret_files.h"
#include "settings/settings.h"

namespace rota::cli {
namespace {

constexpr Duration kStatusTimeout{5'000};
constexpr const char* kFilesUnit = "rota-files.service";

Finding asked(Finding finding) {
  finding.asked = true;
  return finding;
}

class Doctor {
 public:
  Doctor(const DoctorCommand& command, std::string admin_socket)
      : command_(command),
        places_(command.root, command.community),
        credentials_(places_, command.config, command.credentials),
        given_socket_(std::move(admin_socket)),
        admin_socket_(given_socket_) {}

  Findings examine() {
    // First, because connecting to a socket of systemd would start a stopped service.
    if (command_.root.empty() && command_.config.empty()) units();
    const std::string path = command_.config.empty() ? places_.config : command_.config;
    auto settings = load_settings(path);
    if (!settings) {
      unusable_config(path, settings.error().message);
    } else {
      hidden_ = HiddenValues(*settings);
      database_ = settings->store.path;
      add(if_ours("config", path, path + " is valid"));
      roster(*settings);
      ca_file(settings->upstream.ca_file);
      credential("app_token", settings->upstream.app_token);
      credential("key", settings->store.key);
      if (admin_socket_.empty()) admin_socket_ = settings->serve.admin_socket;
      socket("token", settings->serve.token_socket);
      grants(*settings);
      listeners(*settings);
      machine(*settings);
    }
    if (!command_.file.empty()) token_file();
    if (!admin_socket_.empty()) socket("admin", admin_socket_);
    const bool is_taken = !admin_socket_.empty() && !is_stopped_ && status();
    if (settings) upstream(*settings, is_taken);
    return std::move(findings_);
  }

 private:
  void add(Finding finding) {
    finding.text = untold(std::move(finding.text));
    finding.remedy = untold(command_.community.in_its_words(std::move(finding.remedy)));
    findings_.push_back(std::move(finding));
  }

  // Somebody may have put a secret into the configuration, or on the command line (P10).
  std::string untold(std::string text) const {
    for (const std::string& path :
         {command_.config, command_.credentials, command_.root, given_socket_}) {
      const char* const argument = path.c_str();
      if (!may_be_shown(path)) text = without_secret_arguments(std::move(text), {&argument, 1});
    }
    return hidden_.hide(std::move(text));
  }

  void ca_file(const std::string& path) {
    if (path.empty()) return;
    const auto read = read_ca_file(path);
    add(read ? if_ours("ca_file", path, path + " has certificates in PEM form")
             : wrong("ca_file", read.error().message,
                     "fix it; a running rotad reads it again by itself"));
  }

  // Good if only root and the service's user, who has the database, can write to the file. Before a
  // first start there is none, and the file's owner counts.
  Finding if_ours(std::string check, const std::string& path, std::string text) const {
    struct stat owned{};
    const bool known = ::stat(database_.c_str(), &owned) == 0 || ::stat(path.c_str(), &owned) == 0;
    const auto ours = known ? check_only_ours(path, owned.st_uid) : Result<void>{};
    return ours ? good(std::move(check), std::move(text))
                : wrong(std::move(check), ours.error().message, "fix it: rotad refuses it");
  }

  void unusable_config(const std::string& path, const std::string& why) {
    struct stat found{};
    const int error = ::stat(path.c_str(), &found) == 0 ? 0 : errno;
    if (error == ENOENT) return add(wrong("config", why, "run rota setup to create one"));
    // If this user may not read it, that says nothing about the service.
    if (error == EACCES || ::access(path.c_str(), R_OK) != 0) {
      return add(note("config", path + " cannot be read by this user", "run as root"));
    }
    add(wrong("config", why, "fix it, then check: rotad --check --config " + shell_word(path)));
  }

  void roster(const Settings& settings) {
    const auto files = read_roster(settings.roster.path);
    const auto parsed =
        files ? parse_roster(*files) : Result<Roster>(std::unexpected(files.error()));
    if (!parsed && ::access(settings.roster.path.c_str(), R_OK) != 0 && errno == EACCES) {
      return add(
          note("roster", settings.roster.path + " cannot be read by this user", "run as root"));
    }
    if (!parsed) {
      return add(wrong("roster", parsed.error().message,
                       "fix it; a running rotad reads it again by itself"));
    }
    add(if_ours("roster", settings.roster.path,
                fmt::format("{} has {}", settings.roster.path, size_of(*parsed))));
    for (Finding& each : judge_reach(settings.grants, *parsed)) add(std::move(each));
  }

  void credential(const std::string& key, const SecretSource& source) {
    std::string checked;
    Finding found = credentials_.look_at(key, source, checked);
    add(checked.empty() ? std::move(found) : if_ours(found.about, checked, std::move(found.text)));
  }

  void socket(const std::string& name, const std::string& path) {
    const std::string start = "systemctl start rotad.socket rotad-admin.socket rotad.service";
    if (is_stopped_) return;
    const int error = try_to_connect(path);
    if (error == 0) return add(good("socket", fmt::format("{}: {} answers", name, path)));
    if (error == EACCES) {
      return add(note("socket", fmt::format("{}: this user may not open {}", name, path),
                      name == "admin" ? "run as root" : ""));
    }
    const std::string why = error == ENOENT ? fmt::format("there is no {}", path)
                            : error == ECONNREFUSED
                                ? fmt::format("no process listens on {}", path)
                                : fmt::format("{}: {}", path, std::strerror(error));
    add(wrong("socket", fmt::format("{}: {}", name, why),
              "systemctl start rotad.socket rotad-admin.socket rotad.service; journalctl -u rotad "
              "says why rotad is not running"));
  }

  void grants(const Settings& settings) {
    const auto resolved = resolve_grants(settings.grants);
    if (!resolved) {
      return add(wrong("grants", resolved.error().message,
                       "create that user or group, or remove the grant"));
    }
    if (!command_.client.empty()) add(asked(judge_client(command_.client, settings)));
    if (!command_.unit.empty()) {
      holder(settings, *resolved, ids_of_unit(command_.unit));
    }
    if (!command_.user.empty()) holder(settings, *resolved, user_ids(command_.user));
    if (const auto files =
            command_.file.empty() ? std::nullopt : std::optional(ids_of_unit(kFilesUnit));
        files && *files) {
      holder(settings, *resolved, *files);
    }
    if (!command_.user.empty() || !command_.unit.empty() || !command_.client.empty()) return;
    add(good("grants", fmt::format("{}; --user, --unit or --client NAME says what one gets",
                                   counted(resolved->size(), "grant", "grants"))));
  }

  void token_file() {
    const auto service = ids_of_unit(kFilesUnit);
    if (!service) {
      add(note("file", fmt::format("{}; it is looked at as if this user ran rota files",
                                   service.error().message)));
    }
    for (Finding& each : judge_token_file(places_.etc + "/files.toml", command_.file,
                                          service ? service->uid : ::geteuid())) {
      add(asked(std::move(each)));
    }
  }

  static Result<UserIds> ids_of_unit(const std::string& unit) {
    const auto shown = show_unit(unit, kUserOfUnit);
    if (!shown) return fail(ErrorKind::kIo, "systemctl does not show the state of the units");
    return unit_ids(unit, *shown);
  }

  // What a user gets, and whether it gets to the socket.
  void holder(const Settings& settings, const std::vector<Grant>& resolved,
              const Result<UserIds>& user) {
    if (!user) {
      return add(wrong("grants", user.error().message, "give the name of one of this system"));
    }
    // The owner of the admin socket is the daemon's user.
    struct stat own{};
    const bool known = ::stat(settings.serve.admin_socket.c_str(), &own) == 0;
    add(asked(judge_grants(*user, known ? own.st_uid : 0, settings.grants, resolved)));
    if (const auto way = way_to(settings.roster.path); way && user->uid != own.st_uid) {
      if (auto reader = judge_roster_reader(*user, *way)) add(*std::move(reader));
    }
    if (const auto way = way_to(settings.serve.token_socket)) {
      add(asked(judge_way(*user, *way)));
    } else {
      add(note(
          "access",
          fmt::format(
              "cannot tell whether {} can open {}: it does not exist, or this user cannot see it",
              user->name, settings.serve.token_socket)));
    }
  }

  void machine(const Settings& settings) {
    add(if_ours("database", settings.store.path,
                settings.store.path + " and its folders are rotad's own"));
    if (const auto room = room_at(settings.store.path)) {
      add(judge_disk(settings.store.path, *room));
    }
    if (auto clock = judge_clock_service(clock_is_kept())) add(*std::move(clock));
    if (auto budgets = judge_budgets(settings.upstream.base_url, running_daemons())) {
      add(*std::move(budgets));
    }
  }

  void listeners(const Settings& settings) {
    if (auto shared = judge_sign_outs(settings.grants)) add(*std::move(shared));
    if (is_stopped_) return;
    const auto is_port = [](const ListenerSettings& each) { return each.address.has_value(); };
    const bool any_port = std::ranges::any_of(settings.listeners, is_port);
    if (const auto unit = knows_units_ && any_port ? show_unit(command_.community.unit(kClientUnit))
                                                   : std::nullopt) {
      add(judge_client_unit(*unit));
    }
    for (const ListenerSettings& each : settings.listeners) {
      add(judge_listener(place_of(each), ask_without_bearer(each)));
    }
  }

  static constexpr const char* kStateOfUnit =
      "--property=LoadState,ActiveState,Result,StatusText,UnitFileState";
  static constexpr const char* kUserOfUnit =
      "--property=LoadState,User,Group,SupplementaryGroups,DynamicUser";

  // None: systemctl cannot be asked.
  static std::optional<UnitProperties> show_unit(const std::string& unit,
                                                 const char* which = kStateOfUnit) {
    const auto ran =
        run_program({"systemctl", "show", which, "--", unit}, {}, ProgramErrors::kNowhere);
    if (!ran || ran->code != 0) return std::nullopt;
    return parse_unit_properties(ran->output.reveal());
  }

  void units() {
    std::error_code error;
    if (!std::filesystem::exists("/run/systemd/system", error)) {
      return add(note("service", "systemd is not running here"));
    }
    for (const char* single : {"rotad.service", "rotad.socket", "rotad-admin.socket"}) {
      const std::string unit = command_.community.unit(single);
      const auto shown = show_unit(unit);
      if (!shown) return add(note("service", "systemctl does not show the state of the units"));
      knows_units_ = true;
      const UnitProperties& properties = *shown;
      const auto active = properties.find("ActiveState");
      const bool runs = active != properties.end() &&
                        (active->second == "active" || active->second == "reloading");
      if (single == std::string_view("rotad.service") && !runs) is_stopped_ = true;
      add(judge_unit(unit, properties));
    }
  }

  // True: the daemon gave its status, and Circle has not refused it. Whatever else is wrong with
  // its calls would be wrong with one from here.
  bool status() {
    const auto client = UnixClient::create(admin_socket_);
    const auto reply = client ? (*client)->send({Method::kGet, "/v1/status", kStatusTimeout})
                              : Result<Reply>(std::unexpected(client.error()));
    if (!reply) {
      // socket() has said what is wrong with the socket.
      add(::geteuid() == 0 ? wrong("readiness", reply.error().message, "see journalctl -u rotad")
                           : note("readiness", reply.error().message, "run as root"));
      return false;
    }
    boost::json::error_code error;
    const auto body = boost::json::parse(reply->body.reveal(), error);
    if (reply->status != 200 || error || !body.is_object()) {
      add(note("readiness", fmt::format("{} answers {}", admin_socket_, reply->status),
               "run as root"));
      return false;
    }
    std::set<std::string> seen;
    for (const Finding& each : findings_) {
      if (each.state == FindingState::kWrong) seen.insert(each.about);
    }
    for (Finding& each : judge_status(body.get_object(), seen)) add(std::move(each));
    strangers(**client, body.get_object());
    const auto* circle = object_at(body.get_object(), "upstream");
    if (circle == nullptr) return false;
    const std::string breaker = text_at(*circle, "breaker");
    return breaker != "app_token_refused" && breaker != "not_eligible";
  }

  // The names that Circle does not know, or that lead to somebody else there.
  void strangers(Transport& client, const boost::json::object& status) {
    const auto* members = object_at(status, "members");
    for (const std::string_view state : {"unknown", "mismatched"}) {
      const auto count = members == nullptr ? std::nullopt : number_at(*members, state);
      if (!count || *count == 0) continue;
      const auto reply = client.send(
          {Method::kGet, members_target(state, "", "", kStrangersShown), kStatusTimeout});
      boost::json::error_code error;
      const auto page = reply ? boost::json::parse(reply->body.reveal(), error) : nullptr;
      add(judge_strangers(state, static_cast<std::size_t>(*count), page));
    }
  }

  // `is_taken`: as status() returns it; then no call is made here. Else the token of the file may
  // be a newer one than the daemon's.
  void upstream(const Settings& settings, bool is_taken) {
    const UpstreamSettings& circle = settings.upstream;
    if (const std::string other = describe_base_url(circle.base_url); !other.empty()) {
      add(note("circle", other));
    }
    bool is_there = true;
    if (command_.check) {
      const auto now = std::chrono::floor<Duration>(std::chrono::system_clock::now());
      for (Finding& each : look_at_circle(circle, now)) {
        is_there = is_there && each.state != FindingState::kWrong;
        add(std::move(each));
      }
    }
    SecretSource source = circle.app_token;
    if (source.file.empty()) source.file = credentials_.path(source.credential);
    auto token = read_secret_file(source.file);
    if (!token) return;  // said above, or sealed
    if (is_a_members_token(*token)) {
      return add(wrong("app token", "it is the access token of a member", kWhichAppToken));
    }
    if (is_taken || !command_.check || !is_there) return;
    add(finding_of(check_app_token(circle, SecretPtr(*std::move(token)))));
  }

  const DoctorCommand& command_;
  const Places places_;
  const Credentials credentials_;
  const std::string given_socket_;  // empty: the configuration's
  std::string admin_socket_;
  bool is_stopped_ = false;   // systemd says so
  bool knows_units_ = false;  // systemd has shown them
  HiddenValues hidden_;       // of the configuration
  std::string database_;      // of the configuration
  Findings findings_;
};

}  // namespace

ExitCode run_doctor(const DoctorCommand& command, const std::string& admin_socket, bool as_json,
                    Output& output) {
  const Findings findings = Doctor(command, admin_socket).examine();
  const std::string text = as_json ? findings_json(findings)
                                   : describe_findings(findings, command.all, output.columns());
  const auto printed = output.out(!as_json && output.has_colours() ? painted(text) : text);
  if (!printed) {
    output.err(printed.error().message);
    return ExitCode::kFailed;
  }
  return all_well(findings) ? ExitCode::kDone : ExitCode::kFailed;
}

}  // namespace rota::cli
