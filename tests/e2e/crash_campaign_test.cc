#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <random>
#include <set>

#include "e2e/campaign.h"

// kill -9 at random instants, under load (P2, P3, P4, P7): no token that was served is lost,
// nothing that was served was not durable, no leaver keeps a token, and the budget holds over the
// restarts.
//
//   ROTA_CRASH_SEED=…    replays a run as far as the machine does
//   ROTA_CRASH_KILLS=…   of each campaign

namespace rota::e2e {
namespace {

constexpr int kMembers = 18;  // that the sandbox has
constexpr int kActive = 12;   // of them in the roster, at any time
constexpr Duration kLastInstant{400};
constexpr Duration kWindow{3'000};
constexpr int kBudget = 30;
// How far Circle's clock may be from the daemon's idea of it: a Date counts whole seconds; and the
// margin of P1.
constexpr Duration kClockSlack{2'100};

std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// A port where nobody listens, and nobody else can.
class ClosedPort {
 public:
  ClosedPort() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    socklen_t length = sizeof address;
    EXPECT_EQ(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &length), 0);
    url_ = fmt::format("http://127.0.0.1:{}", ntohs(address.sin_port));
  }
  ~ClosedPort() { ::close(fd_); }
  ClosedPort(const ClosedPort&) = delete;
  ClosedPort& operator=(const ClosedPort&) = delete;
  const std::string& url() const { return url_; }

 private:
  int fd_;
  std::string url_;
};

struct Weather {
  const char* name;
  const char* issue_mode;
  Duration clock_offset;  // of Circle's clock
  const char* faults;

  friend void PrintTo(const Weather& weather, std::ostream* out) { *out << weather.name; }
};

// Who is in the roster. Changed by the operator's thread while its gate is open, read by the test
// while it is closed.
class Staff {
 public:
  Staff() {
    for (int member = 1; member <= kActive; ++member) active.insert(member);
  }

  // One leaves, by its flag or by its absence, and another takes the place: one that is new, or one
  // that left before.
  struct Step {
    int leaver = 0;
    int joiner = 0;
  };
  Step plan(Random& random) const {
    const auto pick = [&random](const std::set<int>& from) {
      return *std::next(from.begin(), static_cast<std::ptrdiff_t>(random.below(from.size())));
    };
    std::set<int> others;
    for (int member = 1; member <= kMembers; ++member) {
      if (!active.contains(member)) others.insert(member);
    }
    return {.leaver = pick(active), .joiner = pick(others)};
  }
  void take(const Step& step, bool by_flag) {
    active.erase(step.leaver);
    active.insert(step.joiner);
    flagged.erase(step.joiner);
    left.erase(step.joiner);
    left.insert(step.leaver);
    if (by_flag) flagged.insert(step.leaver);
  }
  std::string roster() const {
    std::string text;
    for (const int member : active) text += entry_of(member, false);
    for (const int member : flagged) text += entry_of(member, true);
    return text;
  }

  std::set<int> active;
  std::set<int> flagged;  // retired = true
  std::set<int> left;     // all that were active once and are not
};

class Campaign {
 public:
  Campaign(const Weather& weather, std::uint64_t seed)
      : weather_(weather),
        random_(seed),
        operator_random_(seed + 1),
        box_({"--access-ttl", "5s", "--refresh-ttl", "10m", "--rate-limit", "0", "--latency",
              "25ms", "--rate-window", format_duration(kWindow), "--retry-after", "seconds",
              "--issue-mode", weather.issue_mode, "--clock-offset",
              format_duration(weather.clock_offset)}) {
    for (int member = 6; member <= kMembers; ++member) {
      box_.sandbox.control(
          post("/_sandbox/members", fmt::format(R"({{"id":{0},"email":"member{0}@example.com",)"
                                                R"("sso_user_id":"sso|{0}"}})",
                                                member)));
    }
    box_.daemon.rotation = {{"refresh_ahead", "\"2s\""}};
    box_.daemon.upstream = {{"request_timeout", "\"1s\""},
                            {"requests_per_window", std::to_string(kBudget)},
                            {"window", fmt::format("\"{}\"", format_duration(kWindow))}};
    box_.daemon.base_url = box_.sandbox.url();
    box_.daemon.write_roster(staff_.roster());
    start_threads(seed);
  }
  ~Campaign() { end_threads(); }
  Campaign(const Campaign&) = delete;
  Campaign& operator=(const Campaign&) = delete;

