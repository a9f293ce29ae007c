#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/token_api.h"
#include "base/random.h"
#include "engine/commands.h"
#include "http/query.h"

namespace rota::sim {

class World;

// The programs that fetch tokens, of a few members often and of most members rarely. The token
// socket's own code answers them (api/token_api.h). Some are impatient, some want a long life, and
// some say that Circle refused their token.
class Clients {
 public:
  explicit Clients(World& world);

  void begin();
  void on_answer(const command::Answer& reply);
  // As in the daemon, clients are let in once the first roster is durable, or after two seconds.
  void admit_soon();
  void admit() { admitted_ = true; }
  void cut_off();
  // The machine was paused, and the clients' clocks with it.
  void stand_still(Duration length);
  bool waits_for(MemberId member) const;
  bool anybody_waited_since(Duration when) const {
    return !waits_.empty() || last_wait_over_ >= when;
  }
  // A client gave it a reason to get another token.
  void note_forced(MemberId member);
  // Whether a client asked for more than the token that was there.
  bool forced_since(MemberId member, Duration since) const;

 private:
  struct Waiting {
    MemberId member{};
    TokenQuery query;
    Duration since{0};
    Duration deadline{0};
    bool must_be_served = false;
  };

  void fetch_forever();
  void fetch();
  TokenQuery draw_query();
  void wait(const TokenQuery& query, const WaitRequest& request);
  void note_use(MemberId member);
  void served(const TokenQuery& query, const TokenReply& reply);

  World& world_;
  Random random_;
  const AccessPolicy access_{0};
  const PeerIdentity peer_{};
  bool admitted_ = false;
  std::uint64_t next_wait_ = 1;
  std::map<WaitId, Waiting> waits_;
  std::map<MemberId, Duration> forced_;
  Duration last_wait_over_{0};
  std::set<MemberId> used_;  // members used since the engine was last told
};

}  // namespace rota::sim
