#include "cli/doctor.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "auth/ca_file.h"
#include "base/secret_arguments.h"
#include "base/text.h"
#include "cli/app_token_check.h"
#include "cli/client.h"
#include "cli/doctor_access.h"
#include "cli/doctor_listeners.h"
#include "cli/doctor_status.h"
#include "cli/findings.h"
#include "cli/program.h"
#include "cli/setup_files.h"
#include "settings/accounts.h"
#include "settings/hidden_values.h"
#include "settings/own_path.h"
#include "settings/roster_file.h"
#include "settings/secret_files.h"
#include "settings/settings.h"

namespace rota::cli {
namespace {

constexpr mode_t kModeBits = 07777;
constexpr mode_t kOthersBits = S_IRWXG | S_IRWXO;
constexpr Duration kStatusTimeout{5'000};

std::string group_name(gid_t gid) {
  constexpr std::size_t kEntryBytes = std::size_t{64} << 10U;
  std::string buffer(kEntryBytes, '\0');
  group entry{};
  group* found = nullptr;
  ::getgrgid_r(gid, &entry, buffer.data(), buffer.size(), &found);
  return found == nullptr ? fmt::to_string(gid) : std::string(found->gr_name);
}

Result<UserIds> user_ids(const std::string& name) {
  ROTA_ASSIGN(const std::uint32_t uid, find_user(name));
  UserIds user{.name = name, .uid = uid, .groups = {}};
  constexpr std::size_t kEntryBytes = std::size_t{64} << 10U;
  std::string buffer(kEntryBytes, '\0');
  passwd entry{};
  passwd* found = nullptr;
  ::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found);
  if (found == nullptr) return user;  // a number without an account has no groups on record
  user.name = found->pw_name;         // where a number was given
  constexpr int kGroupsMax = 65'536;
  std::vector<gid_t> groups(kGroupsMax);
  int count = kGroupsMax;
  if (::getgrouplist(found->pw_name, found->pw_gid, groups.data(), &count) < 0) count = kGroupsMax;
  user.groups.assign(groups.begin(), groups.begin() + count);
  return user;
}

// The steps from the root to `path`. None: one does not exist, or this user may not see it.
std::optional<std::vector<PathStep>> way_to(const std::string& path) {
  std::vector<PathStep> way;
  std::filesystem::path at;
  for (const auto& part : std::filesystem::absolute(path).lexically_normal()) {
    at /= part;
    struct stat found{};
    if (::stat(at.c_str(), &found) != 0) return std::nullopt;
    way.push_back({.path = at.string(),
                   .uid = found.st_uid,
                   .gid = found.st_gid,
                   .group = group_name(found.st_gid),
                   .mode = found.st_mode & kModeBits});
  }
  return way;
}

class Doctor {
 public:
  Doctor(const DoctorCommand& command, std::string admin_socket)
      : command_(command),
        places_(command.root),
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
    }
    if (!admin_socket_.empty()) socket("admin", admin_socket_);
    const bool told = !admin_socket_.empty() && !is_stopped_ && status();
    if (settings) upstream(*settings, told);
    return std::move(findings_);
  }