  // A first life in fair weather, until Circle's clock is known.
  void begin() {
    ASSERT_TRUE(box_.daemon.start());
    ASSERT_TRUE(eventually([&] {
      const auto status = box_.daemon.admin(get("/v1/status")).json();
      return status.at("upstream").at("clock_confirmed").as_bool();
    }));
    box_.daemon.kill9();
    box_.sandbox.faults(weather_.faults);
  }

  void live_and_die() {
    constexpr std::uint64_t kDarkOneOf = 5;
    constexpr std::uint64_t kStillbornOneOf = 8;
    const bool dark = random_.below(kDarkOneOf) == 0;
    const auto before = newest_living(
        box_.sandbox, [this](const std::string& token) { return book_.still_counts(token); });
    box_.daemon.base_url = dark ? closed_port_.url() : box_.sandbox.url();
    box_.daemon.write_config();
    box_.daemon.launch();
    clients_.open();
    if (random_.below(kStillbornOneOf) == 0) {
      constexpr Duration kStartTime{100};
      die_within(kStartTime);
      ++stillborn_;
      return;
    }
    ASSERT_TRUE(box_.daemon.wait_for_notice("READY=1")) << box_.daemon.process().output();
    look(before, dark);
    operator_gate_.open();
    constexpr std::uint64_t kAtNewsOneOf = 2;
    const bool at_news = !dark && random_.below(kAtNewsOneOf) == 0;
    if (at_news) book_.kill_at_news(box_.daemon.process().pid());
    constexpr Duration kLastNews{1'000};
    die_within(at_news ? kLastNews : kLastInstant);
    if (at_news && book_.killed()) ++at_news_;
  }

  // A last life, in fair weather: whoever left holds nothing any more.
  void settle() {
    box_.sandbox.faults("[]");
    box_.daemon.base_url = box_.sandbox.url();
    ASSERT_TRUE(box_.daemon.start());
    clients_.open();
    ASSERT_TRUE(eventually(
        [&] {
          const auto status = box_.daemon.admin(get("/v1/status")).json();
          const auto& members = status.at("members").as_object();
          return status.at("tokens_to_revoke").as_int64() == 0 &&
                 members.at("retiring").as_int64() == 0;
        },
        2 * kLimit))
        << box_.daemon.admin(get("/v1/status")).body;
    for (const int member : staff_.active) {
      EXPECT_TRUE(eventually([&] { return !box_.daemon.token(query_of(member)).empty(); }))
          << member;
    }
    end_threads();
    judge_leavers();
    book_.judge(
        box_.sandbox.control(get("/_sandbox/ledger?kind=access")).json().at("tokens").as_array(),
        weather_.clock_offset);
    const auto stats = box_.sandbox.stats();
    const auto peak = stats.at("rate").at("peak").as_int64();
    EXPECT_LE(peak, kBudget) << "P7";
    EXPECT_EQ(stats.at("violations").at("total").as_int64(), 0)
        << boost::json::serialize(stats.at("violations"));
    EXPECT_EQ(stats.at("in_flight").at("overlaps").as_int64(), 0) << "P9";
    std::cout << fmt::format(
        "{}: {} kills, {} before READY, {} at the first sight of a token; {} fetches got {} "
        "tokens; {} looked for after a kill, {} of "
        "them with Circle away; {} left, {} doubts; {} calls, peak {} of {}\n",
        weather_.name, kills_, stillborn_, at_news_, book_.fetches(), book_.tokens(), compared_,
        compared_dark_, leavings_,
        box_.daemon.admin(get("/v1/status")).json().at("doubts").as_int64(), box_.sandbox.calls(),
        peak, kBudget);
    // Otherwise nothing was put to the test.
    const int least = kills_ / 4;
    EXPECT_GT(compared_, least);
    EXPECT_GT(at_news_, least / 8);
    EXPECT_GT(leavings_, least / 8);
    EXPECT_GT(compared_dark_, least / 8);
    EXPECT_GE(peak, kBudget - kBudget / 8) << "the budget never bound";
  }

 private:
  void start_threads(std::uint64_t seed) {
    const std::array plans{
        ClientPlan{.keep_alive = true, .options = "&wait=0"},
        ClientPlan{.keep_alive = false, .options = "&wait=0"},
        ClientPlan{.keep_alive = true, .options = "&wait=1s"},
        ClientPlan{.keep_alive = false, .options = "&wait=2s&min_ttl=4s"},
        ClientPlan{.keep_alive = true, .options = "&wait=1s", .refuses_sometimes = true},
    };
    for (const ClientPlan& plan : plans) {
      threads_.push_back(
          start_client(plan, kMembers, ++seed * 1'000, box_.daemon, clients_, book_));
    }
    threads_.emplace_back([this] {
      while (operator_gate_.enter()) {
        operate();
        operator_gate_.leave();
      }
    });
  }

  void end_threads() {
    operator_gate_.end();
    operator_gate_.close();
    clients_.end();
    clients_.close();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  // Once a life at most, then it stands still until the gate closes.
  void operate() {
    constexpr std::uint64_t kActsOneOf = 2;
    constexpr Duration kThinks{150};
    const bool acts = operator_random_.below(kActsOneOf) == 0;
    if (acts && !operator_gate_.closed_within(operator_random_.up_to(kThinks))) {
      const Staff::Step step = staff_.plan(operator_random_);
      ++leavings_;
      book_.back(step.joiner);
      staff_.take(step, operator_random_.below(2) == 0);
      box_.daemon.write_roster(staff_.roster());
      if (operator_random_.below(2) == 0) {
        const Reply reload = box_.daemon.admin(post("/v1/roster/reload"));
        if (reload.status == 200) book_.gone(step.leaver, wall_now());
        EXPECT_TRUE(reload.status == 200 || reload.status == 0) << reload.body;
      }
    }
    while (!operator_gate_.closed_within(kLastInstant)) {
    }
  }

  void die_within(Duration limit) {
    constexpr Duration kFirstInstant{5};
    const Duration instant = kFirstInstant + random_.up_to(limit - kFirstInstant);
    box_.daemon.process().ends_within(instant);
    EXPECT_EQ(box_.daemon.process().kill_and_wait(SIGKILL), -SIGKILL)
        << box_.daemon.process().output();
    ++kills_;
    operator_gate_.close();
    clients_.close();
  }

  // What the new process serves, against what the clients of the last one were served.
  void look(const std::map<int, LedgerToken>& before, bool dark) {
    // The roster on disk was durable before READY.
    for (const int member : staff_.left) book_.gone(member, wall_now());
    std::vector<int> members(staff_.active.begin(), staff_.active.end());
    members.insert(members.end(), staff_.left.begin(), staff_.left.end());
    Connection connection = Connection::to_unix(box_.daemon.token_socket());
    std::string requests;
    for (const int member : members) requests += get("/v1/token?wait=0&" + query_of(member));
    const WallTime sent = wall_now();
    connection.send(requests);
    for (const int member : members) {
      const Reply reply = connection.read_reply();
      const WallTime received = wall_now();
      if (!staff_.active.contains(member)) {
        EXPECT_EQ(reply.status, 410) << member << " left: " << reply.body;
        continue;
      }
      const std::string token = reply.text("access_token");
      if (!token.empty()) book_.saw(member, token, sent, received);
      const auto newest = before.find(member);
      if (newest == before.end()) continue;
      const auto& [last, last_issued_at, last_expires_at] = newest->second;
      ++compared_;
      if (dark) ++compared_dark_;
      if (token.empty()) {
        EXPECT_LT(last_expires_at, received + weather_.clock_offset + kClockSlack)
            << "what " << member << " was served before the kill is lost: " << reply.body;
      } else if (token != last) {
        const Reply check = box_.sandbox.control(get("/_sandbox/check?token=" + token));
        EXPECT_GT(check.text("issued_at"), last_issued_at)
            << "after the kill " << member << " is served an older token than before";
      }
    }
  }

  // Each living token of a leaver is one of a call whose reply was lost with a process or on the
  // way: never served, and on record as a doubt.
  void judge_leavers() {
    for (const int member : staff_.left) {
      const auto ledger = box_.sandbox
                              .control(get(fmt::format(
                                  "/_sandbox/ledger?community_member_id={}&state=live", member)))
                              .json();
      std::set<std::string> calls;
      for (const auto& each : ledger.at("tokens").as_array()) {
        const auto& row = each.as_object();
        EXPECT_FALSE(book_.knows(std::string(row.at("token").as_string())))
            << member << " left, and a token that was served is alive";
        calls.emplace(row.at("issued_at").as_string());
      }
      const auto record = box_.daemon.member(member_key_of(member));
      EXPECT_EQ(record.at("state").as_string(), "retired");
      // Of several doubts of one kind the last stands for all.
      EXPECT_TRUE(calls.empty() || record.at("doubts").to_number<std::size_t>() > 0)
          << boost::json::serialize(ledger) << boost::json::serialize(record);
    }
  }

  static std::string member_key_of(int member) {
    return member % 3 == 0   ? fmt::format("id:{}", member)
           : member % 3 == 1 ? fmt::format("email:member{}@example.com", member)
                             : fmt::format("sso:sso%7C{}", member);
  }

  const Weather weather_;
  Random random_;
  Random operator_random_;  // of the operator's thread
  const ClosedPort closed_port_;
  Box box_;
  Staff staff_;
  Book book_;
  Gate clients_;
  Gate operator_gate_;
  std::vector<std::thread> threads_;
  int kills_ = 0;
  int stillborn_ = 0;
  int at_news_ = 0;
  int leavings_ = 0;  // the operator's thread counts them
  int compared_ = 0;
  int compared_dark_ = 0;
};

class CrashCampaign : public ::testing::TestWithParam<Weather> {};

TEST_P(CrashCampaign, P2P3P4P7LosesNothingKeepsNothingAndStaysInTheBudget) {
  const std::uint64_t seed = number_from("ROTA_CRASH_SEED", std::random_device{}());
  const std::uint64_t kills = number_from("ROTA_CRASH_KILLS", 100);
  std::cout << fmt::format("ROTA_CRASH_SEED={}\n", seed);
  SCOPED_TRACE(fmt::format("ROTA_CRASH_SEED={}", seed));
  Campaign campaign(GetParam(), seed);
  campaign.begin();
  for (std::uint64_t kill = 0; kill < kills && !HasFailure(); ++kill) {
    SCOPED_TRACE(fmt::format("kill {}", kill));
    campaign.live_and_die();
  }
  if (!HasFatalFailure()) campaign.settle();
}

INSTANTIATE_TEST_SUITE_P(
    Weathers, CrashCampaign,
    ::testing::Values(Weather{"Fair", "same", Duration{0}, "[]"},
                      Weather{"Foul", "new", Duration{37'000},
                              R"(["any:drop_after:0.05","any:drop_before:0.03","any:html502:0.05",)"
                              R"("any:truncated:0.05","any:throttle:0.02","any:hang_after:0.02",)"
                              R"("any:no_token:0.03","any:json500:0.03"])"}),
    [](const auto& weather) { return std::string(weather.param.name); });

}  // namespace
}  // namespace rota::e2e
