// A community that lives (P1, P2, P4, P11–P13): members sign up, log in and out, leave, and give
// their addresses to others, at Rota and at Circle, while Circle fails and the daemon dies. In the
// end the sandbox's ledger says whether anything is alive that should be dead, whether anybody was
// served another person's token, whether a refresh came late, and whether a call was not needed.
//
//   ROTA_COMMUNITY_SEED=…      replays the choices of a run, as far as the machine does
//   ROTA_COMMUNITY_SECONDS=…   of each campaign

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <random>
#include <thread>

#include "e2e/community.h"
#include "e2e/community_actors.h"
#include "e2e/free_port.h"

namespace rota::e2e {
namespace {

constexpr int kApps = 3;
constexpr int kOfEachApp = 5;
constexpr int kInRoster = 12;
constexpr int kPersons = kApps * kOfEachApp + kInRoster;
constexpr int kReaders = 2;
constexpr int kBudget = 400;
constexpr Duration kWindow{4'000};
constexpr std::uint64_t kP10Seconds = 60;  // after a longer campaign the search takes too long

std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

struct World {
  const char* name;
  std::uint64_t seconds;
  std::size_t foul_one_of;  // lives of the daemon; the last of so many
  std::vector<std::string> sandbox;
  std::map<std::string, std::string> rotation;
  Terms terms;

  friend void PrintTo(const World& world, std::ostream* out) { *out << world.name; }
};

// Tokens that end all the time: refreshes, renewals, addresses that are found to have moved.
World short_tokens() {
  return {.name = "ShortTokens",
          .seconds = 24,
          .foul_one_of = 14,
          .sandbox = {"--access-ttl", "4s", "--refresh-ttl", "4s"},
          .rotation = {{"refresh_ahead", "\"1500ms\""}, {"renew_pair_ahead", "\"1s\""}},
          .terms = {.access_ttl = Duration{4'000},
                    .refresh_ttl = Duration{4'000},
                    .replaced_with_left = Duration{3'000},
                    .pair_renewed_every = Duration{2'000}}};
}

// Tokens that only die by a revocation, and calls that only a deed can cause.
World long_tokens() {
  return {.name = "LongTokens",
          .seconds = 10,
          .foul_one_of = 4,
          .sandbox = {"--access-ttl", "1h", "--refresh-ttl", "240h", "--clock-offset", "37s"},
          .rotation = {},
          .terms = {.access_ttl = Duration{3'600'000},
                    .refresh_ttl = Duration{864'000'000},
                    .replaced_with_left = Duration{700'000},
                    .clock_offset = Duration{37'000}}};
}

constexpr const char* kWeather =
    R"(["any:drop_after:0.05","any:drop_before:0.05","any:html502:0.07","any:truncated:0.05",)"
    R"("any:hang_after:0.02","any:no_token:0.03","any:json500:0.05","any:chunked:0.1"])";

class Campaign {
 public:
  Campaign(const World& world, std::uint64_t seed)
      : world_(world), random_(seed), box_(options_of(world, seed)) {
    Daemon& daemon = box_.daemon;
    daemon.rotation = world.rotation;
    daemon.upstream = {{"request_timeout", "\"1s\""},
                       {"requests_per_window", std::to_string(kBudget)},
                       {"window", fmt::format("\"{}\"", format_duration(kWindow))}};
    daemon.roster_options = {{"max_retire_count", "100000"}};  // of a client's removals, too
    daemon.extra = fmt::format(
        "\n[[listener]]\naddress = \"127.0.0.1:{}\"\n[[grant]]\nclient = \"shop\"\n"
        "members = [\"*\"]\nmay = [\"fetch\", \"enrol\", \"sign_out\", \"remove\"]\n",
        doors_.port);
    daemon.base_url = box_.sandbox.url();
    keeper_ = std::make_unique<RosterKeeper>(doors_, box_.sandbox, gate_, history_, seed + 1,
                                             kPersons - kInRoster + 1, kPersons);
    daemon.write_roster(keeper_->roster());
    daemon.write_config();
    const std::string said =
        daemon.cli({"client", "add", "shop", "--config", daemon.config_path().string()}).output;
    const auto at = said.find("rota_");
    EXPECT_NE(at, std::string::npos) << said;
    doors_.bearer = said.substr(at, said.find('\n', at) - at);
  }
  ~Campaign() { end_threads(); }
  Campaign(const Campaign&) = delete;
  Campaign& operator=(const Campaign&) = delete;

  void live(std::uint64_t seed, Seconds length) {
    ASSERT_TRUE(box_.daemon.start());
    began_ = wall_now();
    start_threads(seed);
    bool foul = false;
    for (std::size_t life = 0; wall_now() < began_ + length; ++life) {
      if (::testing::Test::HasFailure()) return;
      const WallTime now = wall_now();
      if (foul) weather("[]");
      if (foul) history_.foul({.from = foul_since_, .to = wall_now()});
      foul = life % world_.foul_one_of == world_.foul_one_of - 1;
      if (foul) foul_since_ = now;
      if (foul) weather(kWeather);
      constexpr Duration kShortest{300};
      constexpr Duration kLongest{2'400};
      box_.daemon.process().ends_within(kShortest + random_.up_to(kLongest));
      const WallTime killed = wall_now();
      constexpr std::uint64_t kStopsOneOf = 4;
      if (random_.below(kStopsOneOf) == 0) {
        EXPECT_EQ(box_.daemon.stop(), 0);
      } else {
        box_.daemon.kill9();
      }
      ASSERT_TRUE(box_.daemon.start());
      history_.killed({.from = killed, .to = wall_now()});
    }
    if (foul) weather("[]");
    if (foul) history_.foul({.from = foul_since_, .to = wall_now()});
  }

  // A last time of fair weather, in which everything comes to its end; and the judgement.
  void settle(bool look_for_secrets) {
    const WallTime ended = wall_now();
    end_threads();
    EXPECT_EQ(box_.daemon.admin(post("/v1/roster/reload")).status, 200);
    EXPECT_TRUE(eventually([&] {
      const auto status = box_.daemon.admin(get("/v1/status")).json();
      return status.at("tokens_to_revoke").as_int64() == 0 &&
             status.at("members").as_object().at("retiring").as_int64() == 0;
    })) << box_.daemon.admin(get("/v1/status")).body;
    std::vector<Name> members = keeper_->members();
    for (const auto& app : apps_) {
      for (const Name& name : app->members()) members.push_back(name);
    }
    for (const Name& name : members) {
      EXPECT_TRUE(eventually([&] { return !box_.daemon.token(name.query).empty(); }))
          << name.key << " was lost: " << box_.daemon.fetch(name.query).body
          << box_.daemon.cli({"audit", "--member", name.key, "--wide"}).output;
    }
    const auto ledger = box_.sandbox.control(get("/_sandbox/ledger")).json();
    const Verdict verdict =
        judge(history_, ledger.at("tokens").as_array(), box_.sandbox.process().output(),
              world_.terms, {.from = began_, .to = ended});
    const auto stats = box_.sandbox.stats();
    const auto peak = stats.at("rate").at("peak").as_int64();
    EXPECT_LE(peak, kBudget) << "P7";
    EXPECT_EQ(stats.at("violations").at("total").as_int64(), 0)
        << boost::json::serialize(stats.at("violations"));
    std::cout << fmt::format(
        "{}: {} kills, {} stalls of the machine; {} times served, {} tokens; {} had to be dead; "
        "watched for {} s of all "
        "members;"
        " {} calls that brought tokens, at most {} of a member for its renewals alone; {} fetches "
        "by an"
        " address that had moved long before; {} calls, peak {} of {}\n",
        world_.name, history_.kills(), verdict.stalls, verdict.sightings, verdict.tokens,
        verdict.dead, verdict.watched.count() / 1'000, verdict.needless_checked,
        verdict.without_need, verdict.moves_judged, box_.sandbox.calls(), peak, kBudget);
    EXPECT_GT(verdict.sightings, 100U);
    EXPECT_GT(verdict.needless_checked, 20U);
    if (world_.terms.pair_renewed_every > Duration{0}) EXPECT_GT(verdict.watched, Duration{10'000});
    if (!look_for_secrets) box_.sandbox.process().kill_and_wait(SIGKILL);
  }

 private:
  static std::vector<std::string> options_of(const World& world, std::uint64_t seed) {
    std::vector<std::string> options{"--members",
                                     std::to_string(kPersons),
                                     "--rate-limit",
                                     "0",
                                     "--latency",
                                     "10ms",
                                     "--log",
                                     "--rate-window",
                                     format_duration(kWindow),
                                     "--seed",
                                     std::to_string(seed)};
    options.insert(options.end(), world.sandbox.begin(), world.sandbox.end());
    // What Circle may do one way or the other.
    Random random(seed);
    const auto one_of = [&](std::string_view name, std::vector<std::string> choices) {
      options.insert(options.end(), {std::string(name), choices[random.below(choices.size())]});
    };
    one_of("--issue-mode", {"same", "new"});
    // Where each refresh brings a new pair, names are asked for once an hour at most.
    const bool renews = world.terms.pair_renewed_every > Duration{0};
    if (!renews) one_of("--refresh-rotation", {"off", "on"});
    one_of("--removed-mode", {"422", "401", "not_found"});
    return options;
  }

  void weather(std::string_view faults) const { box_.sandbox.faults(faults); }

  void start_threads(std::uint64_t seed) {
    gate_.open();
    for (int i = 0; i < kApps; ++i) {
      apps_.push_back(std::make_unique<App>(doors_, box_.sandbox, gate_, history_,
                                            seed + 10 + static_cast<std::uint64_t>(i),
                                            1 + i * kOfEachApp, (i + 1) * kOfEachApp));
      threads_.emplace_back([&app = *apps_.back()] { app.run(); });
    }
    for (int i = 0; i < kReaders; ++i) {
      readers_.push_back(std::make_unique<Reader>(doors_, box_.sandbox, gate_, history_,
                                                  seed + 20 + static_cast<std::uint64_t>(i),
                                                  kPersons));
      threads_.emplace_back([&reader = *readers_.back()] { reader.run(); });
    }
    watcher_ =
        std::make_unique<Watcher>(doors_, box_.sandbox, gate_, history_, seed + 30, kPersons);
    threads_.emplace_back([&watcher = *watcher_] { watcher.run(); });
    probe_ = std::make_unique<DiskProbe>(doors_, box_.sandbox, gate_, history_, seed + 31);
    threads_.emplace_back([&probe = *probe_] { probe.run(); });
    threads_.emplace_back([&keeper = *keeper_] { keeper.run(); });
  }

  void end_threads() {
    gate_.end();
    gate_.close();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  const World world_;
  Random random_;
  Box box_;
  Doors doors_{.daemon = box_.daemon, .port = free_port(), .bearer = {}};
  Gate gate_;
  History history_;
  std::unique_ptr<RosterKeeper> keeper_;
  std::vector<std::unique_ptr<App>> apps_;
  std::vector<std::unique_ptr<Reader>> readers_;
  std::unique_ptr<Watcher> watcher_;
  std::unique_ptr<DiskProbe> probe_;
  std::vector<std::thread> threads_;
  WallTime began_;
  WallTime foul_since_;
};

class CommunityCampaign : public ::testing::TestWithParam<World> {};

TEST_P(CommunityCampaign, P1P2P4P12P13NothingForeignDeadLateOrNeedless) {
  const std::uint64_t seed = number_from("ROTA_COMMUNITY_SEED", std::random_device{}());
  const std::uint64_t seconds = number_from("ROTA_COMMUNITY_SECONDS", GetParam().seconds);
  std::cout << fmt::format("ROTA_COMMUNITY_SEED={}\n", seed);
  SCOPED_TRACE(fmt::format("ROTA_COMMUNITY_SEED={}", seed));
  Campaign campaign(GetParam(), seed);
  campaign.live(seed, Seconds{seconds});
  if (!HasFatalFailure()) campaign.settle(seconds <= kP10Seconds);
}

INSTANTIATE_TEST_SUITE_P(Worlds, CommunityCampaign,
                         ::testing::Values(short_tokens(), long_tokens()),
                         [](const auto& world) { return std::string(world.param.name); });

}  // namespace
}  // namespace rota::e2e
