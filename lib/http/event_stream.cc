#include "http/event_stream.h"

#include <boost/json.hpp>
#include <string>
#include <string_view>

#include "http/token_body.h"

namespace rota {
namespace {

std::string quoted(std::string_view text) {
  return boost::json::serialize(boost::json::string_view(text.data(), text.size()));
}

void append_news(Buffer& out, std::string_view event, const MemberKey& member,
                 std::string_view code, std::string_view message) {
  out.append("event: ");
  out.append(event);
  out.append("\ndata: {\"member\":");
  out.append(quoted(member.text()));
  out.append(",\"code\":");
  out.append(quoted(code));
  out.append(",\"message\":");
  out.append(quoted(message));
  out.append("}\n\n");
}

}  // namespace

void append_stream_head(Buffer& out) {
  out.append(
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
      "X-Accel-Buffering: no\r\nConnection: close\r\n\r\n");
}

void append_token_event(Buffer& out, const MemberKey& member, const Published& row) {
  const TokenBody body(row);
  out.append("event: token\ndata: {\"member\":");
  out.append(quoted(member.text()));
  out.append(",");
  body.append_fields(out);
  out.append("\n\n");
}

void append_retired_event(Buffer& out, const MemberKey& member, ErrorCode why) {
  const ErrorRow row = row_of(why);
  append_news(out, "retired", member, row.code, row.message);
}

void append_signed_out_event(Buffer& out, const MemberKey& member) {
  append_news(out, "signed_out", member, "signed_out",
              "the member was signed out: its tokens of before are revoked");
}

void append_heartbeat(Buffer& out) { out.append(":\n\n"); }

}  // namespace rota
