// Apps that were written for Circle log a member in again and again: at each page view, or because
// Circle refused the token. Circle's own routes and the whole engine, on a clock that the test
// moves.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "api/circle_logins.h"
#include "api/frontend.h"
#include "tests/unit/engine/engine_box.h"
#include "unit/api/fakes.h"

namespace rota::test {
namespace {

// The engine's table and times, in front of the frontend.
class EngineTokens : public FakeTokenService {
 public:
  EngineTokens(const Clock& clock, EngineBox& box) : FakeTokenService(clock), box_(box) {}
  const Table& table() const override { return box_.table; }
  WallTime circle_now() const override { return box_.engine.serving_time(box_.now); }

 private:
  EngineBox& box_;
};

class BoxClock : public Clock {
 public:
  explicit BoxClock(const EngineBox& box) : box_(box) {}
  Now now() const override { return box_.now; }

 private:
  const EngineBox& box_;
};

class EnginePageViews : public ::testing::Test {
 protected:
  void SetUp() override {
    box.start();
    box.roster({entry("id:1"), entry("id:2")});
    pass(Duration{1'000});
  }
  // Time passes, and Circle answers every call within a tenth of a second.
  void pass(Duration length) {
    constexpr Duration kStep{100};
    for (const BootTime end = box.now.boot + length; box.now.boot < end;) {
      const auto wake = box.engine.next_wake(box.now).value_or(end);
      const Duration quiet = box.open_calls().empty() ? wake - box.now.boot : kStep;
      box.run_for(std::min(std::max(quiet, kStep), end - box.now.boot));
      answer_calls();
    }
  }
  void answer_calls() {
    for (const command::Call& call : box.open_calls()) {
      const bool issues = call.request.kind == CallKind::kIssue;
      const std::string member = issues ? std::string(call.request.member.text().substr(3))
                                        : std::string(call.request.token->reveal());
      const std::string token = fmt::format("{}-{}", member, ++made);
      ++calls[member];
      if (issues) {
        box.reply(call, issued(token, member, box.circle(), std::stoi(member)), box.circle());
      } else {
        ASSERT_EQ(call.request.kind, CallKind::kRefresh);
        box.reply(call, refreshed(token, box.circle() + std::chrono::hours{1}), box.circle());
      }
      box.settle();
    }
  }
  // The app asks for the member's token.
  std::string log_in(int member) {
    RequestHead head;
    head.method = "POST";
    head.path = "/api/v1/headless/auth_token";
    Answer answer =
        frontend.answer(head, fmt::format(R"({{"community_member_id":{}}})", member), app);
    if (auto* later = std::get_if<WaitReply>(&answer)) {
      const WaitRequest& asked = later->request;
      const WaitId wait = box.wait(std::to_underlying(asked.member), asked.wait, asked.refused);
      while (!box.answers.contains(wait)) pass(Duration{100});
      const TokenOutcome outcome = frontend.settle(later->asked, box.answers.at(wait), app);
      return give(std::get<TokenReply>(outcome));
    }
    return give(std::get<TokenReply>(answer));
  }
  std::string give(const TokenReply& reply) {
    Buffer out;
    frontend.give(reply, app, {}, out);
    const std::string_view text = out.data();
    const auto pair = boost::json::parse(text.substr(text.find("\r\n\r\n") + 4)).as_object();
    return std::string(pair.at("access_token").as_string());
  }

  EngineBox box;
  BoxClock clock{box};
  EngineTokens tokens{clock, box};
  FakeHealthService health;
  const PeerIdentity app{.uid = 33, .gid = 33, .pid = 1};
  AccessPolicy policy{0,
                      {{.id = 33, .name = "web", .all_members = true, .tags = {}, .members = {}}}};
  CircleLogins logins{clock, Secret(std::string(kHandleKeyBytes, 'k'))};
  Frontend frontend = Frontend::token_socket(tokens, policy, health, &logins);
  std::map<std::string, int> calls;  // to Circle, by member
  int made = 0;
};

TEST_F(EnginePageViews, ALoginAtEachOfThemCostsAtMostFourCallsAnHourMore) {
  constexpr int kHours = 12;
  log_in(2);
  for (int view = 0; view < kHours * 720; ++view) {
    log_in(1);
    pass(std::chrono::seconds{5});
  }
  EXPECT_GE(calls["2"], kHours) << "it is kept fresh for an app that does not ask";
  EXPECT_GT(calls["1"], calls["2"]);
  EXPECT_LE(calls["1"], calls["2"] + 4 * kHours);
}

// Circle refuses the token, so the app drops it and logs in again, as fast as it does.
TEST_F(EnginePageViews, AnAppWhoseTokenCircleRefusedHasAnotherWithinAMinute) {
  for (const Duration pause : {Duration{300}, Duration{5'000}, Duration{25'000}}) {
    std::string token = log_in(1);
    for (int time = 0; time < 4; ++time) {
      pass(std::chrono::minutes{16});  // doubts are a quarter of an hour apart
      token = log_in(1);
      pass(std::chrono::minutes{2});
      const std::string refused = token;
      const BootTime since = box.now.boot;
      for (token = log_in(1); token == refused; token = log_in(1)) {
        ASSERT_LE(box.now.boot - since, std::chrono::minutes{1}) << pause.count() << " ms";
        pass(pause);
      }
      EXPECT_LE(box.now.boot - since, std::chrono::minutes{1}) << pause.count() << " ms";
    }
  }
}

}  // namespace
}  // namespace rota::test
