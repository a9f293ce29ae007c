#include "cli/events_command.h"

#include <boost/json.hpp>
#include <chrono>
#include <cstdint>
#include <thread>
#include <utility>

#include "cli/asker.h"
#include "cli/events_screen.h"
#include "cli/fields.h"
#include "cli/target.h"

namespace rota::cli {
namespace {

namespace json = boost::json;

constexpr std::chrono::seconds kEvery{2};

class EventsRunner : private Asker {
 public:
  EventsRunner(const EventsCommand& command, bool raw, Transport& transport, Output& output,
               const std::function<WallTime()>& now)
      : Asker(raw, transport, output),
        command_(command),
        now_(now),
        lines_(output.columns(), user_name) {}

  ExitCode run() {
    ExitCode end = print_new({.since = command_.since, .notable = true});
    if (end == ExitCode::kDone && printed_ == 0 && !is_raw() && !command_.follow) {
      end = print("nothing since " + command_.since + "\n");
    }
    while (command_.follow && end == ExitCode::kDone) {
      output().look_for_reader();
      std::this_thread::sleep_for(kEvery);
      if (answers()) end = print_new({.notable = true});
    }
    return end;
  }

 private:
  // Says once that it does not.
  bool answers() {
    const auto reply = transport().send({Method::kGet, "/healthz", kQuick});
    const bool answered = reply && reply->status == kOk;
    if (!answered && !std::exchange(waits_, true)) {
      output().err("rotad does not answer; waiting for it");
    }
    if (answered) waits_ = false;
    return answered;
  }

  ExitCode print_new(const AuditQuery& query) {
    return each_reply(
        after_, "entries",
        [&query](std::int64_t after) { return audit_target(query, after, kAuditPage); },
        [this](const Reply& reply, const json::object& page) {
          after_ = number_at(page, "last").value_or(after_);
          const json::array& entries = page.at("entries").get_array();
          printed_ += entries.size();
          if (is_raw()) return entries.empty() ? ExitCode::kDone : print_raw(reply);
          std::string text;
          for (const json::value& entry : entries) {
            if (entry.is_object()) text += lines_.line(entry.get_object(), now_());
          }
          return print(text);
        });
  }

  const EventsCommand& command_;
  const std::function<WallTime()>& now_;
  EventLines lines_;
  std::int64_t after_ = 0;  // the last entry that the daemon has looked at
  std::size_t printed_ = 0;
  bool waits_ = false;  // for the daemon, and has said so
};

}  // namespace

ExitCode run_events(const EventsCommand& command, bool as_json, Transport& transport,
                    Output& output, const std::function<WallTime()>& now) {
  return EventsRunner(command, as_json, transport, output, now).run();
}

}  // namespace rota::cli
