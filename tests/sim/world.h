#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "auth/http.h"
#include "base/random.h"
#include "roster/roster.h"
#include "rotator/engine.h"
#include "sandbox/circle.h"
#include "store/memory_store.h"
#include "table/table.h"

namespace rota::sim {

// What one world is made of. Everything that happens in it follows from this and the seed.
struct WorldOptions {
  std::uint64_t seed = 1;
  std::size_t members = 20;
  Duration weather = std::chrono::hours{4};  // how long faults, crashes and roster edits go on
  Duration calm = std::chrono::hours{2};     // and then how long nothing of that happens
  Policy policy;
  sandbox::CircleOptions circle;
  std::vector<sandbox::FaultRule> faults;
  double commit_failure_rate = 0;
  Duration mean_between_crashes{0};       // 0: never
  Duration mean_between_roster_edits{0};  // 0: never
  Duration mean_between_fetches = std::chrono::seconds{20};
  Duration wall_clock_error{0};  // of the machine against the true time
};

// The real engine and table on a virtual clock, against the sandbox's Circle (its calls encoded and
// its replies classified by the real code), a store in memory, clients and an operator. The
// promises are checked at every step against Circle's own ledger; what is broken is listed, not
// asserted, so that a test can show the seed with it.
class World {
 public:
  explicit World(const WorldOptions& options);
  void run();

  const std::vector<std::string>& breaches() const { return breaches_; }
  // Of everything that happened, in order: equal for equal options, or the world is not
  // deterministic.
  std::uint64_t hash() const { return hash_; }

  struct Tally {
    std::size_t fetches = 0, served = 0, waits = 0, calls = 0, commits = 0, failed_commits = 0;
    std::size_t crashes = 0, edits = 0, rotated = 0, retired = 0;
  };
  const Tally& tally() const { return tally_; }
  const sandbox::Circle& circle() const { return circle_; }
  Engine& engine() { return *engine_; }
  Now now() const;       // as this machine's clocks show it
  Now true_now() const;  // as Circle's do, but for circle.clock_offset

 private:
  using Action = std::function<void()>;
  struct Waiting {
    std::string key;
    bool must_be_served = false;  // Circle is reachable and the client is patient
  };
  struct Member {
    bool in_roster = true;
    bool retired = false;
  };

  void at(Duration delay, Action action);
  // The same, but void once the process that asked for it has crashed.
  void in_process(Duration delay, Action action);
  Duration around(Duration mean);
  void note(std::string_view event);
  void breach(std::string what);

  void boot();
  void crash();
  void turn(const std::function<void(Commands&)>& event);
  void carry_out(Commands commands);
  void commit(std::vector<Mutation> mutations);
  void apply_durably(const std::vector<Mutation>& mutations);
  void call(const command::Call& call);
  void arrive(CallId id, CallKind kind, const std::shared_ptr<HttpRequest>& request);
  void check_published(const Published& row);

  void fetch();
  void take_answer(const command::Answer& reply);
  void check_served(std::string_view key, const Published& row);
  void edit_roster();
  Roster roster() const;
  void check_end();

  const WorldOptions options_;
  Random random_;
  Duration time_{0};  // since the world began; the boot clock
  std::multimap<Duration, Action> events_;
  sandbox::Circle circle_;
  MemoryStore store_;
  std::unique_ptr<Engine> engine_;
  Table table_;
  std::uint64_t process_ = 0;  // counts the daemon's lives
  std::optional<Duration> tick_at_;
  std::optional<Duration> calm_since_;  // none: the weather goes on
  std::map<sandbox::MemberId, Member> members_;
  std::uint64_t next_wait_ = 1;
  std::map<WaitId, Waiting> waits_;
  std::set<std::string, std::less<>> durable_tokens_;
  std::set<CallId> durable_calls_;
  std::map<CallId, std::function<void(bool)>> at_circle_;  // ends exchanges that a crash cuts off
  std::optional<std::vector<Mutation>> committing_;
  std::vector<std::string> breaches_;
  std::uint64_t hash_ = 0xcbf29ce484222325U;
  Tally tally_;
};

}  // namespace rota::sim
