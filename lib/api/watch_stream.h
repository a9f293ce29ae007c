#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "api/access.h"
#include "api/services.h"
#include "base/fingerprint.h"
#include "http/buffer.h"
#include "http/response.h"
#include "table/subscriptions.h"

namespace rota {

// The events of one GET /v1/watch: first the present state, then changes. It holds no events, only
// how far it has come. So a slow reader misses what was replaced meanwhile, and gets the latest of
// each member. Each event is judged by the grants in force when it is written. Loop thread only.
//
// With keys, it follows each key, whichever member that leads to. It writes "token" if there is a
// live token other than the one that it wrote last, "signed_out" if the member was signed out
// meanwhile, and "retired" with the reason if the peer cannot have a token, at the start too. It
// writes nothing while the member just has no live token. Without keys, it follows all members that
// are granted, and writes "signed_out" and "retired" only for those whose token it has written
// before.
class WatchStream : private Subscriber {
 public:
  // The references must outlive this. `wake` is called when fill() has something to do again. It is
  // called from inside the change that caused it, so it must only take note and return.
  WatchStream(std::vector<MemberKey> keys, const PeerIdentity& peer, TokenService& tokens,
              const AccessPolicy& policy, std::move_only_function<void()> wake);
  ~WatchStream() override;
  WatchStream(const WatchStream&) = delete;
  WatchStream& operator=(const WatchStream&) = delete;

  // Appends events until there are no more, or `out` has kOutputBytesMax bytes: then the caller
  // calls again once there is room. After kWatchMembersPerTurn members it stops and calls `wake`.
  void fill(Buffer& out);
  // The policy was replaced: every followed member is judged again.
  void grants_changed();

 private:
  struct Followed {
    MemberKey key;
    bool changed = true;
    Fingerprint told = 0;         // of the last "token" event
    MemberId member{};            // to which the key led at the last look; 0: none that is served
    std::uint32_t sign_outs = 0;  // of that member then
    std::optional<ErrorCode> refused;  // if the last event was "retired": its reason
  };

  void on_key_changed(std::size_t index) override;
  void on_any_changed() override;

  void tell(Followed& followed, Buffer& out);
  void tell(const Published& row, Buffer& out);
  // Of a member whose last event was not "retired": a mark of how often it was signed out by then.
  // 0: it had no event, or that was "retired".
  using Mark = std::uint8_t;
  static Mark mark_of(const Published& row);
  Mark told_of(MemberId member) const;
  void note_told(MemberId member, Mark mark);

  // Constant after construction.
  const PeerIdentity& peer_;
  TokenService& tokens_;
  const AccessPolicy& policy_;

  // Loop thread only.
  std::move_only_function<void()> wake_;
  std::vector<Followed> followed_;  // empty: all members
  std::uint64_t position_ = 0;      // the table's change up to which this look has come
  std::uint64_t seen_ = 0;          // the latest change of any look: beyond position_ after
                                    // grants_changed()
  std::vector<Mark> told_;          // by MemberId
};

}  // namespace rota
