#include "serve/http_head.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

#include "serve/limits.h"

namespace rota {
namespace {

using ByteSet = std::array<bool, 256>;

template <class Predicate>
constexpr ByteSet byte_set(Predicate predicate) {
  ByteSet set{};
  for (unsigned i = 0; i < set.size(); ++i) set[i] = predicate(i);
  return set;
}

constexpr bool is_alnum(unsigned c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}
constexpr bool is_one_of(unsigned c, std::string_view set) {
  return c < 0x80 && set.contains(static_cast<char>(c));
}

// Inside a line: everything but control bytes, of which only the tab is text.
constexpr ByteSet kLineByte =
    byte_set([](unsigned c) { return c == '\t' || (c >= 0x20 && c != 0x7f); });
constexpr ByteSet kTokenByte =
    byte_set([](unsigned c) { return is_alnum(c) || is_one_of(c, "!#$%&'*+-.^_`|~"); });
constexpr ByteSet kTargetByte =
    byte_set([](unsigned c) { return c > 0x20 && c < 0x7f && c != '#'; });
constexpr ByteSet kHostByte =
    byte_set([](unsigned c) { return is_alnum(c) || is_one_of(c, "-._~!$&'()*+,;=:[]%"); });

bool all_in(std::string_view text, const ByteSet& set) {
  return std::ranges::all_of(text, [&set](char c) { return set[static_cast<unsigned char>(c)]; });
}

bool is_token(std::string_view text) { return !text.empty() && all_in(text, kTokenByte); }

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool same_word(std::string_view text, std::string_view lower_case) {
  return std::ranges::equal(text, lower_case, {}, lower);
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t";
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

bool lists_close(std::string_view value) {
  while (!value.empty()) {
    const auto comma = value.find(',');
    if (same_word(trim(value.substr(0, comma)), "close")) return true;
    if (comma == std::string_view::npos) break;
    value.remove_prefix(comma + 1);
  }
  return false;
}

enum class Line { kWhole, kPartial, kBad };

// Takes one line with its CRLF off `rest`.
Line take_line(std::string_view& rest, std::string_view& line) {
  std::size_t i = 0;
  while (i < rest.size() && kLineByte[static_cast<unsigned char>(rest[i])]) ++i;
  if (i == rest.size()) return Line::kPartial;
  if (rest[i] != '\r') return Line::kBad;
  if (i + 1 == rest.size()) return Line::kPartial;
  if (rest[i + 1] != '\n') return Line::kBad;
  line = rest.substr(0, i);
  rest.remove_prefix(i + 2);
  return Line::kWhole;
}

using Fault = std::optional<HeadError>;

HeadError bad(std::string_view why) { return {ErrorCode::kBadRequest, why}; }

// Collects one head, line by line.
class HeadBuilder {
 public:
  Fault request_line(std::string_view line) {
    const auto method_end = line.find(' ');
    const auto target_end = line.rfind(' ');
    if (method_end == std::string_view::npos || method_end == target_end) {
      return bad("the request line is not METHOD TARGET VERSION");
    }
    head_.method = line.substr(0, method_end);
    if (!is_token(head_.method)) return bad("the method is not a token");
    const std::string_view version = line.substr(target_end + 1);
    if (version == "HTTP/1.0") {
      head_.close = true;
    } else if (version != "HTTP/1.1") {
      return bad("the version is not HTTP/1.1 or HTTP/1.0");
    } else {
      host_required_ = true;
    }
    return target(line.substr(method_end + 1, target_end - method_end - 1));
  }

  Fault field(std::string_view line) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
      return bad("a header field is folded or is not NAME: VALUE");
    }
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = trim(line.substr(colon + 1));
    if (same_word(name, "host")) return host(value);
    if (same_word(name, "connection")) {
      head_.close = head_.close || lists_close(value);
    } else if (same_word(name, "content-length")) {
      return content_length(value);
    } else if (same_word(name, "transfer-encoding")) {
      return bad("Transfer-Encoding is not supported");
    } else if (same_word(name, "expect")) {
      return bad("Expect is not supported");
    }
    return {};
  }

  Fault end() const {
    if (host_required_ && !has_host_) return bad("there is no Host");
    return {};
  }

  RequestHead head(std::size_t head_bytes) {
    head_.head_bytes = head_bytes;
    return head_;
  }

 private:
  Fault target(std::string_view text) {
    if (!text.starts_with('/')) return bad("the target does not begin with \"/\"");
    if (!all_in(text, kTargetByte)) return bad("the target has a byte that a target cannot have");
    for (auto at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 3)) {
      if (at + 2 >= text.size() || !is_hex(text[at + 1]) || !is_hex(text[at + 2])) {
        return bad("the target has a \"%\" without two hex digits");
      }
    }
    const auto mark = text.find('?');
    head_.path = text.substr(0, mark);
    if (mark != std::string_view::npos) head_.query = text.substr(mark + 1);
    return {};
  }

  Fault host(std::string_view value) {
    if (has_host_) return bad("there are two Hosts");
    if (!all_in(value, kHostByte)) return bad("the Host is malformed");
    has_host_ = true;
    return {};
  }

  Fault content_length(std::string_view value) {
    if (has_length_) return bad("there are two Content-Lengths");
    has_length_ = true;
    const bool digits =
        !value.empty() && std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
    if (!digits) return bad("the Content-Length is not a number");
    std::uint64_t bytes = 0;
    const auto status = std::from_chars(value.data(), value.data() + value.size(), bytes).ec;
    if (status != std::errc{} || bytes > kRequestBodyBytesMax) {
      return HeadError{ErrorCode::kRequestTooLarge, "the request's body is larger than the limit"};
    }
    head_.body_bytes = bytes;
    return {};
  }

  RequestHead head_;
  bool host_required_ = false;
  bool has_host_ = false;
  bool has_length_ = false;
};

}  // namespace

std::variant<NeedMore, RequestHead, HeadError> parse_head(std::string_view bytes) {
  const std::string_view window = bytes.substr(0, kRequestHeadBytesMax);
  std::string_view rest = window;
  HeadBuilder builder;
  for (bool first = true;; first = false) {
    std::string_view line;
    switch (take_line(rest, line)) {
      case Line::kWhole:
        break;
      case Line::kPartial:
        if (window.size() < kRequestHeadBytesMax) return NeedMore{};
        return HeadError{ErrorCode::kRequestTooLarge, "the request's head is larger than 8 KiB"};
      case Line::kBad:
        return bad("a control byte, or a line that does not end in CR LF");
    }
    const bool end = !first && line.empty();
    const Fault fault = first ? builder.request_line(line)
                        : end ? builder.end()
                              : builder.field(line);
    if (fault) return *fault;
    if (end) return builder.head(window.size() - rest.size());
  }
}

}  // namespace rota
