#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/transport.h"

namespace rota::cli {

inline constexpr Duration kQuick{10'000};  // for what the daemon answers at once
inline constexpr int kOk = 200;
inline constexpr int kAccepted = 202;  // and not done yet

// What all commands share: they ask the daemon, and print what it says or one line about the
// failure. Each method blocks; each prints a failure before it returns its exit code.
class Asker {
 protected:
  // `raw`: --json, which prints the daemon's replies as they are. Both others must outlive this.
  Asker(bool raw, Transport& transport, Output& output)
      : raw_(raw), transport_(transport), output_(output) {}

  // The reply, if the call succeeded. A failure is printed after `about`.
  std::expected<Reply, ExitCode> ask(const Request& request, std::string_view about = "");
  // The same of a call that may take long: `what` it waits for, and what goes on without this
  // command, for somebody who ends it with Ctrl-C (Output::working()).
  std::expected<Reply, ExitCode> ask_long(Request request, std::string_view what,
                                          std::string_view goes_on, std::string_view about = "");
  // The same of a call that was made already.
  std::expected<Reply, ExitCode> settle(Result<Reply> reply, std::string_view about = "");
  // kCorrupt: the reply has none.
  static Result<boost::json::object> object_of(const Reply& reply);

  // Calls `take(rows)` for the list of each page, until it fails or there is no next one. With
  // --json, prints the pages instead. `after` is where the first page begins; `target_of(after)`.
  template <class Place, class Target, class Take>
  ExitCode each_page(Place after, std::string_view list, Target target_of, Take take) {
    return each_reply(after, list, target_of, [&](const Reply& reply, boost::json::object& page) {
      return raw_ ? print_raw(reply) : take(page.at(list).get_array());
    });
  }
  // The same for a command that prints something else than the pages: `take(reply, page)`.
  template <class Place, class Target, class Take>
  ExitCode each_reply(Place after, std::string_view list, Target target_of, Take take);

  ExitCode print_raw(const Reply& reply);
  // A JSON text that did not come from the daemon, and a newline.
  ExitCode print_json(std::string_view json);
  // Escapes what could control a terminal. For a program that reads the JSON nothing changes.
  Result<void> out_json(std::string_view json);
  // print(), with colours on a terminal.
  ExitCode print_painted(std::string_view text);
  // Made visible(), because others wrote members' names and Circle's words.
  ExitCode print(std::string_view text);
  ExitCode write(std::string_view text, std::string_view end = "");
  ExitCode failed(std::string_view why);

  bool is_raw() const { return raw_; }
  Transport& transport() { return transport_; }
  Output& output() { return output_; }
  const Output& output() const { return output_; }

 private:
  static std::optional<std::int64_t> place_at(const boost::json::object& page, std::int64_t);
  static std::optional<std::string> place_at(const boost::json::object& page, const std::string&);
  // Whether a page of `rows` rows with this place behind it comes nearer to the end. A page of the
  // audit trail may be empty: the daemon looks at so many entries at a time.
  static bool leads_on(std::int64_t next, std::int64_t after, std::size_t) { return next > after; }
  static bool leads_on(const std::string& next, const std::string& after, std::size_t rows) {
    return next != after && rows > 0;
  }

  const bool raw_;
  Transport& transport_;
  Output& output_;
};

template <class Place, class Target, class Take>
ExitCode Asker::each_reply(Place after, std::string_view list, Target target_of, Take take) {
  while (true) {
    const auto reply = ask({Method::kGet, target_of(after), kQuick});
    if (!reply) return reply.error();
    auto page = object_of(*reply);
    if (!page) return failed(page.error().message);
    const boost::json::value* rows = page->if_contains(list);
    if (rows == nullptr || !rows->is_array()) {
      return failed("the reply has no list of " + std::string(list));
    }
    const std::optional<Place> next = place_at(*page, after);
    // One that leads back or to itself would repeat for ever.
    const bool ends = !next || leads_on(*next, after, rows->get_array().size());
    const ExitCode taken = take(*reply, *page);
    if (taken != ExitCode::kDone) return taken;
    if (!ends) return failed("rotad's list of " + std::string(list) + " does not end");
    if (!next) return ExitCode::kDone;
    after = *next;
  }
}

}  // namespace rota::cli
