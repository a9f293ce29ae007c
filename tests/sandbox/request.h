#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <variant>

#include "sandbox/endpoint.h"
#include "sandbox/reply.h"

namespace rota::sandbox {

using MemberId = std::int64_t;

// An HTTP request as it came; the views live as long as the server's buffer.
struct Request {
  std::string_view method;
  std::string_view target;         // path, with the query if there is one
  std::string_view authorization;  // the header's value; empty when it is missing
  std::string_view content_type;   // likewise
  std::string_view body;
};

struct ById {
  MemberId value = 0;
};
struct ByEmail {
  std::string value;
};
struct BySso {
  std::string value;
};
struct ByToken {
  std::string value;
};

// Whom or what a well-formed call is about.
using Subject = std::variant<ById, ByEmail, BySso, ByToken>;

// Why a call breaks the contract (never quoting what it sent), and the answer to it.
struct Refusal {
  std::string_view reason;
  Reply reply;
};

// The endpoint that method and path name exactly, or why none.
std::expected<Endpoint, Refusal> route(std::string_view method, std::string_view target);

// Checks the Authorization header against the app token; the Admin token is known only to be named.
std::expected<void, Refusal> check_bearer(std::string_view authorization,
                                          std::string_view app_token, std::string_view admin_token);

// Content type, JSON shape, field names and types, exactly as the OpenAPI description has them:
// what Circle may let pass (a second selector, an extra field, a number in a string) is refused.
std::expected<Subject, Refusal> read_body(Endpoint endpoint, const Request& request);

}  // namespace rota::sandbox
