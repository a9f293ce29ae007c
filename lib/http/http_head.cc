#include "http/http_head.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <functional>
#include <optional>

#include "base/text.h"
#include "http/http_line.h"
#include "http/limits.h"

namespace rota {
namespace {

constexpr ByteSet kTargetByte =
    byte_set([](unsigned c) { return c > 0x20 && c != 0x7f && c != '#'; });
constexpr ByteSet kHostByte =
    byte_set([](unsigned c) { return is_alnum(c) || is_one_of(c, "-._~!$&'()*+,;=:[]%"); });

// The bytes of a host in a target: a name or an IPv4 address; and an IPv6 address, inside brackets.
constexpr ByteSet kHostNameByte =
    byte_set([](unsigned c) { return is_alnum(c) || is_one_of(c, "-._~!$&'()*+,;=%"); });
constexpr ByteSet kHostLiteralByte =
    byte_set([](unsigned c) { return is_alnum(c) || is_one_of(c, "-._~!$&'()*+,;=:"); });

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool same_word(std::string_view text, std::string_view lower_case) {
  return std::ranges::equal(text, lower_case, {}, lower);
}

constexpr std::string_view kBlanks = " \t";  // RFC 9110, 5.6.3

// Whether `predicate` is true of some element of the list. Empty elements do not count.
template <class Predicate>
bool any_element(std::string_view list, Predicate predicate) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    const std::string_view element = trim(list.substr(0, comma), kBlanks);
    if (!element.empty() && predicate(element)) return true;
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  return false;
}

bool is_port(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// RFC 9110, 4.2.1 and 4.2.4: a host that is not empty, and no user before it.
bool is_authority(std::string_view text) {
  std::size_t host_end = text.find(':');
  bool good_host = false;
  if (text.starts_with('[')) {
    const auto bracket = text.find(']');
    if (bracket == std::string_view::npos) return false;
    host_end = bracket + 1;
    good_host = bracket > 1 && all_in(text.substr(1, bracket - 1), kHostLiteralByte);
  } else {
    const std::string_view host = text.substr(0, host_end);
    good_host = !host.empty() && all_in(host, kHostNameByte);
  }
  if (!good_host) return false;
  if (host_end >= text.size()) return true;
  return text[host_end] == ':' && is_port(text.substr(host_end + 1));
}

using Fault = std::optional<HeadError>;

HeadError bad(std::string_view why) { return {ErrorCode::kBadRequest, why}; }

// Of a request line that may be cut off, or malformed.
std::string_view path_in(std::string_view line) {
  const auto method_end = line.find(' ');
  if (method_end == std::string_view::npos) return {};
  line.remove_prefix(method_end + 1);
  return line.starts_with('/') ? line.substr(0, line.find_first_of(" ?")) : std::string_view{};
}

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
    // A HEAD becomes a GET here, so that no route has to know it.
    if (head_.method == "HEAD") {
      head_.method = "GET";
      head_.head_only = true;
    }
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
    const std::string_view value = trim(line.substr(colon + 1), kBlanks);
    if (same_word(name, "host")) return host(value);
    if (same_word(name, "connection")) {
      head_.close = head_.close || any_element(value, [](std::string_view option) {
                      return same_word(option, "close");
                    });
    } else if (same_word(name, "content-length")) {
      return content_length(value);
    } else if (same_word(name, "transfer-encoding")) {
      return transfer_encoding(value);
    } else if (same_word(name, "expect")) {
      return expectation(value);
    } else if (same_word(name, "authorization")) {
      if (has_authorization_) return bad("there are two Authorization headers");
      has_authorization_ = true;
      head_.authorization = value;
    } else if (same_word(name, "origin")) {
      head_.has_origin = true;
    }
    return {};
  }

  Fault end() const {
    if (host_required_ && !has_host_) return bad("the Host header is missing");
    return {};
  }

  RequestHead head(std::size_t head_bytes) {
    head_.head_bytes = head_bytes;
    return head_;
  }
  bool head_only() const { return head_.head_only; }

