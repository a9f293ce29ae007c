#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "circle/http.h"
#include "engine/commands.h"
#include "sandbox/circle.h"

namespace rota::sim {

class World;

// One call from its sending to its end, with facts that the engine does not see.
struct Flight {
  CallId id{};
  CallKind kind = CallKind::kIssue;
  MemberId member{};  // the engine's id, not Circle's
  AuthRequest request;
  Duration sent{0};
  std::optional<sandbox::Exchange> exchange;  // since its arrival at Circle
  bool ended = false;                         // over at Circle
  bool clear = false;                         // the reply is Circle's own, unspoiled
  bool signed_out = false;                    // its member signed out meanwhile
  bool outlived_its_member = false;           // its member was retired or blocked meanwhile
};

// The network and Circle. Circle is the sandbox's; the real code encodes the calls and classifies
// the replies. This class adds what no single reply can show: outages, slow times, members that
// come, go and change their email, somebody else who revokes tokens, and members for whom no call
// works.
class CircleSide {
 public:
  explicit CircleSide(World& world);

  void begin();
  void send(const command::Call& call);
  void cut_off();  // the process has died, and its connections with it
  void calm_down();
  void read_app_token() { app_token_ = app_token_file_; }

  sandbox::Circle& circle() { return circle_; }
  WallTime time(Now true_now) const { return circle_.clock(true_now); }
  std::size_t calls_in_flight() const { return flights_.size(); }
  const std::map<CallId, std::shared_ptr<Flight>>& flights() const { return flights_; }
  bool nothing_works_for(const MemberKey& key);
  // Since when an address has belonged to another member than before; none if it never moved.
  std::optional<Duration> moved_at(const MemberKey& key) const;
  std::optional<sandbox::MemberId> owner_of(const MemberKey& key) { return find(key); }
  bool knows(const MemberKey& key) { return find(key).has_value(); }
  bool foreign_revoked(const std::string& text) const { return foreign_.contains(text); }
  // How many calls were malformed, which no client may ever send.
  std::uint64_t malformed() const { return circle_.stats().violations() - refused_; }
  // Forgets tokens that died at Circle an hour ago or earlier.
  void prune();

 private:
  enum class Reach { kUp, kRefused, kSilent };

  void arrive(const std::shared_ptr<Flight>& flight);
  void carry_out(Flight& flight);
  void leave(const std::shared_ptr<Flight>& flight, bool written);
  void deliver(const std::shared_ptr<Flight>& flight, Duration date_age);
  void finish(const std::shared_ptr<Flight>& flight, const Reply& reply);
  void no_reply(const std::shared_ptr<Flight>& flight);
  std::optional<sandbox::MemberId> find(const MemberKey& key);
  std::optional<sandbox::MemberId> about(const Flight& flight);
  Duration travel();

  void outage();
  void refuse();
  void skew_issuer();
  void accept();
  void change_member();
  void revoke_something();

  World& world_;
  Random random_;
  sandbox::Circle circle_;
  std::string app_token_;       // what the process sends
  std::string app_token_file_;  // what it reads at a start or a reload
  int app_tokens_ = 0;
  std::uint64_t refused_ = 0;  // calls with an app token that Circle refuses
  Reach reach_ = Reach::kUp;
  Duration down_until_{0};
  Duration slow_until_{0};
  std::set<sandbox::MemberId> cursed_;
  std::set<sandbox::MemberId> issued_;                     // whose first issue call has arrived
  std::map<std::string, Duration, std::less<>> moved_at_;  // addresses
  std::set<std::string, std::less<>> foreign_;             // revoked by somebody else
  std::map<CallId, std::shared_ptr<Flight>> flights_;
};

}  // namespace rota::sim
