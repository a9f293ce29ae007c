#include "http/http_head.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <variant>

#include "http/limits.h"
#include "support/http_oddities.h"

namespace rota {
namespace {

using testing::http_oddities;
using testing::http_oversizes;
using testing::with_fields;

const std::string kPlain = "GET /v1/token?email=a%40b&wait=0 HTTP/1.1\r\nHost: rota\r\n\r\n";

const RequestHead& accepted(const std::variant<NeedMore, RequestHead, HeadError>& result) {
  static const RequestHead kNone;
  const auto* head = std::get_if<RequestHead>(&result);
  EXPECT_NE(head, nullptr);
  return head == nullptr ? kNone : *head;
}

TEST(HttpHead, SplitsARequestWithoutCopying) {
  const std::string bytes = kPlain + "GET /next";
  const auto result = parse_head(bytes);
  const RequestHead& head = accepted(result);
  EXPECT_EQ(head.method, "GET");
  EXPECT_EQ(head.path, "/v1/token");
  EXPECT_EQ(head.query, "email=a%40b&wait=0");
  EXPECT_FALSE(head.close);
  EXPECT_EQ(head.head_bytes, kPlain.size());
  EXPECT_EQ(head.body_bytes, 0U);
  EXPECT_EQ(head.method.data(), bytes.data());
}

TEST(HttpHead, KnowsHostBearerAndOrigin) {
  const std::string plain =
      "GET / HTTP/1.1\r\nHost: a:1\r\nauthorization:  Bearer x y \r\nORIGIN:\r\n\r\n";
  const auto result = parse_head(plain);
  EXPECT_EQ(accepted(result).host, "a:1");
  EXPECT_EQ(accepted(result).authorization, "Bearer x y");
  EXPECT_TRUE(accepted(result).has_origin);
  const std::string absolute = "GET http://b:2/x HTTP/1.1\r\nHost: a:1\r\n\r\n";
  const auto other = parse_head(absolute);
  EXPECT_EQ(accepted(other).host, "b:2");
  EXPECT_EQ(accepted(other).authorization, "");
  EXPECT_FALSE(accepted(other).has_origin);
  const auto two = parse_head(
      "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\nAuthorization: Bearer y\r\n\r\n");
  EXPECT_TRUE(std::holds_alternative<HeadError>(two));
}

struct Accepted {
  std::string bytes;
  std::string_view path;
  std::string_view query;
  bool close;
  std::size_t body_bytes;
};

TEST(HttpHead, AcceptsTheGrammar) {
  const Accepted cases[] = {
      {"GET / HTTP/1.1\r\nHost:\r\n\r\n", "/", "", false, 0},
      {"GET /? HTTP/1.1\r\nHost: x\r\n\r\n", "/", "", false, 0},
      {"GET /a?b?c HTTP/1.1\r\nHost: x\r\n\r\n", "/a", "b?c", false, 0},
      {"GET /a?s=google-oauth2|1 HTTP/1.1\r\nHost: x\r\n\r\n", "/a", "s=google-oauth2|1", false, 0},
      {"BREW /pot HTTP/1.1\r\nhOsT: [::1]:80\r\n\r\n", "/pot", "", false, 0},
      {"GET / HTTP/1.1\r\nHost:x\r\nX-Empty:\r\nX-Tab:\ta\tb \r\n\r\n", "/", "", false, 0},
      {"GET / HTTP/1.1\r\nHost: x\r\nX-Latin: \xe9\r\n\r\n", "/", "", false, 0},
      {"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "/", "", true, 0},
      {"GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n", "/", "", false, 0},
      {"GET / HTTP/1.1\r\nHost: x\r\nConnection: foo , CLOSE\t\r\n\r\n", "/", "", true, 0},
      {"GET / HTTP/1.1\r\nHost: x\r\nConnection: closed,xclose\r\n\r\n", "/", "", false, 0},
      {"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nConnection: x\r\n\r\n", "/", "", true, 0},
      {"\r\nGET /a HTTP/1.1\r\nHost: x\r\n\r\n", "/a", "", false, 0},
      {"\r\n\r\nGET /a HTTP/1.1\r\nHost: x\r\n\r\n", "/a", "", false, 0},
      {"GET http://x/a?b HTTP/1.1\r\nHost: x\r\n\r\n", "/a", "b", false, 0},
      {"GET HTTP://rota.example:80/a HTTP/1.1\r\nHost: y\r\n\r\n", "/a", "", false, 0},
      {"GET http://[::1]:8080/a HTTP/1.1\r\nHost: x\r\n\r\n", "/a", "", false, 0},
      {"GET http://x:/a HTTP/1.1\r\nHost: x\r\n\r\n", "/a", "", false, 0},
      {"GET http://127.0.0.1 HTTP/1.1\r\nHost: x\r\n\r\n", "/", "", false, 0},
      {"GET http://x?b HTTP/1.1\r\nHost: x\r\n\r\n", "/", "b", false, 0},
      {"GET /a?u=http://x/ HTTP/1.1\r\nHost: x\r\n\r\n", "/a", "u=http://x/", false, 0},
      {"GET /\xc3\xa9?s=\xf0\x9f\x98\x80 HTTP/1.1\r\nHost: x\r\n\r\n", "/\xc3\xa9",
       "s=\xf0\x9f\x98\x80", false, 0},
      {"GET / HTTP/1.1\r\nHost: x\r\neXPECT:\r\n\r\n", "/", "", false, 0},
      {"GET / HTTP/1.0\r\n\r\n", "/", "", true, 0},
      {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "/", "", true, 0},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "/", "", false, 0},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4096\r\n\r\n", "/", "", false, 4096},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0007\r\n\r\n", "/", "", false, 7},
  };
  for (const Accepted& wanted : cases) {
    SCOPED_TRACE(wanted.bytes);
    const auto result = parse_head(wanted.bytes);
    const RequestHead& head = accepted(result);
    EXPECT_EQ(head.path, wanted.path);
    EXPECT_EQ(head.query, wanted.query);
    EXPECT_EQ(head.close, wanted.close);
    EXPECT_EQ(head.body_bytes, wanted.body_bytes);
    EXPECT_EQ(head.head_bytes, wanted.bytes.size());
    for (std::size_t n = 0; n < wanted.bytes.size(); ++n) {
      EXPECT_TRUE(std::holds_alternative<NeedMore>(parse_head({wanted.bytes.data(), n}))) << n;
    }
  }
}

TEST(HttpHead, GivesAHeadAsTheGetThatItStandsFor) {
  const std::string head_request = "HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n";
  const auto result = parse_head(head_request);
  EXPECT_EQ(accepted(result).method, "GET");
  EXPECT_TRUE(accepted(result).head_only);
  const auto plain = parse_head(kPlain);
  EXPECT_FALSE(accepted(plain).head_only);
  const std::string other = "head /a HTTP/1.1\r\nHost: x\r\n\r\n";
  const auto other_case = parse_head(other);
  EXPECT_EQ(accepted(other_case).method, "head") << "methods have a case";
  EXPECT_FALSE(accepted(other_case).head_only);
  // Whoever sent HEAD takes what follows the head of a reply for the next reply.
  for (const std::string_view bad : {"HEAD / HTTP/1.1\r\n\r\n", "HEAD /a#b HTTP/1.1\r\n",
                                     "HEAD / HTTP/1.1\r\nHost: x\r\nA: \x01\r\n"}) {
    const auto refused = parse_head(bad);
    ASSERT_TRUE(std::holds_alternative<HeadError>(refused)) << bad;
    EXPECT_TRUE(std::get<HeadError>(refused).head_only) << bad;
  }
  const auto refused_get = parse_head("GET / HTTP/1.1\r\n\r\n");
  EXPECT_FALSE(std::get<HeadError>(refused_get).head_only);
}

TEST(HttpHead, KnowsOneExpectation) {
  const auto expecting = [](std::string_view version, std::string_view value) {
    return "POST / " + std::string(version) + "\r\nHost: x\r\nExpect: " + std::string(value) +
           "\r\nContent-Length: 1\r\n\r\n";
  };
  for (const std::string_view value : {"100-continue", "100-Continue", " 100-continue ,"}) {
    const std::string bytes = expecting("HTTP/1.1", value);
    const auto result = parse_head(bytes);
    EXPECT_TRUE(accepted(result).expects_continue) << value;
  }
  const std::string old_version = expecting("HTTP/1.0", "100-continue");
  const auto from_1_0 = parse_head(old_version);
  EXPECT_FALSE(accepted(from_1_0).expects_continue) << "it has no 100";
  for (const std::string_view value : {"200-maybe", "100-continue, x", "100-continue=1"}) {
    const std::string bytes = expecting("HTTP/1.1", value);
    const auto result = parse_head(bytes);
    ASSERT_TRUE(std::holds_alternative<HeadError>(result)) << value;
    EXPECT_EQ(std::get<HeadError>(result).code, ErrorCode::kExpectationFailed) << value;
  }
}

TEST(HttpHead, KnowsOneTransferCoding) {
  for (const char* value : {"chunked", "Chunked", " CHUNKED\t "}) {
    const std::string field = std::string("Transfer-Encoding:") + value + "\r\n";
    const RequestHead head = accepted(parse_head(with_fields(field)));
    EXPECT_TRUE(head.chunked) << value;
    EXPECT_EQ(head.body_bytes, 0U);
  }
  EXPECT_FALSE(accepted(parse_head(kPlain)).chunked);
  for (const char* value : {"gzip, chunked", "gzip;q=1,chunked", "x, gzip , chunked"}) {
    const auto result =
        parse_head(with_fields(std::string("Transfer-Encoding: ") + value + "\r\n"));
    ASSERT_TRUE(std::holds_alternative<HeadError>(result)) << value;
    EXPECT_EQ(std::get<HeadError>(result).code, ErrorCode::kNotImplemented) << value;
  }
}

TEST(HttpHead, RefusesWhatIsNotInTheGrammar) {
  for (const std::string& bytes : http_oddities()) {
    SCOPED_TRACE(bytes);
    const auto result = parse_head(bytes);
    const auto* error = std::get_if<HeadError>(&result);
    ASSERT_NE(error, nullptr);
    EXPECT_EQ(error->code, ErrorCode::kBadRequest);
    EXPECT_FALSE(error->why.empty());
  }
}

// However a request is cut into pieces, the parser waits and then refuses; it never accepts a
// prefix.
TEST(HttpHead, RefusesWhateverThePieces) {
  for (const std::string& bytes : http_oddities()) {
    SCOPED_TRACE(bytes);
    bool refused = false;
    for (std::size_t n = 0; n <= bytes.size(); ++n) {
      const auto result = parse_head({bytes.data(), n});
      EXPECT_FALSE(std::holds_alternative<RequestHead>(result)) << n;
      const bool error = std::holds_alternative<HeadError>(result);
      EXPECT_TRUE(error || !refused) << "an error went away at " << n;
      refused = error;
    }
    EXPECT_TRUE(refused);
  }
}

std::string head_of_size(std::size_t bytes) {
  const std::string start = "GET / HTTP/1.1\r\nHost: x\r\nX: ";
  return start + std::string(bytes - start.size() - 4, 'a') + "\r\n\r\n";
}

TEST(HttpHead, LimitsTheHeadToTheByte) {
  EXPECT_EQ(accepted(parse_head(head_of_size(kRequestHeadBytesMax))).head_bytes,
            kRequestHeadBytesMax);
  const auto result = parse_head(head_of_size(kRequestHeadBytesMax + 1));
  const auto* error = std::get_if<HeadError>(&result);
  ASSERT_NE(error, nullptr);
  EXPECT_EQ(error->code, ErrorCode::kRequestTooLarge);
}

TEST(HttpHead, WaitsUntilTheLimitAndNoLonger) {
  const std::string endless(kRequestHeadBytesMax, 'a');
  EXPECT_TRUE(std::holds_alternative<NeedMore>(
      parse_head(std::string_view(endless).substr(0, kRequestHeadBytesMax - 1))));
  EXPECT_TRUE(std::holds_alternative<HeadError>(parse_head(endless)));
}

TEST(HttpHead, AnErrorKnowsThePathThatWasAskedFor) {
  const auto path_of = [](const std::string& bytes) {
    const auto result = parse_head(bytes);
    const auto* error = std::get_if<HeadError>(&result);
    return error == nullptr ? "no error" : std::string(error->path);
  };
  const std::string long_text(9'000, 'a');
  EXPECT_EQ(path_of("GET /v1/x?" + long_text), "/v1/x");
  EXPECT_EQ(path_of("\r\nHEAD /v1/x HTTP/1.1\r\nHost: x\r\nX: " + long_text), "/v1/x");
  EXPECT_EQ(path_of("POST /v1/x HTTP/3\r\n"), "/v1/x");
  EXPECT_EQ(path_of("GET /v1/x\r\n"), "/v1/x");
  EXPECT_EQ(path_of("GET x\r\n /v1/x"), "");
  EXPECT_EQ(path_of("GET\r\nX: /v1/x"), "");
}

TEST(HttpHead, RefusesWhatIsTooLarge) {
  for (const std::string& bytes : http_oversizes()) {
    SCOPED_TRACE(bytes.substr(0, 80));
    const auto result = parse_head(bytes);
    const auto* error = std::get_if<HeadError>(&result);
    ASSERT_NE(error, nullptr);
    EXPECT_EQ(error->code, ErrorCode::kRequestTooLarge);
  }
}

}  // namespace
}  // namespace rota
