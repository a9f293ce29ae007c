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

// The events of one GET /v1/watch: what is so already, then what changes. It holds no events, only
// how far it has come: a reader that is slow, or stops, misses what was replaced meanwhile and gets
// the latest of each member. Each event is judged by the grants in force when it is written. Loop
// thread only.
//
// With keys, each key is followed whoever it leads to: "token" for a live token that it has not
// been told last, "retired" with the reason when there is none to have, from the start if it is so.
// A member without a live token at the moment is told nothing of. Without keys, all that is granted
// is followed: "retired" comes only for members that were told of.
class WatchStream : private Subscriber {
 public:
  // Everything handed in by reference must outlive it. `wake` is called when fill() has something
  // to do again, from inside of whatever made it so: it takes note and returns.
  WatchStream(std::vector<MemberKey> keys, const PeerIdentity& peer, TokenService& tokens,
              const AccessPolicy& policy, std::move_only_function<void()> wake);
  ~WatchStream() override;
  WatchStream(const WatchStream&) = delete;
  WatchStream& operator=(const WatchStream&) = delete;

  // Appends events until there are none, or `out` is full: then it is to be called again when there
  // is room. After many members it pauses by itself and wakes.
  void fill(Buffer& out);
  // The policy was replaced: all that was granted is looked at again.
  void grants_changed();

 private:
  struct Followed {
    MemberKey key;
    bool changed = true;
    Fingerprint told = 0;              // of the token told last, unless `refused` was told after it
    std::optional<ErrorCode> refused;  // told last
  };

  void on_key_changed(std::size_t index) override;
  void on_any_changed() override;

  void tell(Followed& followed, Buffer& out);
  void tell(const Published& row, Buffer& out);
  bool was_told(MemberId member) const;
  void note_told(MemberId member, bool told);

  // Constant after construction.
  const PeerIdentity& peer_;
  TokenService& tokens_;
  const AccessPolicy& policy_;

  // Loop thread only.
  std::move_only_function<void()> wake_;
  std::vector<Followed> followed_;  // empty: all
  std::uint64_t position_ = 0;      // the table's change that was looked at last
  std::uint64_t seen_ = 0;          // the latest change ever looked at: beyond position_ in a
                                    // second look
  std::vector<bool> told_;          // by MemberId: its last event was a token
};

}  // namespace rota
