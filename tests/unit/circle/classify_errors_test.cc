#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "circle/classify.h"
#include "tests/unit/circle/replies.h"

namespace rota {
namespace {

using enum CallKind;
using replies::error_json;
using replies::reply;

constexpr auto kAllKinds = {kIssue, kRefresh, kRevokeRefresh, kRevokeAccess};

// "refresh_token_dead", and for a transient outcome its reason.
std::string verdict(CallKind kind, const HttpReply& r) {
  const Outcome outcome = classify(kind, r, WallTime{}).outcome;
  if (const auto* transient = std::get_if<Transient>(&outcome)) {
    EXPECT_FALSE(transient->why.empty());
    EXPECT_EQ(transient->why.find('\n'), std::string::npos);
    return std::string(name_of(transient->reason));
  }
  return std::string(name_of(outcome));
}

constexpr const char* kUnauthorized = "Your account could not be authenticated.";
constexpr const char* kIneligible =
    "Your community isn't eligible for headless API access. Please upgrade or contact support";
constexpr const char* kNoMember =
    "Community member not found. Please provide a valid SSO User ID, community member ID, or "
    "email.";
constexpr const char* kExpired =
    "The refresh token is expired. Please generate/get new auth token.";
constexpr const char* kNoRefreshToken = "Refresh token not found.";
constexpr const char* kMissing = "Oops! Missing parameter. Please try again later.";

struct Case {
  CallKind kind;
  int status;
  const char* message;
  const char* verdict;
};

// Every error example of the OpenAPI description.
TEST(ClassifyErrors, EveryDocumentedErrorHasItsMeaning) {
  for (const Case& c : {
           Case{kIssue, 401, kUnauthorized, "app_token_refused"},
           Case{kIssue, 403, kIneligible, "not_eligible"},
           Case{kIssue, 404, kNoMember, "member_unknown"},
           Case{kIssue, 422, "There was an error creating the token. Please contact support.",
                "server_error"},
           Case{kRefresh, 404, kNoRefreshToken, "refresh_token_dead"},
           Case{kRefresh, 401, kExpired, "refresh_token_dead"},
           Case{kRefresh, 401, kUnauthorized, "app_token_refused"},
           Case{kRefresh, 422, "The access token generation failed. Please contact support.",
                "server_error"},
           Case{kRefresh, 403, kIneligible, "not_eligible"},
           Case{kRevokeAccess, 422, "The access token is invalid.", "already_dead"},
           Case{kRevokeAccess, 422, "The access token is expired.", "already_dead"},
           Case{kRevokeAccess, 422, "The access token not found.", "already_dead"},
           Case{kRevokeAccess, 422, "Community associated with the access token not found.",
                "server_error"},
           Case{kRevokeAccess, 422, "Community member associated with the access token not found.",
                "member_gone"},
           Case{kRevokeAccess, 401, kUnauthorized, "app_token_refused"},
           Case{kRevokeAccess, 403, kIneligible, "not_eligible"},
           Case{kRevokeAccess, 404, kMissing, "server_error"},
           Case{kRevokeRefresh, 404, kNoRefreshToken, "already_dead"},
           Case{kRevokeRefresh, 404, kMissing, "server_error"},
           Case{kRevokeRefresh, 404, "Invalid refresh token.", "server_error"},
           Case{kRevokeRefresh, 401, kUnauthorized, "app_token_refused"},
           Case{kRevokeRefresh, 401, kExpired, "already_dead"},
           Case{kRevokeRefresh, 403, kIneligible, "not_eligible"},
           Case{kRevokeRefresh, 422, "Failed to revoke the refresh token.", "server_error"},
       }) {
    EXPECT_EQ(verdict(c.kind, reply(c.status, error_json(c.message))), c.verdict)
        << name_of(c.kind) << " " << c.status << " " << c.message;
  }
}

// P5: Circle's words under another status, or about another call, decide nothing.
TEST(ClassifyErrors, P5WordsOutOfPlaceAreUnclear) {
  for (const Case& c : {
           Case{kIssue, 404, kNoRefreshToken, "unclear_reply"},
           Case{kRefresh, 404, kNoMember, "unclear_reply"},
           Case{kRevokeRefresh, 404, kNoMember, "unclear_reply"},
           Case{kRevokeAccess, 404, kNoRefreshToken, "unclear_reply"},
           Case{kRevokeAccess, 404, "The access token not found.", "unclear_reply"},
           Case{kRevokeAccess, 401, kExpired, "unclear_reply"},
           Case{kRevokeRefresh, 422, "The access token is expired.", "server_error"},
           Case{kRefresh, 422, kNoRefreshToken, "server_error"},
           Case{kRevokeRefresh, 410, kNoRefreshToken, "unclear_reply"},
           Case{kRefresh, 400, kExpired, "unclear_reply"},
           Case{kIssue, 400, kNoMember, "unclear_reply"},
           Case{kRevokeRefresh, 404, "refresh token not found.", "unclear_reply"},
           Case{kRevokeRefresh, 404, "Not Found", "unclear_reply"},
           Case{kIssue, 404, "Page not found", "unclear_reply"},
           Case{kRevokeAccess, 422, "The access token is expired", "server_error"},
           Case{kRevokeAccess, 422, "Something new", "server_error"},
       }) {
    EXPECT_EQ(verdict(c.kind, reply(c.status, error_json(c.message))), c.verdict)
        << name_of(c.kind) << " " << c.status << " " << c.message;
  }
}

// What a reply says of the whole upstream: "works", "fails", "one" (about one token or member, so
// nothing of the others) or the alarm that it raises.
std::string standing(CallKind kind, const HttpReply& r) {
  const Outcome outcome = classify(kind, r, WallTime{}).outcome;
  if (const auto* transient = std::get_if<Transient>(&outcome)) {
    return transient->about_one ? "one" : "fails";
  }
  if (std::holds_alternative<Throttled>(outcome)) return "throttled";
  if (std::holds_alternative<AppTokenRefused>(outcome)) return "app_token_refused";
  if (std::holds_alternative<NotEligible>(outcome)) return "not_eligible";
  return "works";
}

// P8: all pairs of endpoint, status and known message, with the question whether the reply is about
// one token or one member. None of those counts against Circle as a whole.
TEST(ClassifyErrors, P8NoReplyAboutOneTokenOrMemberSaysAnythingOfTheUpstream) {
  const std::vector<const char*> about_one_words{
      kNoMember,
      kNoRefreshToken,
      kExpired,
      kMissing,
      "Invalid refresh token.",
      "The access token is invalid.",
      "The access token is expired.",
      "The access token not found.",
      "Community associated with the access token not found.",
      "Community member associated with the access token not found."};
  // About one call with 422 ("unprocessable"), about Circle with a 5xx.
  const std::vector<const char*> failed_words{
      "There was an error creating the token. Please contact support.",
      "The access token generation failed. Please contact support.",
      "Failed to revoke the refresh token."};
  for (const CallKind kind : kAllKinds) {
    for (const int status : {400, 401, 403, 404, 409, 410, 422, 500, 502, 503}) {
      for (const char* message : about_one_words) {
        const std::string found = standing(kind, reply(status, error_json(message)));
        EXPECT_TRUE(found == "one" || found == "works")
            << name_of(kind) << " " << status << " " << message << ": " << found;
      }
      for (const char* message : failed_words) {
        const std::string found = standing(kind, reply(status, error_json(message)));
        if (status == 422) EXPECT_EQ(found, "one") << name_of(kind) << " " << message;
        if (status >= 500) EXPECT_EQ(found, "fails") << name_of(kind) << " " << message;
      }
      // Words that nobody knows, and what is no word of Circle's, count as ever.
      const std::string unknown = standing(kind, reply(status, error_json("Something new.")));
      EXPECT_NE(unknown, "one") << name_of(kind) << " " << status;
      EXPECT_NE(unknown, "works") << name_of(kind) << " " << status;
      EXPECT_NE(standing(kind, reply(status, replies::kHtml502, "text/html")), "one");
    }
    EXPECT_EQ(standing(kind, reply(401, error_json(kUnauthorized))), "app_token_refused");
    EXPECT_EQ(standing(kind, reply(403, error_json(kIneligible))), "not_eligible");
    EXPECT_EQ(standing(kind, reply(429, error_json(kNoMember))), "throttled");
  }
}

// P4, P5: only a revocation is settled by these words, and only with the statuses seen in the wild.
TEST(ClassifyErrors, P4ARemovedMembersTokenIsSettledByCirclesWordsAlone) {
  const std::string gone =
      error_json("Community member associated with the access token not found.");
  for (const CallKind kind : kAllKinds) {
    const bool revokes = kind == kRevokeAccess || kind == kRevokeRefresh;
    for (const int status : {400, 401, 403, 404, 422, 500, 503}) {
      const bool settles = revokes && (status == 401 || status == 422);
      EXPECT_EQ(verdict(kind, reply(status, gone)) == "member_gone", settles)
          << name_of(kind) << " " << status;
    }
  }
  EXPECT_EQ(verdict(kRefresh, reply(401, gone)), "unclear_401") << "settled by an issue call";
}

TEST(ClassifyErrors, P8AnUnknown401MeansTheAppTokenOnIssueOnly) {
  for (const std::string& body : {error_json("Nope."), std::string(R"({"status":"unauthorized"})"),
                                  std::string(), std::string("HTTP Token: Access denied.\n")}) {
    EXPECT_EQ(verdict(kIssue, reply(401, body)), "app_token_refused") << body;
    EXPECT_EQ(verdict(kRefresh, reply(401, body)), "unclear_401") << body;
    EXPECT_EQ(verdict(kRevokeRefresh, reply(401, body)), "unclear_reply") << body;
    EXPECT_EQ(verdict(kRevokeAccess, reply(401, body)), "unclear_reply") << body;
  }
  EXPECT_EQ(verdict(kIssue, reply(401, error_json(kExpired))), "unclear_reply");
  EXPECT_EQ(verdict(kIssue, reply(401, "\n<!DOCTYPE html>", "")), "unclear_reply");
  EXPECT_EQ(verdict(kIssue, reply(401, "", "text/html")), "unclear_reply");
}

TEST(ClassifyErrors, P8A403CountsInCirclesShapeOnly) {
  for (const CallKind kind : kAllKinds) {
    EXPECT_EQ(verdict(kind, reply(403, error_json("Other words."))), "not_eligible");
    EXPECT_EQ(verdict(kind, reply(403, R"({"message":"Forbidden"})")), "unclear_reply");
    EXPECT_EQ(verdict(kind, reply(403, R"({"success":false,"errors":[]})")), "unclear_reply");
    EXPECT_EQ(verdict(kind, reply(403, "<html>Attention Required!", "text/html")), "unclear_reply");
    EXPECT_EQ(verdict(kind, reply(403, "")), "unclear_reply");
  }
}

// P5: pages of proxies, replies cut off, and statuses nobody documents.
TEST(ClassifyErrors, P5WhatIsNotCirclesIsUnclearForEveryCall) {
  const std::string gone = error_json(kNoRefreshToken);
  for (const CallKind kind : kAllKinds) {
    for (const int status : {301, 302, 307, 400, 404, 405, 409, 410, 413, 422, 500, 502, 503, 504,
                             520, 524, 599, 100, 0}) {
      EXPECT_EQ(verdict(kind, reply(status, replies::kHtml502, "text/html")), "unclear_reply")
          << status;
      EXPECT_EQ(verdict(kind, reply(status, "")), "unclear_reply") << status;
      EXPECT_EQ(verdict(kind, reply(status, gone.substr(0, gone.size() - 1))), "unclear_reply")
          << status;
    }
    for (const int status : {500, 502, 503, 504}) {
      EXPECT_EQ(verdict(kind, reply(status, error_json("Oh no."))), "server_error") << status;
      EXPECT_EQ(verdict(kind, reply(status, gone)), "server_error") << status;
      EXPECT_EQ(verdict(kind, reply(status, R"({"status":500,"error":"Internal"})")),
                "unclear_reply")
          << status;
    }
  }
}

std::optional<Duration> pause(const HttpReply& r, WallTime wall_now) {
  const Outcome outcome = classify(kRefresh, r, wall_now).outcome;
  const auto* throttled = std::get_if<Throttled>(&outcome);
  EXPECT_NE(throttled, nullptr);
  return throttled == nullptr ? std::nullopt : throttled->after;
}

TEST(ClassifyErrors, P7A429ThrottlesWhateverItSays) {
  for (const CallKind kind : kAllKinds) {
    for (const auto body : {replies::kHtml502, std::string_view(), std::string_view("{}")}) {
      EXPECT_EQ(verdict(kind, reply(429, body)), "throttled");
    }
  }
  const WallTime wall = *parse_http_date("Sun, 06 Nov 1994 10:00:00 GMT");
  HttpReply r = reply(429, "");
  EXPECT_EQ(pause(r, wall), std::nullopt);
  r.retry_after = "garbage";
  EXPECT_EQ(pause(r, wall), std::nullopt);
  r.retry_after = "30";
  EXPECT_EQ(pause(r, wall), std::chrono::seconds{30});
  r.retry_after = "Sun, 06 Nov 1994 10:00:10 GMT";
  EXPECT_EQ(pause(r, wall), std::chrono::seconds{10});
  // The reply's own Date is the clock that its Retry-After was written by.
  r.date = "Sun, 06 Nov 1994 10:00:07 GMT";
  EXPECT_EQ(pause(r, wall), std::chrono::seconds{3});
}

std::optional<Duration> asked_after(const HttpReply& r, CallKind kind = CallKind::kRefresh) {
  const Outcome outcome = classify(kind, r, WallTime{}).outcome;
  const auto* failure = std::get_if<Transient>(&outcome);
  EXPECT_NE(failure, nullptr);
  return failure == nullptr ? std::nullopt : failure->after;
}

TEST(ClassifyErrors, P7AServerErrorWithRetryAfterAsksForAPause) {
  for (const CallKind kind : kAllKinds) {
    for (const auto& body : {std::string(replies::kHtml502), std::string(), error_json("Sorry")}) {
      for (const int status : {500, 502, 503, 504, 520}) {
        HttpReply r = reply(status, body);
        EXPECT_EQ(asked_after(r, kind), std::nullopt);
        r.retry_after = "30";
        EXPECT_EQ(asked_after(r, kind), std::chrono::seconds{30}) << status;
      }
    }
  }
  HttpReply r = reply(503, "");
  r.retry_after = "soon";
  EXPECT_EQ(asked_after(r), std::nullopt);
  r.retry_after = "999999999";
  EXPECT_EQ(asked_after(r), kServerRetryAfterMax) << "any proxy's word is not taken for a day";
  r.retry_after = "Sun, 06 Nov 1994 10:00:10 GMT";
  r.date = "Sun, 06 Nov 1994 10:00:07 GMT";
  EXPECT_EQ(asked_after(r), std::chrono::seconds{3});
  HttpReply page = reply(404, replies::kHtml502, "text/html");
  page.retry_after = "30";
  EXPECT_EQ(asked_after(page), std::nullopt) << "says nothing about the server";
}

// P10: a reply that repeats a token puts it into no text.
TEST(ClassifyErrors, P10NoTextRepeatsATokenOrABody) {
  const std::string token(replies::kRefresh);
  for (const CallKind kind : kAllKinds) {
    for (const HttpReply& r : {
             reply(404, error_json("No such token: " + token)),
             reply(200, R"({"refresh_token":")" + token + "\"}"),
             reply(500, token),
             reply(500, "", "text/" + token),
         }) {
      const Outcome outcome = classify(kind, r, WallTime{}).outcome;
      const auto* transient = std::get_if<Transient>(&outcome);
      ASSERT_NE(transient, nullptr);
      EXPECT_EQ(transient->why.find(token.substr(0, 12)), std::string::npos) << transient->why;
    }
  }
}

TEST(ClassifyErrors, TheReasonNamesStatusCallAndWords) {
  const Outcome outcome =
      classify(kRevokeRefresh, reply(422, error_json("Failed to revoke the refresh token.")),
               WallTime{})
          .outcome;
  EXPECT_EQ(std::get<Transient>(outcome).why,
            "422 to revoke_refresh: Failed to revoke the refresh token.");
}

}  // namespace
}  // namespace rota
