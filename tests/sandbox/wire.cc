#include "sandbox/wire.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <iterator>

namespace rota::sandbox {
namespace {

// Small enough that the shortest error body still takes several of them.
constexpr std::size_t kChunkBytes = 40;

std::string_view reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 302:
      return "Found";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 413:
      return "Content Too Large";
    case 422:
      return "Unprocessable Entity";
    case 429:
      return "Too Many Requests";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    default:
      return "Error";
  }
}

bool has_body(int status) { return status != 204; }

}  // namespace

std::string format_http_date(WallTime time) {
  constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto second = std::chrono::floor<std::chrono::seconds>(time);
  const auto day_start = std::chrono::floor<std::chrono::days>(second);
  const std::chrono::year_month_day date{day_start};
  const std::chrono::hh_mm_ss clock{second - day_start};
  return fmt::format(
      "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
      kDays[std::chrono::weekday{day_start}.c_encoding()], static_cast<unsigned>(date.day()),
      kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
      clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

std::string compose_chunk(std::string_view bytes) {
  return fmt::format("{:x}\r\n{}\r\n", bytes.size(), bytes);
}

std::string compose(const Reply& reply, WallTime date, bool keep_alive) {
  switch (reply.delivery) {
    case Delivery::kHang:
    case Delivery::kDrop:
      return {};
    case Delivery::kPlain:
    case Delivery::kChunked:
    case Delivery::kHuge:
      break;
  }
  const bool goes_on = keep_alive && reply.delivery != Delivery::kHuge;
  std::string out;
  out.reserve(512 + reply.body.size());
  auto to = std::back_inserter(out);
  fmt::format_to(to, "HTTP/1.1 {} {}\r\nDate: {}\r\n", reply.status, reason_of(reply.status),
                 format_http_date(date));
  if (!reply.content_type.empty()) fmt::format_to(to, "Content-Type: {}\r\n", reply.content_type);
  for (const auto& [name, value] : reply.headers) fmt::format_to(to, "{}: {}\r\n", name, value);
  if (!goes_on) out += "Connection: close\r\n";
  if (!has_body(reply.status)) return out += "\r\n";
  if (reply.delivery == Delivery::kPlain) {
    fmt::format_to(to, "Content-Length: {}\r\n\r\n{}", reply.body.size(), reply.body);
    return out;
  }
  out += "Transfer-Encoding: chunked\r\n\r\n";
  if (reply.delivery == Delivery::kHuge) return out;
  for (std::string_view rest = reply.body; !rest.empty();) {
    const std::string_view piece = rest.substr(0, kChunkBytes);
    out += compose_chunk(piece);
    rest.remove_prefix(piece.size());
  }
  return out += "0\r\n\r\n";
}

}  // namespace rota::sandbox
