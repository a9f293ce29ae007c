// What a client can send (P11). An input is all the bytes of one connection. The parser's
// properties are checked at each place where a request can begin; then a whole session gets them at
// once and in pieces, must answer exactly what the parser alone would find, the same both times,
// and must close.

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "fuzz/conversation.h"
#include "fuzz/head_properties.h"
#include "fuzz/target.h"
#include "http/http_head.h"
#include "http/query.h"
#include "http/request_body.h"

namespace rota::fuzz {
namespace {

constexpr std::size_t kInputBytesMax = 40 * 1024;
constexpr std::size_t kPiecesMax = 32;
// Of the replies here the metrics are the longest.
constexpr std::size_t kReplyBytesMax = 48 * 1024;
constexpr std::array kStatuses{200, 204, 400, 401, 403, 404, 405, 409,
                               410, 417, 422, 431, 500, 501, 503};

// What the connection asks, found without a session.
struct Asked {
  std::vector<bool> head_only;  // of each reply
  bool close = false;           // with the last of them
};

Asked asked_by(std::string_view bytes) {
  Asked asked;
  while (!asked.close) {
    check_head(bytes);
    const auto result = parse_head(bytes);
    bool head_only = false;
    if (const auto* error = std::get_if<HeadError>(&result)) {
      head_only = error->head_only;
      asked.close = true;
    } else {
      const auto* head = std::get_if<RequestHead>(&result);
      if (head == nullptr) break;
      const std::string_view rest = bytes.substr(head->head_bytes);
      check_body(*head, rest);
      const auto body = find_body(*head, rest);
      if (const auto* bad = std::get_if<HeadError>(&body)) {
        asked.head_only.push_back(bad->head_only);
        asked.close = true;
        break;
      }
      const auto* found = std::get_if<FoundBody>(&body);
      if (found == nullptr) break;
      bytes = rest.substr(found->sent_bytes);
      // A watch makes a stream of the rest of the connection.
      const bool watches = head->method == "GET" && head->path == "/v1/watch" &&
                           parse_watch_query(head->query).has_value();
      head_only = head->head_only;
      asked.close = head->close || watches;
    }
    asked.head_only.push_back(head_only);
  }
  return asked;
}

// Pieces of lengths that the bytes themselves decide, so that an input is always cut alike.
std::vector<std::string_view> pieces_of(std::string_view bytes) {
  std::uint64_t state = 14'695'981'039'346'656'037U;  // FNV-1a
  for (const char c : bytes) state = (state ^ static_cast<unsigned char>(c)) * 1'099'511'628'211U;
  const std::size_t longest = 1 + state % 4 * std::max<std::size_t>(1, bytes.size() / 8);
  std::vector<std::string_view> pieces;
  while (!bytes.empty() && pieces.size() + 1 < kPiecesMax) {
    state = state * 6'364'136'223'846'793'005U + 1;
    const std::size_t length = std::min<std::size_t>(bytes.size(), 1 + (state >> 33U) % longest);
    pieces.push_back(bytes.substr(0, length));
    bytes.remove_prefix(length);
  }
  pieces.push_back(bytes);
  return pieces;
}

void check(std::string_view bytes) {
  const Asked asked = asked_by(bytes);
  const std::string sent = converse({bytes});
  const auto replies = replies_in(sent, asked.head_only);
  ROTA_CHECK(replies.size() == asked.head_only.size());
  for (std::size_t i = 0; i < replies.size(); ++i) {
    const bool last = i + 1 == replies.size();
    ROTA_CHECK(std::ranges::find(kStatuses, replies[i].status) != kStatuses.end());
    ROTA_CHECK(replies[i].close == (last && asked.close));
    ROTA_CHECK(replies[i].body.size() <= kReplyBytesMax);
  }
  ROTA_CHECK(converse(pieces_of(bytes)) == sent);
}

}  // namespace
}  // namespace rota::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size <= rota::fuzz::kInputBytesMax) {
    rota::fuzz::check({reinterpret_cast<const char*>(data), size});
  }
  return 0;
}
