#include "http/response.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <set>
#include <string>

#include "http/buffer.h"
#include "http/limits.h"

namespace rota {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

std::string rendered(const ErrorReply& reply, bool close = false) {
  Buffer out;
  append_error(out, reply, {.close = close});
  return std::string(out.data());
}

std::string body_of(std::string_view reply) {
  return std::string(reply.substr(reply.find("\r\n\r\n") + 4));
}

struct Wanted {
  ErrorCode code;
  int status;
  std::string_view name;
};

TEST(Response, EveryErrorHasItsPlaceInTheTable) {
  const Wanted table[] = {
      {ErrorCode::kBadRequest, 400, "bad_request"},
      {ErrorCode::kUnauthorized, 401, "unauthorized"},
      {ErrorCode::kForbidden, 403, "forbidden"},
      {ErrorCode::kMemberUnknown, 404, "member_unknown"},
      {ErrorCode::kNotFound, 404, "not_found"},
      {ErrorCode::kMethodNotAllowed, 405, "method_not_allowed"},
      {ErrorCode::kExpectationFailed, 417, "expectation_failed"},
      {ErrorCode::kNotPossible, 409, "not_possible"},
      {ErrorCode::kMemberInRoster, 409, "member_in_roster"},
      {ErrorCode::kEnrolmentLimited, 503, "enrolment_limited"},
      {ErrorCode::kRemovalsLimited, 503, "removals_limited"},
      {ErrorCode::kMemberRetired, 410, "member_retired"},
      {ErrorCode::kMemberBlocked, 410, "member_blocked"},
      {ErrorCode::kConfigInvalid, 422, "config_invalid"},
      {ErrorCode::kRequestTooLarge, 431, "request_too_large"},
      {ErrorCode::kInternal, 500, "internal"},
      {ErrorCode::kNotImplemented, 501, "not_implemented"},
      {ErrorCode::kCommunityNotEligible, 403, "community_not_eligible"},
      {ErrorCode::kTokenUnknown, 404, "token_unknown"},
      {ErrorCode::kTokenExpired, 401, "token_expired"},
      {ErrorCode::kTokenUnavailable, 503, "token_unavailable"},
      {ErrorCode::kMemberMismatched, 503, "member_mismatched"},
      {ErrorCode::kTooManyConnections, 503, "too_many_connections"},
      {ErrorCode::kUnavailable, 503, "unavailable"},
  };
  for (const Wanted& wanted : table) {
    SCOPED_TRACE(wanted.name);
    const std::string reply = rendered(error_reply(wanted.code));
    EXPECT_THAT(reply, testing::StartsWith("HTTP/1.1 " + std::to_string(wanted.status) + " "));
    EXPECT_THAT(reply, HasSubstr("\r\nCache-Control: no-store\r\n"));
    const std::string body = body_of(reply);
    EXPECT_THAT(reply, HasSubstr("\r\nContent-Length: " + std::to_string(body.size()) + "\r\n"));
    const auto json = boost::json::parse(body).as_object();
    ASSERT_EQ(json.size(), 4U);
    EXPECT_FALSE(json.at("success").as_bool());
    EXPECT_EQ(json.at("code").as_string(), wanted.name);
    EXPECT_FALSE(json.at("message").as_string().empty());
    EXPECT_TRUE(json.at("error_details").as_object().empty());
  }
}

TEST(Response, WritesAnErrorByteForByte) {
  EXPECT_EQ(rendered(error_reply(ErrorCode::kMemberRetired, "gone"), true),
            "HTTP/1.1 410 Gone\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n"
            "Connection: close\r\nContent-Length: 77\r\n\r\n"
            R"({"success":false,"code":"member_retired","message":"gone","error_details":{}})");
}

TEST(Response, QuotesWhatTheClientSentSafely) {
  const std::string body =
      body_of(rendered(error_reply(ErrorCode::kBadRequest, "a\"\\\n\xff\r\n\xc3")));
  EXPECT_EQ(boost::json::parse(body).at("message").as_string(), "a\"\\?????");
}

TEST(Response, RoundsRetryAfterUp) {
  const std::pair<Duration, std::string_view> cases[] = {
      {milliseconds{0}, "1"},     {milliseconds{1}, "1"},  {milliseconds{1'000}, "1"},
      {milliseconds{1'001}, "2"}, {milliseconds{-5}, "1"}, {milliseconds{60'000}, "60"}};
  for (const auto& [after, wanted] : cases) {
    ErrorReply reply = error_reply(ErrorCode::kTokenUnavailable);
    reply.retry_after = after;
    EXPECT_THAT(rendered(reply), HasSubstr("\r\nRetry-After: " + std::string(wanted) + "\r\n"));
  }
  EXPECT_THAT(rendered(error_reply(ErrorCode::kTokenUnavailable)), Not(HasSubstr("Retry-After")));
}

TEST(Response, SaysWhichMethodIsAllowed) {
  EXPECT_THAT(rendered(method_not_allowed("POST")), HasSubstr("\r\nAllow: POST\r\n"));
}

Published row_with_token(std::string_view token, WallTime expires_at) {
  Published row;
  row.access_token = make_secret(token);
  row.escaped_token = escaped_for_json(*row.access_token);
  row.expires_at = expires_at;
  row.community_member_id = 42;
  row.community_id = 1;
  return row;
}

TEST(Response, WritesATokenByteForByte) {
  const WallTime now{milliseconds{1'700'000'000'000}};
  Buffer out;
  append_token(out, row_with_token("eyJhbGciOi.x-_y", now + milliseconds{59'999}), now, {});
  EXPECT_EQ(
      out.data(),
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n"
      "Date: Tue, 14 Nov 2023 22:13:20 GMT\r\nRota-Expires-In: 59\r\nContent-Length: 129\r\n\r\n"
      R"({"access_token":"eyJhbGciOi.x-_y","access_token_expires_at":"2023-11-14T22:14:19.999Z",)"
      R"("community_member_id":42,"community_id":1})");
  Buffer closing;
  append_token(closing, row_with_token("t", now + milliseconds{60'000}), now, {.close = true});
  EXPECT_THAT(std::string(closing.data()),
              HasSubstr("Rota-Expires-In: 60\r\nConnection: close\r\n"));
}

TEST(Response, QuotesInATokenWhatJsonQuotes) {
  Published row = row_with_token("a\"b\\c\nd", WallTime{milliseconds{1'710'954'000'000}});
  row.community_member_id = 9'007'199'254'740'992;
  row.community_id = 7;
  Buffer out;
  append_token(out, row, WallTime{}, {});
  const std::string body = body_of(out.data());
  EXPECT_EQ(body,
            R"({"access_token":"a\"b\\c\nd","access_token_expires_at":"2024-03-20T17:00:00.000Z",)"
            R"("community_member_id":9007199254740992,"community_id":7})");
  EXPECT_THAT(std::string(out.data()),
              HasSubstr("\r\nContent-Length: " + std::to_string(body.size()) + "\r\n"));
}

// The head of the GET's reply to the byte, its length too, and then the next reply may come.
TEST(Response, ToAHeadIsThatOfTheGetWithoutItsBody) {
  const WallTime now{milliseconds{1'700'000'000'000}};
  const auto row = row_with_token("t", now + milliseconds{60'000});
  const auto pair = [](const auto& append) {
    Buffer whole;
    append(whole, ReplyForm{});
    Buffer head;
    append(head, ReplyForm{.head_only = true});
    return std::pair(std::string(whole.data()), std::string(head.data()));
  };
  const std::pair<std::string, std::string> replies[] = {
      pair([&](Buffer& out, ReplyForm form) { append_token(out, row, now, form); }),
      pair([&](Buffer& out, ReplyForm form) { append_json(out, JsonReply{"[1]"}, form); }),
      pair([&](Buffer& out, ReplyForm form) { append_metrics(out, MetricsReply{"a 1\n"}, form); }),
      pair([&](Buffer& out, ReplyForm form) {
        append_error(out, error_reply(ErrorCode::kForbidden), form);
      }),
  };
  for (const auto& [whole, head] : replies) {
    EXPECT_EQ(head, whole.substr(0, whole.find("\r\n\r\n") + 4));
    EXPECT_LT(head.size(), whole.size());
  }
}

TEST(Response, WritesJson) {
  Buffer out;
  append_json(out, JsonReply{"[]"}, {});
  EXPECT_EQ(out.data(),
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n"
            "Content-Length: 2\r\n\r\n[]");
}

TEST(Response, SaysAnErrorInCirclesWords) {
  constexpr CircleError kWords{.status = 422,
                               .reason = "Unprocessable Content",
                               .message = "The access token not found.",
                               .details = R"({"message":"x"})"};
  ErrorReply reply = error_reply(ErrorCode::kTokenUnknown);
  reply.circle = &kWords;
  EXPECT_THAT(rendered(reply), testing::StartsWith("HTTP/1.1 422 Unprocessable Content\r\n"));
  EXPECT_EQ(body_of(rendered(reply)),
            R"({"success":false,"code":"token_unknown","message":"The access token not found.",)"
            R"("error_details":{"message":"x"}})");
}

TEST(Response, WritesTheStatusOfJson) {
  constexpr std::pair<JsonStatus, std::string_view> kStarts[] = {
      {JsonStatus::kCreated, "HTTP/1.1 201 Created\r\n"},
      {JsonStatus::kAccepted, "HTTP/1.1 202 Accepted\r\n"},
  };
  for (const auto& [status, start] : kStarts) {
    Buffer out;
    append_json(out, JsonReply{.body = "[]", .status = status}, {});
    EXPECT_THAT(std::string(out.data()), testing::StartsWith(std::string(start)));
  }
}

TEST(Response, WithoutABodyHasNoLengthEither) {
  Buffer out;
  append_empty(out, {.close = true});
  EXPECT_EQ(out.data(),
            "HTTP/1.1 204 No Content\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n");
}

TEST(Response, WritesThatItIsNotReady) {
  Buffer out;
  append_json(out, JsonReply{.body = "[]", .status = JsonStatus::kUnavailable}, {});
  EXPECT_EQ(out.data(),
            "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
            "Cache-Control: no-store\r\nContent-Length: 2\r\n\r\n[]");
}

TEST(Response, WritesMetrics) {
  Buffer out;
  append_metrics(out, MetricsReply{"a 1\n"}, {.close = true});
  EXPECT_EQ(out.data(),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
            "Cache-Control: no-store\r\nConnection: close\r\nContent-Length: 4\r\n\r\na 1\n");
}

TEST(Buffer, KeepsBytesInOrderThroughGrowth) {
  Buffer buffer;
  std::string wanted;
  for (int i = 0; i < 2'000; ++i) {
    const std::string piece = std::to_string(i) + ",";
    buffer.append(piece);
    wanted += piece;
    if (i % 3 == 0) {
      buffer.consume(2);
      wanted.erase(0, 2);
    }
    ASSERT_EQ(buffer.data(), wanted);
  }
  buffer.consume(buffer.size());
  EXPECT_TRUE(buffer.empty());
}

TEST(Buffer, WipesWhatLeavesIt) {
  Buffer buffer;
  buffer.append("secret-token and the rest");
  const char* start = buffer.data().data();
  buffer.consume(12);
  EXPECT_EQ(std::string(start, 12), std::string(12, '\0'));
  EXPECT_EQ(buffer.data(), " and the rest");
  buffer.consume(buffer.size());
  EXPECT_EQ(std::string(start, 25), std::string(25, '\0'));
}

TEST(Buffer, GivesLargeMemoryBackWhenEmpty) {
  Buffer buffer;
  buffer.append(std::string(kOutputBytesKept / 2, 'a'));
  buffer.consume(buffer.size());
  EXPECT_GT(buffer.capacity(), 0U);
  buffer.append(std::string(4 * kOutputBytesKept, 'a'));
  buffer.consume(buffer.size() - 1);
  EXPECT_GT(buffer.capacity(), 0U);
  buffer.consume(1);
  EXPECT_EQ(buffer.capacity(), 0U);
}

}  // namespace
}  // namespace rota
