#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/fingerprint.h"
#include "base/time.h"
#include "model/record.h"

namespace rota {

// Circle's API has no way to say "that token was refused": a client drops it and asks again. This
// tells such a client from one that asks on every page view, without a call for each request.
//
// - A client that was given the present token asks for it the third time within a minute: it may
//   have been refused. One refresh settles that doubt, at most once in 15 minutes a member.
// - A client that was last given the present token asks for a refresh: it wants another one. That
//   counts as refused, at most once a minute a member.
//
// Keeps a fixed number of clients and members, in memory only. If one is pushed out by others, a
// doubt comes later than it could: it never comes more often. Pure: times are on the boot clock.
class RefusalGuess {
 public:
  static constexpr Duration kWindow = std::chrono::minutes{1};
  static constexpr Duration kDoubtsApart = std::chrono::minutes{15};
  static constexpr Duration kRefreshesApart = std::chrono::minutes{1};
  static constexpr std::size_t kGivenMax = 16'384;   // pairs of client and member
  static constexpr std::size_t kMembersMax = 4'096;  // with a doubt or a refresh lately

  // A client, named by a hash of its holder's name.
  using Client = std::uint64_t;

  // The client is about to be given `present` because it asked for a token. Whether the token is in
  // doubt. True starts the 15 minutes, so ask only if a refresh can be made.
  bool doubts(Client client, MemberId member, Fingerprint present, BootTime now);
  // The client asks for a refresh while `present` is in force. Whether that counts as refused. True
  // starts the minute.
  bool refuses(Client client, MemberId member, Fingerprint present, BootTime now);
  // The client was given this token.
  void note_given(Client client, MemberId member, Fingerprint token, BootTime now);

 private:
  // Rows that share a place replace each other.
  static constexpr std::size_t kWays = 4;

  struct Given {
    Client client = 0;
    MemberId member{};  // 0: the row is free
    Fingerprint token = 0;
    std::array<BootTime, 2> times{};  // the last two times that it was given, the latest first
  };
  struct Member {
    MemberId member{};
    BootTime doubt_again;    // from when on there may be a doubt
    BootTime refresh_again;  // from when on a refresh counts as refused
  };

  Given* find(Client client, MemberId member);
  // The row of this member, or a free one; null if all its places hold members that must wait.
  Member* row_for(MemberId member, BootTime now);

  std::vector<Given> given_;  // empty until there is something to note
  std::vector<Member> members_;
};

}  // namespace rota
