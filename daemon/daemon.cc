#include "daemon/daemon.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <future>
#include <iterator>
#include <random>
#include <utility>

#include "daemon/own_path.h"
#include "daemon/parts.h"
#include "daemon/system_clock.h"
#include "daemon/version.h"
#include "report/metrics.h"
#include "report/report.h"
#include "settings/accounts.h"

namespace rota {
namespace {

constexpr mode_t kAdminSocketMode = S_IRUSR | S_IWUSR;
constexpr Duration kAgainMin{1'000};
constexpr Duration kAgainMax{30'000};
// A reload's, a change's, a plan's and the watch's; and one look-up of the names of grants at a
// time.
constexpr std::size_t kFileJobsMax = 16;
constexpr std::size_t kNameJobsMax = 4;
// How long a start waits for the system's name services, such as a directory that is not up yet.
constexpr Duration kNamesAtStartMax{5'000};

Grantees grantees_at_start(Worker& names, const std::vector<GrantSettings>& grants) {
  auto answer = std::make_shared<std::promise<Grantees>>();
  auto found = answer->get_future();
  names.post([answer, grants] { answer->set_value(find_grantees(grants)); });
  if (found.wait_for(kNamesAtStartMax) == std::future_status::ready) return found.get();
  return known_grantees(grants, {});
}

const HeldGrant* wrong_one(const Grantees& grantees) {
  const auto wrong = std::ranges::find_if(grantees.held, &HeldGrant::is_wrong);
  return wrong == grantees.held.end() ? nullptr : &*wrong;
}

Result<std::optional<gid_t>> group_id(const std::string& name) {
  if (name.empty()) return std::optional<gid_t>{};
  auto id = find_group(name);
  if (id) return std::optional<gid_t>{*id};
  return fail(id.error().kind, "[serve] token_socket_group: " + id.error().message);
}

// As far as it can be told.
std::uint64_t database_bytes(const std::string& path) {
  std::uint64_t bytes = 0;
  for (const std::string& file : {path, path + "-wal"}) {
    std::error_code missing;
    const auto size = std::filesystem::file_size(file, missing);
    if (!missing) bytes += size;
  }
  return bytes;
}

// Every name of the member that this one leads to, since an entry has the one of its time.
std::vector<std::string> names_of(const Engine& engine, const std::string& key) {
  std::vector<std::string> names{key};
  const MemberSlot* slot = engine.find(key);
  if (slot == nullptr) return names;
  for (const Selector& selector : slot->record.selectors) names.push_back(selector.key.text());
  if (slot->record.community_member_id) {
    names.push_back(fmt::format("id:{}", *slot->record.community_member_id));
  }
  return names;
}

}  // namespace

Result<std::unique_ptr<Daemon>> Daemon::create(Context context, Settings settings) {
  ROTA_TRY(check_only_ours(context.config_path));
  auto names = std::make_unique<Worker>(kNameJobsMax, context.loop.get_executor());
  Grantees grantees = grantees_at_start(*names, settings.grants);
  if (const HeldGrant* wrong = wrong_one(grantees)) return fail(ErrorKind::kConfig, wrong->why);
  ROTA_ASSIGN(SecretPtr app_token, read_app_token(settings));
  ROTA_ASSIGN(auto client,
              HeadlessAuthClient::create(context.loop.get_executor(),
                                         {.base_url = settings.upstream.base_url,
                                          .app_token = app_token,
                                          .connect_timeout = settings.upstream.connect_timeout,
                                          .request_timeout = settings.upstream.request_timeout,
                                          .ca_file = settings.upstream.ca_file,
                                          .connections_max = settings.policy.max_in_flight}));
  context.manager.starting("Loading the database",
                           load_time_max(database_bytes(settings.store.path)));
  ROTA_ASSIGN(auto store, open_store(settings));
  auto daemon = std::unique_ptr<Daemon>(
      new Daemon(std::move(context), {.settings = std::move(settings),
                                      .grantees = std::move(grantees),
                                      .names = std::move(names),
                                      .client = std::move(client),
                                      .app_token = fingerprint_of(app_token->reveal())}));
  Rotator::Parts parts{
      .executor = daemon->context_.loop.get_executor(),
      .clock = daemon->context_.clock,
      .store = std::move(store),
      .call = [auth = daemon->client_.get()](
                  AuthRequest request) { return auth->call(std::move(request)); },
      .tell = [&log = daemon->context_.log](const Notice& n) { log.tell(n); },
      .seed = (std::uint64_t{std::random_device{}()} << 32U) | std::random_device{}(),
      .boot = this_boot(),
      .audit = daemon->settings_.audit};
  ROTA_ASSIGN(daemon->rotator_, Rotator::create(std::move(parts), daemon->settings_.policy));
  return daemon;
}

Daemon::Daemon(Context context, Start start)
    : context_(std::move(context)),
      grants_(::geteuid(), start.grantees.grants),
      access_(grants_.policy()),
      names_again_(context_.loop),
      settings_(std::move(start.settings)),
      app_token_(start.app_token),
      connection_log_(context_.clock,
                      [&log = context_.log](Severity severity, std::string_view text) {
                        log.say(severity, "connection", text);
                      }),
      client_(std::move(start.client)),
      metrics_again_(context_.loop),
      signals_(context_.loop),
      informing_(context_.loop),
      going_live_(context_.loop),
      looking_(context_.loop),
      stop_limit_(context_.loop),
      names_(std::move(start.names)),
      files_(kFileJobsMax, context_.loop.get_executor()) {
  take_names(std::move(start.grantees));
}

Daemon::~Daemon() = default;

Result<void> Daemon::open_sockets() {
  ROTA_ASSIGN(InheritedSockets inherited, inherited_sockets());
  const std::size_t limit = raise_descriptor_limit();
  ROTA_ASSIGN(descriptors_,
              share_descriptors(limit, settings_.serve, settings_.policy.max_in_flight));
  if (descriptors_.token_clients < settings_.serve.max_connections) {
    context_.log.say(
        Severity::kWarning, "connection",
        fmt::format("max_connections = {} does not fit into {} open files "
                    "(LimitNOFILE=, ulimit -n): it is {}",
                    settings_.serve.max_connections, limit, descriptors_.token_clients));
  }
  ServerOptions token;
  token.max_connections = descriptors_.token_clients;
  token.max_connections_per_uid = settings_.serve.max_connections_per_uid;
  token.descriptors_end = descriptors_.clients_end;
  ServerOptions admin;
  admin.max_connections = admin.max_connections_per_uid = kAdminConnectionsMax;
  admin.descriptors_end = descriptors_.admin_end;
  std::optional<gid_t> group;  // of a file that we make; an inherited socket has its own
  if (!inherited.token) {
    ROTA_ASSIGN(group, group_id(settings_.serve.token_socket_group));
  }
  ROTA_ASSIGN(token_server_,
              open_server(std::move(inherited.token), settings_.serve.token_socket,
                          settings_.serve.token_socket_mode, group, *token_frontend_, token));
  ROTA_ASSIGN(admin_server_, open_server(std::move(inherited.admin), settings_.serve.admin_socket,
                                         kAdminSocketMode, std::nullopt, *admin_frontend_, admin));
  return {};
}

Result<std::unique_ptr<Server>> Daemon::open_server(std::unique_ptr<ListenSocket> inherited,
                                                    const std::string& path, mode_t mode,
                                                    std::optional<gid_t> group,
                                                    const Frontend& frontend,
                                                    const ServerOptions& options) {
  auto listen = std::move(inherited);
  if (!listen) {
    ROTA_ASSIGN(listen, ListenSocket::bind(path, mode, group));
  }
  return Server::create(context_.loop, std::move(listen), frontend, context_.clock, connection_log_,
                        options);
}

// No reason to end, nor to keep tokens from anybody: another program may have the port for a while,
// and a network's address may not be up yet.
void Daemon::open_metrics() {
  if (!settings_.serve.metrics_listen || stopping_) return;
  const auto opened = try_metrics();
  if (opened) {
    if (!std::exchange(metrics_problem_, {}).empty()) {
      context_.log.say(Severity::kInfo, "metrics", "metrics_listen is there now");
    }
    if (live_) metrics_server_->start();
    return;
  }
  if (metrics_problem_ != opened.error().message) {
    metrics_problem_ = opened.error().message;
    context_.log.say(Severity::kWarning, "metrics",
                     fmt::format("{}; it is tried again", metrics_problem_));
  }
  metrics_pause_ = std::clamp(2 * metrics_pause_, kAgainMin, kAgainMax);
  metrics_again_.expires_after(metrics_pause_);
  metrics_again_.async_wait([this](const boost::system::error_code& error) {
    if (!error) open_metrics();
  });
}

Result<void> Daemon::try_metrics() {
  const auto& address = settings_.serve.metrics_listen;
  auto listen = ListenSocket::bind_tcp(address->host, address->port);
  if (!listen) {
    return fail(listen.error().kind, "[serve] metrics_listen: " + listen.error().message);
  }
  // All of TCP is one peer.
  ServerOptions options;
  options.max_connections = kMetricsConnectionsMax;
  options.max_connections_per_uid = kMetricsConnectionsMax;
  options.descriptors_end = descriptors_.clients_end;
  ROTA_ASSIGN(metrics_server_, Server::create(context_.loop, *std::move(listen), *metrics_frontend_,
                                              context_.clock, connection_log_, options));
  return {};
}

Health Daemon::health() const {
  Health health = health_of(rotator_->engine(), readings_.standing(), rotator_->now());
  health.refused_in_all = connection_log_.refused(ConnectionLimit::kTotal);
  health.audit = rotator_->audit_trail().health();
  health.database_problem = context_.hidden.hide(rotator_->database_problem());
  health.socket_problem = context_.hidden.hide(socket_problem_);
  health.refused_of_uid = connection_log_.refused(ConnectionLimit::kPerUid);
  health.log_lines_dropped = context_.log.dropped();
  health.metrics_problem = metrics_problem_;
  health.refused_by_rate = connection_log_.refused(ConnectionLimit::kRate);
  return health;
}

Readiness Daemon::readiness() const {
  const auto reasons = unready_reasons(health());
  return {.ready = reasons.empty(), .json = readiness_json(reasons)};
}

std::string Daemon::metrics() const { return metrics_text(health(), kVersion); }

std::string Daemon::status_json() const {
  return rota::status_json(rotator_->engine(), rotator_->now(), kVersion,
                           unready_reasons(health()));
}

Result<std::string> Daemon::members_json(std::string_view state, std::string_view after,
                                         std::size_t limit) const {
  return rota::members_json(rotator_->engine(), rotator_->now(), state, after, limit);
}

bool Daemon::knows(std::string_view key) const { return rotator_->engine().find(key) != nullptr; }

std::optional<std::string> Daemon::member_json(std::string_view key) const {
  return rota::member_json(rotator_->engine(), rotator_->now(), key);
}

void Daemon::note(AuditEvent event, std::string detail) {
  rotator_->audit_trail().note({.event = event, .detail = context_.hidden.hide(std::move(detail))},
                               {});
}

void Daemon::note_asked(AuditEvent event, std::string_view member, std::string detail,
                        const AuditCaller& caller) {
  const MemberSlot* slot = rotator_->engine().find(member);
  const MemberId id = slot == nullptr ? MemberId{} : slot->record.id;
  rotator_->audit_trail().note(
      {.event = event, .member = id, .caller = caller, .detail = std::move(detail)},
      std::string(member));
}

void Daemon::audit(AuditRequest request, std::move_only_function<void(Result<std::string>)> done) {
  AuditQuery query{.after = request.after, .limit = request.limit, .token = request.token};
  if (const auto* time = std::get_if<WallTime>(&request.since)) query.since = *time;
  if (const auto* ago = std::get_if<Duration>(&request.since)) {
    query.since = context_.clock.now().wall - *ago;
  }
  for (const std::string& member : request.members) {
    std::ranges::move(names_of(rotator_->engine(), member), std::back_inserter(query.members));
  }
  rotator_->audit_trail().read(std::move(query),
                               [done = std::move(done)](const Result<AuditPage>& page) mutable {
                                 if (page) return done(audit_json(*page));
                                 done(std::unexpected(page.error()));
                               });
}

void Daemon::operate(std::string_view key, OperatorAction action,
                     std::move_only_function<void(Result<OperatorReport>)> done) {
  rotator_->operate(key, action, std::move(done));
}

void Daemon::revoke_all(std::move_only_function<void(Result<OperatorReport>)> done) {
  rotator_->revoke_all(std::move(done));
}

}  // namespace rota
