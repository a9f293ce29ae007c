#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "model/audit.h"
#include "model/member_key.h"
#include "table/table.h"

namespace rota {

// Who is at the other end of a connection, as the kernel recorded it when the client connected.
struct PeerIdentity {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::int32_t pid = 0;  // for messages only: another process may have this number by now
  // The primary group and all supplementary ones, sorted.
  std::vector<std::uint32_t> groups{};
};

// The peer of a TCP connection: (uid_t)-1, which no process can have, and which, unlike the user
// "nobody", no grant can name.
inline constexpr std::uint32_t kNoId = AuditCaller::kNoId;
inline constexpr PeerIdentity kPeerUnknown{.uid = kNoId, .gid = kNoId, .pid = 0};

inline AuditCaller caller_of(const PeerIdentity& peer) {
  return {.uid = peer.uid, .gid = peer.gid, .pid = peer.pid};
}

// One [[grant]], with its holder's name resolved to an id.
struct Grant {
  enum class Holder { kUser, kGroup };

  Holder holder = Holder::kUser;
  std::uint32_t id = kNoId;
  bool all_members = false;  // "*"
  std::vector<std::string> tags;
  std::vector<MemberKey> members;
};

// Who may do what (P11). Root and the daemon's own user may do everything. Others may read what is
// granted to their user or to one of their groups; a peer with kNoId may do nothing. Loop thread
// only.
class AccessPolicy {
 public:
  // `own_uid`: the daemon's own user.
  explicit AccessPolicy(std::uint32_t own_uid, const std::vector<Grant>& grants = {});

  // Whether the peer may have the tokens of `member`, to which the name `asked` leads; null if it
  // leads to nobody. A grant by key covers the member under all its names, and also a name that
  // leads to nobody (yet). A grant by tag covers only members that exist. The answer to a peer
  // without a grant is the same whether or not there is such a member.
  bool may_read(const PeerIdentity& peer, const MemberKey& asked, const Published* member) const;
  // The same, for a name as Table::look_up() found it. If the peer has no grant, this compares as
  // many names and tags if the member exists as if it does not, so that the time does not tell.
  // `compared` is for tests.
  struct Judged {
    bool granted = false;
    std::size_t compared = 0;
  };
  Judged judge(const PeerIdentity& peer, const MemberKey& asked, const Table::Lookup& found) const;
  // Whether the peer may have the tokens of all members. Then no name needs to be judged.
  bool may_read_all(const PeerIdentity& peer) const;
  // may_read() for a member that the peer did not ask for by name.
  bool may_read(const PeerIdentity& peer, const Published& member) const;
  // Whether the peer has any grant at all, even if it covers no existing member.
  bool may_read_some(const PeerIdentity& peer) const;
  // In whose name the peer may read, as handles say it: "root" for root and the daemon's own user;
  // otherwise its user if that has a grant, or the first of its groups that has one. Empty: it has
  // no grant.
  std::string holder_of(const PeerIdentity& peer) const;
  // Whether the peer is root or the daemon's own user.
  bool may_administer(const PeerIdentity& peer) const;

  // A policy that allows only what both allow.
  AccessPolicy and_only(const AccessPolicy& other) const;
  bool operator==(const AccessPolicy& other) const;

 private:
  // All that is granted to one user or one group. These are sets, so that the length of a grant's
  // lists does not matter to a fetch.
  struct Rights {
    bool all_members = false;
    std::unordered_set<std::string> tags;
    std::unordered_set<MemberKey> members;

    // How many names and tags of the member are granted. Compares all of them, even after a match.
    std::size_t matches(const Published& member) const;
    bool operator==(const Rights&) const = default;
  };
  using RightsOf = std::unordered_map<std::uint32_t, Rights>;

  // Whether `holds` is true of the rights of the peer's user or of one of its groups.
  template <class Holds>
  bool any_rights(const PeerIdentity& peer, Holds holds) const;

  std::uint32_t own_uid_;
  RightsOf of_user_;
  RightsOf of_group_;
  std::shared_ptr<const AccessPolicy> also_;  // must allow it too; null if there is none
};

}  // namespace rota
