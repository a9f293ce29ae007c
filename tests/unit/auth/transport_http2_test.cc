#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/auth/http2_server.h"

namespace rota {
namespace {

class FrozenConnection : public testing::TestWithParam<const char*> {};

// P12: a NAT entry that is lost, a load balancer that is gone, a server that hangs: the connection
// stays up, and every call on it would run into its time limit.
TEST_P(FrozenConnection, P12TheCallAfterATimeoutGoesOverAFreshConnection) {
  const std::string frozen = GetParam();
  Http2Server server({"answer", frozen});
  TransportLoop loop(server.options(std::chrono::seconds{4}));
  expect_answer(loop.send(refresh_request()), "1");
  EXPECT_EQ(server.next_line(), "connection 1 h2 answer");
  expect_failure(loop.send(refresh_request()), TransientReason::kNoReply);
  EXPECT_EQ(server.next_line(), "connection 1 h2 " + frozen) << "kept, as it should be";
  for (int call = 3; call <= 4; ++call) {
    expect_answer(loop.send(refresh_request()), std::to_string(call));
    EXPECT_EQ(server.next_line(), "connection 2 h2 answer") << "and this one is kept again";
  }
}

INSTANTIATE_TEST_SUITE_P(Ways, FrozenConnection, testing::Values("silent", "swallow", "stall"),
                         [](const auto& way) { return std::string(way.param); });

// Calls that are in flight when another one times out end where they are, each once.
TEST(TransportHttp2, ATimeoutCostsNoCallBesideIt) {
  Http2Server server({"answer", "silent"});
  TransportLoop loop(server.options(std::chrono::seconds{4}));
  expect_answer(loop.send(refresh_request()), "1");
  loop.start(refresh_request());
  loop.run_until(1);
  for (int i = 0; i < 5; ++i) loop.start(refresh_request());
  loop.run_until(6);
  expect_failure(loop.results()[0], TransientReason::kNoReply);
  for (std::size_t i = 1; i < 6; ++i) EXPECT_TRUE(loop.results()[i].has_value());
}

struct Refusal {
  const char* word;
  TransientReason reason;
  std::string next;  // how the calls after it are made
};

class RefusedStream : public testing::TestWithParam<Refusal> {};

// P3: what the server says that it never processed leaves no doubt; all else does. P7: and nothing
// is sent twice by itself.
TEST_P(RefusedStream, P3IsADoubtOnlyWhereTheCallMayHaveHadAnEffect) {
  Http2Server server({"answer", GetParam().word});
  TransportLoop loop(server.options());
  expect_answer(loop.send(refresh_request()), "1");
  EXPECT_EQ(server.next_line(), "connection 1 h2 answer");
  expect_failure(loop.send(refresh_request()), GetParam().reason);
  EXPECT_EQ(server.next_line(), fmt::format("connection 1 h2 {}", GetParam().word));
  // libcurl may have opened a connection to send it again, and was not let.
  std::string connection;
  for (int call = 3; call <= 4; ++call) {
    expect_answer(loop.send(refresh_request()), std::to_string(call));
    const std::string line = server.next_line();
    EXPECT_THAT(line, testing::EndsWith(GetParam().next));
    if (call == 4) EXPECT_EQ(line, connection) << "a good connection is kept";
    connection = line;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Words, RefusedStream,
    testing::Values(Refusal{"refuse", TransientReason::kNotProcessed, "h2 answer"},
                    Refusal{"goaway", TransientReason::kNotProcessed, "h2 answer"},
                    Refusal{"http11", TransientReason::kNotProcessed, "h1 answer"},
                    Refusal{"reset", TransientReason::kNoReply, "h2 answer"},
                    Refusal{"cut", TransientReason::kNoReply, "h2 answer"},
                    Refusal{"end", TransientReason::kNoReply, "h2 answer"},
                    Refusal{"notify", TransientReason::kNoReply, "h2 answer"},
                    Refusal{"close", TransientReason::kNoReply, "h2 answer"}),
    [](const auto& refusal) { return std::string(refusal.param.word); });

// P3: whatever ends a connection, each call that it carried is in doubt, not only the one that
// libcurl happens to look at then.
TEST(TransportHttp2, P3AConnectionThatEndsLeavesEveryCallOnItInDoubt) {
  for (const char* word : {"cut", "end", "notify", "close"}) {
    Http2Server server({"answer", "silent", "silent", "silent", word});
    TransportLoop loop(server.options());
    expect_answer(loop.send(refresh_request()), "1");
    for (int i = 0; i < 4; ++i) loop.start(refresh_request());
    loop.run_until(4);
    for (const HttpResult& result : loop.results()) {
      SCOPED_TRACE(word);
      expect_failure(result, TransientReason::kNoReply);
    }
  }
}

// Calls beside one that is refused: those that the GOAWAY includes are answered, and the one that
// was refused is no doubt.
TEST(TransportHttp2, P3ARefusedStreamCostsNoCallBesideItAndIsNoDoubt) {
  for (const char* word : {"refuse", "goaway"}) {
    SCOPED_TRACE(word);
    Http2Server server({"answer", "late", "late", word});
    TransportLoop loop(server.options());
    expect_answer(loop.send(refresh_request()), "1");
    for (int i = 0; i < 3; ++i) loop.start(refresh_request());
    loop.run_until(3);
    int answered = 0;
    for (const HttpResult& result : loop.results()) {
      if (result) ++answered;
      if (!result) expect_failure(result, TransientReason::kNotProcessed);
    }
    EXPECT_EQ(answered, 2);
  }
}

TEST(TransportHttp2, AGoawayThatIncludesTheCallCostsNothing) {
  Http2Server server({"answer", "goaway_done"});
  TransportLoop loop(server.options());
  for (int call = 1; call <= 3; ++call) {
    expect_answer(loop.send(refresh_request()), std::to_string(call));
  }
  EXPECT_EQ(server.next_line(), "connection 1 h2 answer");
  EXPECT_EQ(server.next_line(), "connection 1 h2 goaway_done");
  EXPECT_EQ(server.next_line(), "connection 2 h2 answer");
}

}  // namespace
}  // namespace rota
