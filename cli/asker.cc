#include "cli/asker.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/secret.h"
#include "base/text.h"
#include "cli/fields.h"
#include "cli/paint.h"
#include "cli/report.h"

namespace rota::cli {

namespace json = boost::json;

std::expected<Reply, ExitCode> Asker::ask(const Request& request, std::string_view about) {
  return settle(transport_.send(request), about);
}

std::expected<Reply, ExitCode> Asker::settle(Result<Reply> reply, std::string_view about) {
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

Result<json::object> Asker::object_of(const Reply& reply) {
  boost::system::error_code error;
  json::value value = json::parse(reply.body.reveal(), error);
  if (error || !value.is_object()) {
    return fail(ErrorKind::kCorrupt, "the reply is not JSON as rotad writes it");
  }
  return std::move(value.get_object());
}

std::optional<std::int64_t> Asker::place_at(const json::object& page, std::int64_t) {
  return number_at(page, "next");
}

std::optional<std::string> Asker::place_at(const json::object& page, const std::string&) {
  std::string key = text_at(page, "next");
  return key.empty() ? std::nullopt : std::optional(std::move(key));
}

ExitCode Asker::print_raw(const Reply& reply) {
  const std::string_view body = reply.body.reveal();
  auto written = out_json(body);
  if (written && !body.ends_with('\n')) written = output_.out("\n");
  return written ? ExitCode::kDone : failed(written.error().message);
}

ExitCode Asker::print_json(std::string_view json) {
  auto written = out_json(json);
  if (written) written = output_.out("\n");
  return written ? ExitCode::kDone : failed(written.error().message);
}

Result<void> Asker::out_json(std::string_view json) {
  std::string text = visible_json(json);
  auto written = output_.out(text);
  wipe(text);
  return written;
}

std::expected<Reply, ExitCode> Asker::ask_long(Request request, std::string_view what,
                                               std::string_view goes_on, std::string_view about) {
  request.while_waiting = [this, what, goes_on] { output_.working(what, goes_on); };
  request.wake = output_.begin_work();
  auto reply = transport_.send(request);
  output_.end_work();
  return settle(std::move(reply), about);
}

ExitCode Asker::print_painted(std::string_view text) {
  const std::string shown = visible(text, "\n");
  return write(output_.has_colours() ? painted(shown) : shown);
}

ExitCode Asker::print(std::string_view text) { return write(visible(text, "\n")); }

ExitCode Asker::write(std::string_view text, std::string_view end) {
  auto written = output_.out(text);
  if (written) written = output_.out(end);
  return written ? ExitCode::kDone : failed(written.error().message);
}

ExitCode Asker::failed(std::string_view why) {
  output_.err(why);
  return ExitCode::kFailed;
}

}  // namespace rota::cli
