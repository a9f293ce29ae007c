#include "http/event_stream.h"

#include <boost/json.hpp>
#include <string>

#include "http/token_body.h"

namespace rota {
namespace {

std::string quoted(std::string_view text) {
  return boost::json::serialize(boost::json::string_view(text.data(), text.size()));
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
  out.append("event: retired\ndata: {\"member\":");
  out.append(quoted(member.text()));
  out.append(",\"code\":");
  out.append(quoted(row.code));
  out.append(",\"message\":");
  out.append(quoted(row.message));
  out.append("}\n\n");
}

void append_heartbeat(Buffer& out) { out.append(":\n\n"); }

}  // namespace rota