 private:
  Fault target(std::string_view text) {
    if (!all_in(text, kTargetByte) || has_control(text)) {
      return bad("the target has a byte that is not allowed there");
    }
    constexpr std::string_view kScheme = "http://";
    const bool absolute = same_word(text.substr(0, kScheme.size()), kScheme);
    if (absolute) {
      text.remove_prefix(kScheme.size());
      const auto authority_end = std::min(text.find_first_of("/?"), text.size());
      if (!is_authority(text.substr(0, authority_end))) {
        return bad("the target's authority is malformed");
      }
      head_.host = text.substr(0, authority_end);
      text.remove_prefix(authority_end);
    } else if (!text.starts_with('/')) {
      return bad("the target is neither a path nor an http:// URL");
    }
    for (auto at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 3)) {
      if (at + 2 >= text.size() || !is_hex(text[at + 1]) || !is_hex(text[at + 2])) {
        return bad("the target has a \"%\" without two hex digits");
      }
    }
    const auto mark = text.find('?');
    head_.path = text.substr(0, mark);
    if (head_.path.empty()) head_.path = "/";
    if (mark != std::string_view::npos) head_.query = text.substr(mark + 1);
    return {};
  }

  Fault host(std::string_view value) {
    if (has_host_) return bad("there are two Host headers");
    if (!all_in(value, kHostByte)) return bad("the Host header is malformed");
    has_host_ = true;
    if (head_.host.empty()) head_.host = value;  // RFC 9112, 3.2.2: the target's counts
    return {};
  }

  // HTTP/1.0 has no 100, and its clients do not wait for one (RFC 9110, 10.1.1).
  Fault expectation(std::string_view value) {
    const bool unknown =
        any_element(value, [](std::string_view each) { return !same_word(each, "100-continue"); });
    if (unknown) {
      return HeadError{ErrorCode::kExpectationFailed, "the only known expectation is 100-continue"};
    }
    head_.expects_continue =
        host_required_ && (head_.expects_continue || !trim(value, kBlanks).empty());
    return {};
  }

  Fault content_length(std::string_view value) {
    if (has_length_) return bad("there are two Content-Length headers");
    if (has_coding_) return two_lengths();
    has_length_ = true;
    const bool digits =
        !value.empty() && std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
    if (!digits) return bad("the Content-Length is not a number");
    std::uint64_t bytes = 0;
    const auto status = std::from_chars(value.data(), value.data() + value.size(), bytes).ec;
    if (status != std::errc{} || bytes > kRequestBodyBytesMax) {
      return HeadError{ErrorCode::kRequestTooLarge, "the request body is larger than the limit"};
    }
    head_.body_bytes = bytes;
    return {};
  }

  // RFC 9112, 6.1 and 6.3. Whatever the answer, nobody may guess where the body ends: that is how
  // requests are smuggled past a proxy.
  Fault transfer_encoding(std::string_view value) {
    if (!host_required_) return bad("HTTP/1.0 has no Transfer-Encoding");
    if (has_coding_) return bad("there are two Transfer-Encoding headers");
    if (has_length_) return two_lengths();
    has_coding_ = true;
    const auto is_chunked = [](std::string_view coding) { return same_word(coding, "chunked"); };
    head_.chunked = is_chunked(value);
    if (head_.chunked) return {};
    const auto comma = value.rfind(',');
    const bool chunked_last =
        comma != std::string_view::npos && is_chunked(trim(value.substr(comma + 1), kBlanks));
    const bool another =
        chunked_last && any_element(value.substr(0, comma), std::not_fn(is_chunked));
    if (!another) return bad("the transfer coding is not \"chunked\"");
    return HeadError{ErrorCode::kNotImplemented, "the only known transfer coding is \"chunked\""};
  }

  static HeadError two_lengths() {
    return bad("there are both Content-Length and Transfer-Encoding");
  }

  RequestHead head_;
  bool host_required_ = false;
  bool has_host_ = false;
  bool has_length_ = false;
  bool has_coding_ = false;
  bool has_authorization_ = false;
};

}  // namespace

std::variant<NeedMore, RequestHead, HeadError> parse_head(std::string_view bytes) {
  const std::string_view window = bytes.substr(0, kRequestHeadBytesMax);
  std::string_view rest = window.substr(empty_lines_before(window));
  HeadBuilder builder;
  const auto refuse = [&builder, start = rest](HeadError error) {
    error.head_only = builder.head_only();
    error.path = path_in(start.substr(0, start.find_first_of("\r\n")));
    return error;
  };
  for (bool first = true;; first = false) {
    std::string_view line;
    switch (take_line(rest, line)) {
      case LineTaken::kWhole:
        break;
      case LineTaken::kPartial:
        if (window.size() < kRequestHeadBytesMax) return NeedMore{};
        return refuse({ErrorCode::kRequestTooLarge, "the request head is larger than 8 KiB"});
      case LineTaken::kBad:
        return refuse(bad("a control byte, or a line that does not end in CR LF"));
    }
    const bool end = !first && line.empty();
    const Fault fault = first ? builder.request_line(line)
                        : end ? builder.end()
                              : builder.field(line);
    if (fault) return refuse(*fault);
    if (end) return builder.head(window.size() - rest.size());
  }
}

std::size_t empty_lines_before(std::string_view bytes) {
  constexpr std::string_view kLineEnd = "\r\n";
  std::size_t count = 0;
  while (bytes.substr(count).starts_with(kLineEnd)) count += kLineEnd.size();
  return count;
}

}  // namespace rota