 private:
  void add(Finding finding) {
    finding.text = untold(std::move(finding.text));
    finding.remedy = untold(std::move(finding.remedy));
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

  // Good if only root and the service's user, who has the database, can write to the file.
  Finding if_ours(std::string check, const std::string& path, std::string text) const {
    struct stat database{};
    const bool known = ::stat(database_.c_str(), &database) == 0;
    const auto ours = known ? check_only_ours(path, database.st_uid) : Result<void>{};
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
  }

  // Does not repeat a value that may be the secret itself.
  static std::string shown(const SecretSource& source, const std::string& path,
                           std::string_view key) {
    return may_be_shown(source) ? path : what_names(source, key);
  }

  // Whether the command line says where the credentials are: by --credentials, or by a --config of
  // another place.
  bool is_told_where() const {
    if (!command_.credentials.empty()) return true;
    return !command_.config.empty() &&
           std::filesystem::absolute(command_.config).lexically_normal() != places_.config;
  }
  std::string credential_path(const std::string& name) const {
    if (!is_told_where()) return places_.credential(name, false);
    if (!command_.credentials.empty()) return fmt::format("{}/{}", command_.credentials, name);
    const auto folder = std::filesystem::absolute(command_.config).lexically_normal();
    return folder.parent_path() / "credentials" / name;
  }

  // Looks for a systemd credential where rota setup and the installed unit have it.
  void credential(const std::string& key, const SecretSource& source) {
    std::string path = source.file;
    if (path.empty() && is_told_where()) {
      path = credential_path(source.credential);
    } else if (path.empty()) {
      const std::string sealed = places_.credential(source.credential, true);
      const bool is_sealed = exists(places_.drop_in);
      path = is_sealed ? sealed : credential_path(source.credential);
      if (!is_sealed && !exists(path) && exists(sealed)) {
        return add(wrong("credential",
                         fmt::format("{} exists, but {} does not, so systemd does not decrypt it",
                                     sealed, places_.drop_in),
                         "rota setup --encrypted"));
      }
    }
    struct stat found{};
    if (::stat(path.c_str(), &found) != 0) {
      if (errno == EACCES) {
        return add(note("credential", shown(source, path, key) + " cannot be accessed by this user",
                        "run as root"));
      }
      const int error = errno;
      const bool elsewhere = source.file.empty() && is_told_where();
      return add(
          wrong("credential", fmt::format("{}: {}", shown(source, path, key), std::strerror(error)),
                elsewhere      ? "if it is somewhere else: rota doctor --credentials DIR"
                : key == "key" ? "restore the store key; rota setup creates one for a new database"
                               : "run rota setup: it asks for the app token"));
    }
    if ((found.st_mode & kOthersBits) != 0) {
      return add(wrong(
          "credential",
          fmt::format("{} can be read by others (mode {:04o})", path, found.st_mode & kModeBits),
          fmt::format("chmod 600 {}; whoever has read it knows the secret", shell_word(path))));
    }
    if (found.st_size == 0) return add(wrong("credential", path + " is empty", "rota setup"));
    add(good("credential", fmt::format("{} (mode {:04o})", path, found.st_mode & kModeBits)));
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
    if (command_.user.empty()) {
      return add(good("grants", fmt::format("{}; --user NAME shows what a user gets",
                                            counted(resolved->size(), "grant", "grants"))));
    }
    const auto user = user_ids(command_.user);
    if (!user)
      return add(wrong("grants", user.error().message, "give the name of a user of this system"));
    // The owner of the admin socket is the daemon's user.
    struct stat own{};
    const bool known = ::stat(settings.serve.admin_socket.c_str(), &own) == 0;
    add(judge_grants(*user, known ? own.st_uid : 0, settings.grants, *resolved));
    if (const auto way = way_to(settings.roster.path); way && user->uid != own.st_uid) {
      if (auto reader = judge_roster_reader(*user, *way)) add(*std::move(reader));
    }
    if (const auto way = way_to(settings.serve.token_socket)) {
      add(judge_way(*user, *way));
    } else {
      add(note(
          "access",
          fmt::format(
              "cannot tell whether {} can open {}: it does not exist, or this user cannot see it",
              command_.user, settings.serve.token_socket)));
    }
  }

  void listeners(const Settings& settings) {
    if (auto shared = judge_sign_outs(settings.grants)) add(*std::move(shared));
    if (is_stopped_) return;
    const auto is_port = [](const ListenerSettings& each) { return each.address.has_value(); };
    const bool any_port = std::ranges::any_of(settings.listeners, is_port);
    if (const auto unit = knows_units_ && any_port ? show(kClientUnit) : std::nullopt) {
      add(judge_client_unit(*unit));
    }
    for (const ListenerSettings& each : settings.listeners) {
      add(judge_listener(place_of(each), ask_without_bearer(each)));
    }
  }

  static std::optional<UnitProperties> show(const char* unit) {
    const auto ran =
        run_program({"systemctl", "show",
                     "--property=LoadState,ActiveState,Result,StatusText,UnitFileState", unit},
                    {}, ProgramErrors::kNowhere);
    if (!ran || ran->code != 0) return std::nullopt;
    return parse_unit_properties(ran->output.reveal());
  }

  void units() {
    std::error_code error;
    if (!std::filesystem::exists("/run/systemd/system", error)) {
      return add(note("service", "systemd is not running here"));
    }
    for (const char* unit : {"rotad.service", "rotad.socket", "rotad-admin.socket"}) {
      const auto shown = show(unit);
      if (!shown) return add(note("service", "systemctl does not show the state of the units"));
      knows_units_ = true;
      const UnitProperties& properties = *shown;
      const auto active = properties.find("ActiveState");
      const bool runs = active != properties.end() &&
                        (active->second == "active" || active->second == "reloading");
      if (unit == std::string_view("rotad.service") && !runs) is_stopped_ = true;
      add(judge_unit(unit, properties));
    }
  }

  // True: the daemon gave its status.
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
    for (Finding& each : judge_status(body.get_object())) add(std::move(each));
    return true;
  }

  // `told`: the daemon gave its status, which shows whether calls work, so no call is made here.
  void upstream(const Settings& settings, bool told) {
    const UpstreamSettings& circle = settings.upstream;
    if (const std::string other = describe_base_url(circle.base_url); !other.empty()) {
      add(note("circle", other));
    }
    if (told || !command_.check) return;
    SecretSource source = circle.app_token;
    if (source.file.empty()) source.file = credential_path(source.credential);
    auto token = read_secret_file(source.file);
    if (!token) return;  // said above, or sealed
    add(finding_of(check_app_token(circle, std::make_shared<const Secret>(*std::move(token)))));
  }

  const DoctorCommand& command_;
  const Places places_;
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
  const auto printed = output.out(as_json ? findings_json(findings) : describe_findings(findings));
  if (!printed) {
    output.err(printed.error().message);
    return ExitCode::kFailed;
  }
  return all_well(findings) ? ExitCode::kDone : ExitCode::kFailed;
}

}  // namespace rota::cli
