#include "circle/base_url.h"

#include <algorithm>
#include <charconv>

namespace rota {
namespace {

constexpr std::size_t kHostBytesMax = 253;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_name_or_ipv4(std::string_view host) {
  return !host.empty() && host.size() <= kHostBytesMax && host.front() != '.' &&
         host.front() != '-' && host.find("..") == std::string_view::npos &&
         std::ranges::all_of(
             host, [](char c) { return is_alpha(c) || is_digit(c) || c == '-' || c == '.'; });
}

bool is_bracketed_ipv6(std::string_view host) {
  return host.size() >= 4 && host.front() == '[' && host.back() == ']' &&
         std::ranges::all_of(host.substr(1, host.size() - 2),
                             [](char c) { return is_hex(c) || c == ':' || c == '.'; });
}

// Four plain decimal numbers, the first of them 127. A resolver would also take short and octal
// spellings, but we might read one of those differently.
bool is_ipv4_loopback(std::string_view host) {
  int octets = 0;
  while (true) {
    const std::size_t dot = host.find('.');
    const std::string_view octet = host.substr(0, dot);
    int value = -1;
    const auto [end, status] = std::from_chars(octet.data(), octet.data() + octet.size(), value);
    if (status != std::errc{} || end != octet.data() + octet.size() || value < 0 || value > 255 ||
        (octet.size() > 1 && octet.front() == '0')) {
      return false;
    }
    if (octets == 0 && value != 127) return false;
    ++octets;
    if (dot == std::string_view::npos) return octets == 4;
    host.remove_prefix(dot + 1);
  }
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "[::1]" || is_ipv4_loopback(host);
}

bool is_port(std::string_view text) {
  int value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  return status == std::errc{} && end == text.data() + text.size() && value >= 1 && value <= 65535;
}

std::unexpected<Error> invalid(std::string_view rule) {
  return fail(ErrorKind::kInvalid, "the base URL " + std::string(rule));
}

}  // namespace

Result<std::string> check_base_url(std::string_view text) {
  const bool https = text.starts_with("https://");
  if (!https && !text.starts_with("http://")) {
    return invalid("must start with https:// (or http:// for a loopback address)");
  }
  const std::string_view scheme = text.substr(0, https ? 8 : 7);
  std::string_view rest = text.substr(scheme.size());
  while (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find('@') != std::string_view::npos) return invalid("must not have a user or password");
  if (rest.find_first_of("?#") != std::string_view::npos) {
    return invalid("must not have a query or fragment");
  }
  if (!std::ranges::all_of(rest, [](char c) { return c > ' ' && c <= '~' && c != '\\'; })) {
    return invalid("has a character that is not allowed in a URL");
  }
  std::string_view host = rest.substr(0, rest.find('/'));
  const std::size_t colon = host.rfind(':');
  if (colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos) {
    const std::string_view port = host.substr(colon + 1);
    host = host.substr(0, colon);
    if (!is_port(port)) return invalid("must have a port from 1 to 65535");
  }
  if (!is_name_or_ipv4(host) && !is_bracketed_ipv6(host)) {
    return invalid("must have a host name or address (IPv6 in brackets, IDN as punycode)");
  }
  if (!https && !is_loopback(host)) {
    return invalid("must be https://: http:// is for 127.0.0.0/8, [::1] and localhost only");
  }
  return std::string(scheme) + std::string(rest);
}

}  // namespace rota
