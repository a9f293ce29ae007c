#include "cli/commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <expected>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/secret.h"
#include "base/text.h"
#include "cli/event_reader.h"
#include "cli/fields.h"
#include "cli/members_screen.h"
#include "cli/report.h"
#include "cli/status_screen.h"
#include "cli/target.h"
#include "engine/requests.h"

namespace rota::cli {
namespace {

namespace json = boost::json;

constexpr Duration kQuick{10'000};
constexpr Duration kSlack{5'000};
// The daemon sends something at least every 30 seconds.
constexpr Duration kSilenceMax{90'000};

constexpr int kOk = 200;
constexpr int kAccepted = 202;  // and not done yet

class Runner {
 public:
  Runner(bool raw, Transport& transport, Output& output, const std::function<WallTime()>& now)
      : raw_(raw), transport_(transport), output_(output), now_(now) {}

  ExitCode operator()(const TokenCommand& command) {
    // read_options() has checked the durations.
    const auto wait = parse_loose_duration(command.query.wait);
    const Duration timeout = std::min(wait ? *wait : kWaitDefault, kWaitMax) + kSlack;
    const auto reply = ask({Method::kGet, token_target(command.key, command.query), timeout});
    if (!reply) return reply.error();
    if (raw_) return print_raw(*reply);
    const auto token = token_of(reply->body);
    if (!token) return failed(token.error().message);
    return write(token->reveal(), "\n");
  }

  // The output is the same with and without --json: programs read the events.
  ExitCode operator()(const WatchCommand& command) {
    EventReader events([this](std::string_view event, std::string_view data) -> Result<void> {
      if (!data.starts_with('{'))
        return fail(ErrorKind::kCorrupt, "the stream has an event that rotad does not send");
      auto written = output_.out(fmt::format(R"({{"event":"{}",)", event));
      if (written) written = out_json(data.substr(1));
      if (written) written = output_.out("\n");
      // Not kIo, which would mean that the daemon cannot be reached.
      if (!written) written.error().kind = ErrorKind::kFull;
      return written;
    });
    const auto take = [&events](std::string_view bytes) { return events.feed(bytes); };
    auto reply = settle(transport_.stream({.method = Method::kGet,
                                           .target = watch_target(command.keys),
                                           .timeout = kSilenceMax,
                                           .while_waiting = [this] { output_.look_for_reader(); }},
                                          take));
    if (!reply) return reply.error();
    output_.err("rotad ended the watch");
    return ExitCode::kUnreachable;
  }

  ExitCode operator()(const StatusCommand& command) {
    return drawn(command.watch && !raw_, [&]() -> std::expected<std::string, ExitCode> {
      const auto reply = ask({Method::kGet, "/v1/status", kQuick});
      if (!reply) return std::unexpected(reply.error());
      const auto status = object_of(*reply);
      if (!status) return std::unexpected(failed(status.error().message));
      if (raw_) {
        if (const ExitCode printed = print_raw(*reply); printed != ExitCode::kDone) {
          return std::unexpected(printed);
        }
      }
      // An older daemon does not say whether it is ready.
      if (command.check && flag_at(*status, "ready") != true) {
        if (!raw_) static_cast<void>(print(text_of(command, *status)));
        return std::unexpected(failed("rotad is not ready"));
      }
      return raw_ ? std::string() : text_of(command, *status);
    });
  }
  ExitCode operator()(const MemberCommand& command) {
    return show(member_target(command.key, ""), describe);
  }
  ExitCode operator()(const PlanCommand&) { return show("/v1/roster/plan", describe_plan); }

  ExitCode operator()(const MembersCommand& command) {
    return drawn(command.watch && !raw_, [&] { return list_members(command); });
  }

  ExitCode operator()(const AuditCommand& command) {
    std::int64_t after = 0;
    for (bool first = true;; first = false) {
      const auto reply =
          ask({Method::kGet, audit_target(command.query, after, kAuditPage), kQuick});
      if (!reply) return reply.error();
      const auto page = object_of(*reply);
      if (!page) return failed(page.error().message);
      const json::value* entries = page->if_contains("entries");
      if (entries == nullptr || !entries->is_array())
        return failed("the reply has no list of entries");
      std::string text = first ? audit_head() : "";
      for (const json::value& entry : entries->get_array()) text += audit_line(entry);
      const ExitCode printed = raw_ ? print_raw(*reply) : print(text);
      if (printed != ExitCode::kDone) return printed;
      const json::value* next = page->if_contains("next");
      if (next == nullptr || !next->is_int64()) return ExitCode::kDone;
      // A page that leads back would repeat for ever.
      if (next->get_int64() <= after) return failed("rotad's list of audit entries does not end");
      after = next->get_int64();
    }
  }

  ExitCode operator()(const OperateCommand& command) {
    const auto reply =
        ask({Method::kPost, member_target(command.key, command.action), kOperationMax + kSlack});
    if (!reply) return reply.error();
    const auto report = object_of(*reply);
    if (!report) return failed(report.error().message);
    const auto [text, problem] = describe_operation(*report, command.action == "revoke");
    const ExitCode printed = raw_ ? print_raw(*reply) : print(text);
    if (problem.empty()) return printed;
    return failed(fmt::format("{} {}: {}", command.action, command.key.text(), problem));
  }

  // Goes on after a member that was refused. The exit code is that of the first one.
  ExitCode operator()(const EachCommand& command) {
    if (!command.name.empty() && command.keys.size() != 1) {
      output_.err("--name is for one member: give one KEY");
      return ExitCode::kUsage;
    }
    const std::string body =
        command.name.empty() ? "" : json::serialize(json::object{{"name", command.name}});
    ExitCode end = ExitCode::kDone;
    for (const MemberKey& key : command.keys) {
      const ExitCode one = carry_out(command.deed, key, body);
      if (end == ExitCode::kDone) end = one;
      if (one == ExitCode::kUnreachable) return one;
    }
    return end;
  }

  ExitCode operator()(const LiftCommand& command) {
    const auto reply = ask({Method::kPost, lift_target(command.client), kOperationMax + kSlack});
    if (!reply) return reply.error();
    const auto lifted = object_of(*reply);
    if (!lifted) return failed(lifted.error().message);
    return raw_ ? print_raw(*reply) : print(describe_lift(*lifted));
  }

  ExitCode operator()(const ReloadCommand& command) {
    const auto reply = ask({Method::kPost, reload_target(command.approve), kWaitMax + kSlack});
    if (!reply) return reply.error();
    const auto plan = object_of(*reply);
    if (!plan) return failed(plan.error().message);
    const ExitCode printed = raw_ ? print_raw(*reply) : print(describe_reload(*plan));
    const json::value* held = plan->if_contains("held");
    // Without --approve, a reload with a held plan has worked: everything else was applied.
    if (!command.approve.empty() && (held == nullptr || *held != json::value(false))) {
      return failed(fmt::format("plan {} was not approved", command.approve));
    }
    return printed;
  }

 private:
  // What `draw` returns, once or again and again.
  template <class Draw>
  ExitCode drawn(bool again, Draw draw) {
    constexpr std::chrono::seconds kEvery{2};
    constexpr std::string_view kFromTheTop = "\x1b[H\x1b[J";  // of the terminal, which is cleared
    while (true) {
      const std::expected<std::string, ExitCode> text = draw();
      if (!text) return text.error();
      if (again && output_.columns()) {
        if (const auto written = output_.out(kFromTheTop); !written) {
          return failed(written.error().message);
        }
      }
      const ExitCode printed = print(*text);
      if (!again || printed != ExitCode::kDone) return printed;
      output_.look_for_reader();
      std::this_thread::sleep_for(kEvery);
    }
  }

  std::string text_of(const StatusCommand& command, const json::object& status) const {
    return command.all ? describe_status(status) : status_screen(status, now_());
  }

  // With --json it has printed the pages, and returns no text.
  std::expected<std::string, ExitCode> list_members(const MembersCommand& command) {
    MembersFilter filter = command.filter;
    if (command.state == "retired") filter.retired = true;
    std::vector<json::object> shown;
    std::size_t hidden = 0;
    std::string after;
    while (true) {
      const auto reply =
          ask({Method::kGet, members_target(command.state, command.source, after, kMembersPage),
               kQuick});
      if (!reply) return std::unexpected(reply.error());
      auto page = object_of(*reply);
      if (!page) return std::unexpected(failed(page.error().message));
      json::value* members = page->if_contains("members");
      if (members == nullptr || !members->is_array()) {
        return std::unexpected(failed("the reply has no list of members"));
      }
      if (raw_) {
        const ExitCode printed = print_raw(*reply);
        if (printed != ExitCode::kDone) return std::unexpected(printed);
      }
      const bool is_empty = members->get_array().empty();
      for (json::value& member : members->get_array()) {
        if (!member.is_object()) continue;
        if (is_wanted(member.get_object(), filter, now_())) {
          shown.push_back(std::move(member.get_object()));
        } else {
          ++hidden;
        }
      }
      const json::value* next = page->if_contains("next");
      if (next == nullptr || !next->is_string()) break;
      const std::string_view key(next->get_string().data(), next->get_string().size());
      // A page that leads to itself, or an empty one, would repeat for ever.
      if (key == after || is_empty) {
        return std::unexpected(failed("rotad's list of members does not end"));
      }
      after = key;
    }
    if (raw_) return std::string();
    sort_members(shown, now_());
    std::string text = members_table(
        shown, {.columns = command.wide ? std::nullopt : output_.columns(), .utc = command.utc},
        now_());
    text += counted(shown.size(), "member", "members");
    if (hidden > 0) text += fmt::format("; {} not shown (--all has the retired ones, too)", hidden);
    return text + "\n";
  }

  static Request request_of(EachCommand::Deed deed, const MemberKey& key, const std::string& body) {
    switch (deed) {
      case EachCommand::Deed::kEnrol:
        return {.method = Method::kPut,
                .target = member_target(key, ""),
                .timeout = kWaitMax + kSlack,
                .body = body};
      case EachCommand::Deed::kRemove:
        return {Method::kDelete, member_target(key, ""), kOperationMax + kSlack};
      case EachCommand::Deed::kSignOut:
        return {Method::kPost, member_target(key, "sign-out"), kOperationMax + kSlack};
    }
    ROTA_CHECK(false);
  }

  ExitCode carry_out(EachCommand::Deed deed, const MemberKey& key, const std::string& body) {
    const auto reply = ask(request_of(deed, key, body), key.text() + ": ");
    if (!reply) return reply.error();
    const auto object = object_of(*reply);
    if (!object) return failed(fmt::format("{}: {}", key.text(), object.error().message));
    const OperationText end = deed == EachCommand::Deed::kEnrol
                                  ? describe_enrolment(reply->status, *object)
                                  : describe_deed(*object, deed == EachCommand::Deed::kSignOut);
    const ExitCode printed =
        raw_ ? print_raw(*reply) : print(fmt::format("{}: {}", key.text(), end.text));
    if (end.problem.empty()) return printed;
    const ExitCode said = failed(fmt::format("{}: {}", key.text(), end.problem));
    return reply->status == kAccepted && deed == EachCommand::Deed::kEnrol ? ExitCode::kNotNow
                                                                           : said;
  }

  // The reply, if the call succeeded. Otherwise the error was printed, after `about`, and this is
  // the exit code.
  std::expected<Reply, ExitCode> ask(const Request& request, std::string_view about = "") {
    return settle(transport_.send(request), about);
  }
  std::expected<Reply, ExitCode> settle(Result<Reply> reply, std::string_view about = "") {
    if (!reply) {
      output_.err(visible(reply.error().message));
      return std::unexpected(reply.error().kind == ErrorKind::kIo ? ExitCode::kUnreachable
                                                                  : ExitCode::kFailed);
    }
    if (reply->status >= kOk && reply->status <= kAccepted) return std::move(*reply);
    boost::system::error_code error;
    const json::value body = json::parse(reply->body.reveal(), error);
    if (raw_ && !error) static_cast<void>(print_raw(*reply));
    const Refusal refusal = describe_refusal(reply->status, body);
    output_.err(fmt::format("{}{}", about, refusal.message));
    return std::unexpected(refusal.exit);
  }

  static Result<json::object> object_of(const Reply& reply) {
    boost::system::error_code error;
    json::value value = json::parse(reply.body.reveal(), error);
    if (error || !value.is_object()) {
      return fail(ErrorKind::kCorrupt, "the reply is not JSON as rotad writes it");
    }
    return std::move(value.get_object());
  }

  template <class Describe>
  ExitCode show(std::string target, Describe describe_it) {
    const auto reply = ask({Method::kGet, std::move(target), kQuick});
    if (!reply) return reply.error();
    if (raw_) return print_raw(*reply);
    const auto object = object_of(*reply);
    if (!object) return failed(object.error().message);
    return print(describe_it(*object));
  }

  ExitCode print_raw(const Reply& reply) {
    const std::string_view body = reply.body.reveal();
    auto written = out_json(body);
    if (written && !body.ends_with('\n')) written = output_.out("\n");
    return written ? ExitCode::kDone : failed(written.error().message);
  }
  // Escapes what could control a terminal. For a program that reads the JSON nothing changes.
  Result<void> out_json(std::string_view json) {
    std::string text = visible_json(json);
    auto written = output_.out(text);
    wipe(text);
    return written;
  }
  // Made visible(), because others wrote members' names and Circle's words.
  ExitCode print(std::string_view text) { return write(visible(text, "\n")); }
  ExitCode write(std::string_view text, std::string_view end = "") {
    auto written = output_.out(text);
    if (written) written = output_.out(end);
    return written ? ExitCode::kDone : failed(written.error().message);
  }
  ExitCode failed(std::string_view why) {
    output_.err(why);
    return ExitCode::kFailed;
  }

  const bool raw_;  // --json
  Transport& transport_;
  Output& output_;
  const std::function<WallTime()>& now_;
};

}  // namespace

ExitCode run(const Options& options, Transport& transport, Output& output,
             const std::function<WallTime()>& now) {
  return std::visit(Runner(options.json, transport, output, now), options.command);
}

}  // namespace rota::cli
