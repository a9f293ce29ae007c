#include "http/request_body.h"

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "base/check.h"
#include "http/http_line.h"
#include "http/limits.h"

namespace rota {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr ByteSet kHexDigit = byte_set([](unsigned c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
});
constexpr int kHex = 16;

// Why a body, or a part of it, cannot be taken. Monostate: it can.
using Stop = std::variant<std::monostate, NeedMore, HeadError>;

HeadError bad(std::string_view why) { return {ErrorCode::kBadRequest, why}; }
HeadError too_large(std::string_view why) { return {ErrorCode::kRequestTooLarge, why}; }

// Goes through a chunked body from its first byte.
class ChunkReader {
 public:
  explicit ChunkReader(std::string_view rest) : rest_(rest), all_(rest.size()) {}

  // The data of the next chunk; empty: there are no more, and the body is whole.
  Stop next(std::string_view& data) {
    std::string_view line;
    if (Stop stop = framing_line(line); stop.index() != 0) return stop;
    const std::string_view digits = line.substr(0, line.find_first_of(" \t;"));
    const std::string_view after = line.substr(digits.size());
    const auto extension = after.find_first_not_of(" \t");
    if (digits.empty() || !all_in(digits, kHexDigit) ||
        (!after.empty() && (extension == std::string_view::npos || after[extension] != ';'))) {
      return bad("the size of a chunk is not a hexadecimal number");
    }
    std::uint64_t size = 0;
    const auto status =
        std::from_chars(digits.data(), digits.data() + digits.size(), size, kHex).ec;
    if (status != std::errc{} || size > kRequestBodyBytesMax - data_bytes_) {
      return too_large("the request body is larger than the limit");
    }
    if (size == 0) return trailer();
    data_bytes_ += size;
    data = rest_.substr(0, size);
    rest_.remove_prefix(data.size());
    if (data.size() < size) return NeedMore{};
    return data_end();
  }

  std::size_t data_bytes() const { return data_bytes_; }
  std::size_t sent_bytes() const { return all_ - rest_.size(); }

 private:
  // Takes a line that is no data.
  Stop framing_line(std::string_view& line) {
    std::string_view window = rest_.substr(0, framing_left_);
    const std::size_t before = window.size();
    switch (take_line(window, line)) {
      case LineTaken::kWhole:
        framing_left_ -= before - window.size();
        rest_.remove_prefix(before - window.size());
        return {};
      case LineTaken::kPartial:
        if (before < framing_left_) return NeedMore{};
        return too_large("the sizes, extensions and trailers of the chunks are too long");
      case LineTaken::kBad:
        return bad("a control byte, or a line that does not end in CR LF, between chunks");
    }
    ROTA_CHECK(false);
  }

  Stop data_end() {
    const std::string_view end = rest_.substr(0, kLineEnd.size());
    if (!kLineEnd.starts_with(end)) return bad("a chunk is longer than its size says");
    std::string_view line;
    return framing_line(line);
  }

  Stop trailer() {
    for (;;) {
      std::string_view line;
      if (Stop stop = framing_line(line); stop.index() != 0) return stop;
      if (line.empty()) return {};
      const auto colon = line.find(':');
      if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
        return bad("a trailer field is folded or is not NAME: VALUE");
      }
    }
  }

  std::string_view rest_;
  const std::size_t all_;
  std::size_t framing_left_ = kChunkFramingBytesMax;
  std::size_t data_bytes_ = 0;
};

}  // namespace

std::variant<NeedMore, FoundBody, HeadError> find_body(const RequestHead& head,
                                                       std::string_view rest) {
  if (!head.chunked) {
    if (rest.size() < head.body_bytes) return NeedMore{};
    return FoundBody{.sent_bytes = head.body_bytes, .bytes = head.body_bytes};
  }
  ChunkReader chunks(rest);
  for (;;) {
    std::string_view data;
    Stop stop = chunks.next(data);
    if (auto* error = std::get_if<HeadError>(&stop)) {
      error->path = head.path;
      error->head_only = head.head_only;
      return *error;
    }
    if (std::holds_alternative<NeedMore>(stop)) return NeedMore{};
    if (data.empty()) {
      return FoundBody{.sent_bytes = chunks.sent_bytes(), .bytes = chunks.data_bytes()};
    }
  }
}

Secret join_chunks(std::string_view sent, std::size_t bytes) {
  std::string body;
  body.reserve(bytes);  // so that no copy of a part stays behind
  ChunkReader chunks(sent);
  for (;;) {
    std::string_view data;
    ROTA_CHECK(chunks.next(data).index() == 0);
    if (data.empty()) break;
    body += data;
  }
  ROTA_CHECK(body.size() == bytes);
  return Secret::take(std::move(body));
}

}  // namespace rota
