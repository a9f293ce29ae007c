#include "daemon/connection_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace rota {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class StandingClock : public Clock {
 public:
  Now now() const override { return now_; }
  void advance(Duration by) { now_.boot += by; }

 private:
  Now now_{};
};

class ConnectionLogTest : public testing::Test {
 protected:
  void refuse(std::uint32_t uid, ConnectionLimit limit = ConnectionLimit::kPerUid) {
    log.connection_refused({.uid = uid, .gid = uid, .pid = 7}, limit);
  }
  // What was said since the last call.
  std::vector<std::string> said() { return std::exchange(lines, {}); }

  StandingClock clock;
  std::vector<std::string> lines;
  std::vector<std::string> noted;
  ConnectionLog log{clock, [this](Severity, std::string_view text) { lines.emplace_back(text); },
                    [this](AuditEvent event, std::string_view detail) {
                      noted.push_back(std::string(name_of(event)) + ": " + std::string(detail));
                    }};
};

TEST_F(ConnectionLogTest, TheFirstIsSaidAtOnce) {
  refuse(33);
  EXPECT_THAT(said(), ElementsAre("uid 33 pid 7 refused: too many connections from this user"));
}

TEST_F(ConnectionLogTest, AFloodGetsOneLineAMinute) {
  for (int i = 0; i < 1'000; ++i) refuse(33);
  clock.advance(Flood::kLineEvery - milliseconds{1});
  log.summarize();
  EXPECT_THAT(said(), SizeIs(1));
  clock.advance(milliseconds{1});
  refuse(34);
  log.summarize();
  log.summarize();
  EXPECT_THAT(said(),
              ElementsAre("1000 more connections refused since the last such message, the "
                          "last one from uid 34 pid 7: too many connections from this user"));
  for (int i = 0; i < 5; ++i) refuse(33);
  EXPECT_THAT(said(), IsEmpty());
  clock.advance(Flood::kLineEvery);
  log.summarize();
  EXPECT_THAT(said(), ElementsAre(HasSubstr("5 more")));
}

TEST_F(ConnectionLogTest, AMinuteWithoutAnyEndsAFlood) {
  refuse(33);
  refuse(33);
  clock.advance(Flood::kLineEvery);
  log.summarize();
  EXPECT_THAT(said(), SizeIs(2));
  clock.advance(Flood::kLineEvery);
  log.summarize();
  EXPECT_THAT(said(), IsEmpty());
  refuse(35);
  EXPECT_THAT(said(), ElementsAre(HasSubstr("uid 35 pid 7 refused")));
}

TEST_F(ConnectionLogTest, OneLimitDoesNotHideTheOther) {
  refuse(33, ConnectionLimit::kPerUid);
  refuse(33, ConnectionLimit::kTotal);
  EXPECT_THAT(said(), ElementsAre(HasSubstr("from this user"), HasSubstr("in total")));
}

TEST_F(ConnectionLogTest, WhatIsLeftIsSaidAtTheEnd) {
  log.finish();
  EXPECT_THAT(said(), IsEmpty());
  for (int i = 0; i < 4; ++i) refuse(33);
  log.finish();
  EXPECT_THAT(said(), ElementsAre(HasSubstr("refused"), HasSubstr("3 more")));
}

TEST_F(ConnectionLogTest, CountsEachByItsLimit) {
  for (int i = 0; i < 4; ++i) refuse(33, ConnectionLimit::kTotal);
  refuse(33);
  EXPECT_EQ(log.refused(ConnectionLimit::kTotal), 4U);
  EXPECT_EQ(log.refused(ConnectionLimit::kPerUid), 1U);
}

TEST_F(ConnectionLogTest, OverTcpNobodyHasAUid) {
  log.connection_refused(kPeerUnknown, ConnectionLimit::kTotal);
  EXPECT_THAT(said(), ElementsAre(HasSubstr("a client of a port or listener refused")));
}

TEST_F(ConnectionLogTest, StrangersAtAListenerAreCountedAndSaidOnceAMinute) {
  log.request_refused(DoorRefusal::kUnknownBearer);
  EXPECT_THAT(said(), ElementsAre("a listener refused a request: no client has its bearer token "
                                  "(401)"));
  for (int i = 0; i < 3; ++i) log.request_refused(DoorRefusal::kNoBearer);
  log.request_refused(DoorRefusal::kForeign);
  EXPECT_THAT(said(), IsEmpty());
  clock.advance(Flood::kLineEvery);
  log.summarize();
  EXPECT_THAT(said(), ElementsAre(HasSubstr("refused 4 more requests")));
  EXPECT_EQ(log.turned_away(DoorRefusal::kNoBearer), 3U);
  EXPECT_EQ(log.turned_away(DoorRefusal::kUnknownBearer), 1U);
  EXPECT_EQ(log.turned_away(DoorRefusal::kForeign), 1U);
}

// The trail counts them. A few texts, so that it has a few entries, however many requests there
// are.
TEST_F(ConnectionLogTest, StrangersAtAListenerComeOnTheTrail) {
  log.request_refused(DoorRefusal::kUnknownBearer);
  log.request_refused(DoorRefusal::kUnknownBearer);
  log.request_refused(DoorRefusal::kNoBearer);
  log.request_refused(DoorRefusal::kForeign);
  const char* const unknown = "client_refused: no client has its bearer token (401)";
  EXPECT_THAT(noted,
              ElementsAre(unknown, unknown, "client_refused: it has no bearer token (401)",
                          "client_refused: it comes from a browser, or is for another host (403)"));
  log.request_refused(DoorRefusal::kTooMany);
  EXPECT_THAT(noted, SizeIs(4)) << "its client is known";
  EXPECT_EQ(log.turned_away(DoorRefusal::kTooMany), 1U);
}

TEST_F(ConnectionLogTest, FailuresToAcceptAreBoundedAlike) {
  const auto error = std::make_error_code(std::errc::too_many_files_open);
  for (int i = 0; i < 100; ++i) log.accept_failed(error);
  EXPECT_THAT(said(), ElementsAre(HasSubstr("accept: Too many open files")));
  clock.advance(Flood::kLineEvery);
  log.summarize();
  EXPECT_THAT(said(), ElementsAre(HasSubstr("99 more times")));
}

}  // namespace
}  // namespace rota
