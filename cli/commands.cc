#include "cli/commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/secret.h"
#include "base/text.h"
#include "cli/asker.h"
#include "cli/audit_screen.h"
#include "cli/backup_copy.h"
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

constexpr Duration kSlack{5'000};
// A gigabyte takes about ten seconds on a slow disk.
constexpr Duration kBackupMax = std::chrono::minutes{10};
constexpr std::string_view kGoesOn = "rotad goes on with it, until Circle has acknowledged it";
// The daemon sends something at least every 30 seconds.
constexpr Duration kSilenceMax{90'000};

class Runner : private Asker {
 public:
  Runner(const Options& options, Transport& transport, Output& output, Console& console,
         const std::function<WallTime()>& now)
      : Asker(options.json, transport, output),
        community_(options.community),
        console_(console),
        now_(now) {}

  ExitCode operator()(const TokenCommand& command) {
    // read_options() has checked the durations.
    const auto wait = parse_loose_duration(command.query.wait);
    const Duration timeout = std::min(wait ? *wait : kWaitDefault, kWaitMax) + kSlack;
    const auto reply = ask({Method::kGet, token_target(command.key, command.query), timeout});
    if (!reply) return reply.error();
    if (is_raw()) return print_raw(*reply);
    const auto token = token_of(reply->body);
    if (!token) return failed(token.error().message);
    return write(token->reveal(), "\n");
  }

  // The output is the same with and without --json: programs read the events.
  ExitCode operator()(const WatchCommand& command) {
    EventReader events([this](std::string_view event, std::string_view data) -> Result<void> {
      if (!data.starts_with('{'))
        return fail(ErrorKind::kCorrupt, "the stream has an event that rotad does not send");
      auto written = output().out(fmt::format(R"({{"event":"{}",)", event));
      if (written) written = out_json(data.substr(1));
      if (written) written = output().out("\n");
      // Not kIo, which would mean that the daemon cannot be reached.
      if (!written) written.error().kind = ErrorKind::kFull;
      return written;
    });
    const auto take = [&events](std::string_view bytes) { return events.feed(bytes); };
    auto reply =
        settle(transport().stream({.method = Method::kGet,
                                   .target = watch_target(command.keys),
                                   .timeout = kSilenceMax,
                                   .while_waiting = [this] { output().look_for_reader(); }},
                                  take));
    if (!reply) return reply.error();
    output().err("rotad ended the watch");
    return ExitCode::kUnreachable;
  }

  ExitCode operator()(const StatusCommand& command) {
    return drawn(command.watch && !is_raw(), [&]() -> std::expected<std::string, ExitCode> {
      const auto reply = ask({Method::kGet, "/v1/status", kQuick});
      if (!reply) return std::unexpected(reply.error());
      const auto status = object_of(*reply);
      if (!status) return std::unexpected(failed(status.error().message));
      if (is_raw()) {
        if (const ExitCode printed = print_raw(*reply); printed != ExitCode::kDone) {
          return std::unexpected(printed);
        }
      }
      // An older daemon does not say whether it is ready.
      if (command.check && flag_at(*status, "ready") != true) {
        if (!is_raw()) static_cast<void>(print_painted(text_of(command, *status)));
        return std::unexpected(failed("rotad is not ready"));
      }
      return is_raw() ? std::string() : text_of(command, *status);
    });
  }
  ExitCode operator()(const MemberCommand& command) {
    return show(member_target(command.key, ""), describe);
  }
  ExitCode operator()(const PlanCommand& command) {
    return run_plan(command, is_raw(), transport(), output(), now_);
  }

  ExitCode operator()(const MembersCommand& command) {
    return drawn(command.watch && !is_raw(), [&] { return list_members(command); });
  }

  ExitCode operator()(const AuditCommand& command) {
    bool first = true;
    return each_page(
        std::int64_t{0}, "entries",
        [&](std::int64_t after) { return audit_target(command.query, after, kAuditPage); },
        [&](json::array& entries) {
          std::string text = std::exchange(first, false) ? audit_head_of(command) : "";
          for (const json::value& entry : entries) text += audit_line_of(command, entry);
          return print(text);
        });
  }

  ExitCode operator()(const EventsCommand& command) {
    return run_events(command, is_raw(), transport(), output(), now_);
  }

  // Says nothing of failures: somebody types, and waits for the next letter.
  ExitCode operator()(const CompleteKeysCommand& command) {
    constexpr Duration kAtOnce{80};
    std::vector<std::string> keys;
    // The first page, and the one behind what was typed, if that is a key already.
    for (const std::string& after : {std::string(), command.prefix}) {
      if (!after.empty() && !MemberKey::parse(after)) break;
      const auto reply =
          transport().send({Method::kGet, members_target("", "", after, kMembersPage), kAtOnce});
      const auto page = reply ? object_of(*reply) : fail(ErrorKind::kIo, "");
      const json::array* members = page ? array_at(*page, "members") : nullptr;
      if (members == nullptr) break;
      for (const json::value& member : *members) {
        if (member.is_object()) keys.push_back(text_at(member.get_object(), "key"));
      }
    }
    std::ranges::sort(keys, NaturalLess{});
    keys.erase(std::ranges::unique(keys).begin(), keys.end());
    return print(keys_with(keys, command.prefix));
  }

  // Asks again until nothing is alive: each reply comes after half a minute at the latest.
  ExitCode operator()(const RevokeAllCommand& command) {
    constexpr std::string_view kWords = "revoke all";
    if (!command.yes) {
      if (!console_.is_there()) {
        output().err("there is nobody to ask: say --yes");
        return ExitCode::kUsage;
      }
      const auto said = console_.ask(
          fmt::format("All tokens of all members die, and no member gets another one until it is "
                      "reinstated.\nTo do that, type \"{}\": ",
                      kWords));
      if (!said) return failed(said.error().message);
      if (*said != kWords) return failed("nothing was revoked");
    }
    while (true) {
      const auto reply = ask_long({Method::kPost, "/v1/revoke-all", kOperationMax + kSlack},
                                  "waiting for Circle to revoke all tokens", kGoesOn);
      if (!reply) return reply.error();
      const auto report = object_of(*reply);
      if (!report) return failed(report.error().message);
      if (flag_at(*report, "done") == true) {
        return is_raw() ? print_raw(*reply) : print("all tokens of all members are dead\n");
      }
      output().look_for_reader();
      output().err(fmt::format("{}; rotad goes on with it, even if this command is ended",
                               text_at(*report, "detail")));
    }
  }

  ExitCode operator()(const BackupCommand& command) {
    const auto reply = ask({Method::kPost, "/v1/backup", kBackupMax});
    if (!reply) return reply.error();
    const auto made = object_of(*reply);
    if (!made) return failed(made.error().message);
    const std::int64_t bytes = number_at(*made, "bytes").value_or(0);
    if (const auto taken =
            take_backup(text_at(*made, "path"), static_cast<std::uint64_t>(bytes), command.file);
        !taken) {
      return failed(taken.error().message);
    }
    return is_raw() ? print_raw(*reply) : print(describe_backup(*made));
  }

  ExitCode operator()(const OperateCommand& command) {
    const auto reply = ask_long(
        {Method::kPost, member_target(command.key, command.action), kOperationMax + kSlack},
        fmt::format("waiting for Circle: {} {}", command.action, command.key.text()),
        command.action == "revoke" ? kGoesOn : "rotad goes on with it");
    if (!reply) return reply.error();
    const auto report = object_of(*reply);
    if (!report) return failed(report.error().message);
    const auto [text, problem] = describe_operation(*report, command.action == "revoke");
    const ExitCode printed = is_raw() ? print_raw(*reply) : print(text);
    if (problem.empty()) return printed;
    return failed(fmt::format("{} {}: {}", command.action, command.key.text(), problem));
  }

  // Goes on after a member that was refused. The exit code is that of the first one.
  ExitCode operator()(const EachCommand& command) {
    if (!command.name.empty() && command.keys.size() != 1) {
      output().err("--name is for one member: give one KEY");
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
    return is_raw() ? print_raw(*reply) : print(describe_lift(*lifted));
  }

  ExitCode operator()(const ReloadCommand& command) {
    const auto reply =
        ask_long({Method::kPost, reload_target(command.approve), kWaitMax + kSlack},
                 "waiting until the roster is in force",
                 "rotad goes on reading it; rota status shows whether it is in force");
    if (!reply) return reply.error();
    const auto plan = object_of(*reply);
    if (!plan) return failed(plan.error().message);
    const ExitCode printed =
        is_raw() ? print_raw(*reply)
                 : print(community_.in_its_words(describe_reload(*plan, output().columns())));
    const json::value* held = plan->if_contains("held");
    // Without --approve, a reload with a held plan has worked: everything else was applied.
    if (!command.approve.empty() && (held == nullptr || *held != json::value(false))) {
      return failed(fmt::format("plan {} was not approved", command.approve));
    }
    return printed;
  }

 private:
  template <class Describe>
  ExitCode show(std::string target, Describe describe_it) {
    const auto reply = ask({Method::kGet, std::move(target), kQuick});
    if (!reply) return reply.error();
    if (is_raw()) return print_raw(*reply);
    const auto object = object_of(*reply);
    if (!object) return failed(object.error().message);
    return print(describe_it(*object));
  }

  std::string audit_head_of(const AuditCommand& command) const {
    return command.wide ? audit_head() : audit_screen_head(columns());
  }
  std::string audit_line_of(const AuditCommand& command, const json::value& entry) const {
    if (command.wide || !entry.is_object()) return audit_line(entry);
    return audit_screen_line(entry.get_object(), columns(), now_(), user_name);
  }
  std::size_t columns() const { return output().columns().value_or(kScreenColumns); }

  // What `draw` returns, once or again and again.
  template <class Draw>
  ExitCode drawn(bool again, Draw draw) {
    constexpr std::chrono::seconds kEvery{2};
    constexpr std::string_view kFromTheTop = "\x1b[H\x1b[J";  // of the terminal, which is cleared
    while (true) {
      const std::expected<std::string, ExitCode> text = draw();
      if (!text) return text.error();
      if (again && output().columns()) {
        if (const auto written = output().out(kFromTheTop); !written) {
          return failed(written.error().message);
        }
      }
      const ExitCode printed = print_painted(*text);
      if (!again || printed != ExitCode::kDone) return printed;
      output().look_for_reader();
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
    std::size_t others = 0;
    std::size_t retired = 0;  // of the others
    const ExitCode listed = each_page(
        std::string(), "members",
        [&](const std::string& after) {
          return members_target(command.state, command.source, after, kMembersPage);
        },
        [&](json::array& members) {
          for (json::value& member : members) {
            if (!member.is_object()) continue;
            if (is_wanted(member.get_object(), filter, now_())) {
              shown.push_back(std::move(member.get_object()));
            } else {
              ++others;
              if (text_at(member.get_object(), "state") == "retired") ++retired;
            }
          }
          return ExitCode::kDone;
        });
    if (listed != ExitCode::kDone) return std::unexpected(listed);
    if (is_raw()) return std::string();
    sort_members(shown, now_());
    std::string text = members_table(
        shown, {.columns = command.wide ? std::nullopt : output().columns(), .utc = command.utc},
        now_());
    text += others == 0 ? counted(shown.size(), "member", "members")
                        : fmt::format("{} of {} members", shown.size(), shown.size() + others);
    if (!filter.retired && retired > 0) {
      text += fmt::format("; {} retired: --all shows {}", retired, retired == 1 ? "it" : "them");
    }
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
    const auto reply =
        ask_long(request_of(deed, key, body), "waiting for Circle: " + key.text(),
                 key.text() + ": rotad goes on with it; the keys behind it were not asked for",
                 key.text() + ": ");
    if (!reply) return reply.error();
    const auto object = object_of(*reply);
    if (!object) return failed(fmt::format("{}: {}", key.text(), object.error().message));
    const OperationText end = deed == EachCommand::Deed::kEnrol
                                  ? describe_enrolment(reply->status, *object)
                                  : describe_deed(*object, deed == EachCommand::Deed::kSignOut);
    const ExitCode printed =
        is_raw() ? print_raw(*reply) : print(fmt::format("{}: {}", key.text(), end.text));
    if (end.problem.empty()) return printed;
    const ExitCode said = failed(fmt::format("{}: {}", key.text(), end.problem));
    return reply->status == kAccepted && deed == EachCommand::Deed::kEnrol ? ExitCode::kNotNow
                                                                           : said;
  }

  const Community& community_;
  Console& console_;
  const std::function<WallTime()>& now_;
};

}  // namespace

ExitCode run(const Options& options, Transport& transport, Output& output, Console& console,
             const std::function<WallTime()>& now) {
  return std::visit(Runner(options, transport, output, console, now), options.command);
}

}  // namespace rota::cli
