#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "api/rights.h"
#include "model/audit.h"
#include "model/member_key.h"
#include "table/table.h"

namespace rota {

// Who is at the other end of a connection: either a process of this machine, as the kernel recorded
// it when it connected, or, on a listener, the client whose bearer token it has.
struct PeerIdentity {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::int32_t pid = 0;  // for messages only: another process may have this number by now
  // The primary group and all supplementary ones, sorted.
  std::vector<std::uint32_t> groups{};
  std::string client{};  // the name of the [[client]]; empty: none. If set, uid and gid are kNoId
};

// A peer that nobody knows (yet): (uid_t)-1, which no process can have, and which, unlike the user
// "nobody", no grant can name.
inline constexpr std::uint32_t kNoId = AuditCaller::kNoId;
inline const PeerIdentity kPeerUnknown{.uid = kNoId, .gid = kNoId, .pid = 0};
inline PeerIdentity peer_of_client(std::string name) {
  return {.uid = kNoId, .gid = kNoId, .pid = 0, .client = std::move(name)};
}

inline AuditCaller caller_of(const PeerIdentity& peer) {
  return {.uid = peer.uid, .gid = peer.gid, .pid = peer.pid, .client = peer.client};
}

// One [[grant]], with its holder's name resolved to an id.
struct Grant {
  enum class Holder { kUser, kGroup, kClient };

  Holder holder = Holder::kUser;
  std::uint32_t id = kNoId;  // of a client: kNoId
  std::string name{};        // of the holder, as written
  Rights may{Right::kFetch};
  std::vector<std::string> enrol_tags{};
  bool all_members = false;  // "*"
  std::vector<std::string> tags;
  std::vector<MemberKey> members;
};

// In whose name a peer enrols members, and with which tags.
struct EnrolmentRight {
  std::string holder;             // "user:NAME", "group:NAME", "client:NAME" or "root"
  std::vector<std::string> tags;  // sorted, without repeats

  bool operator==(const EnrolmentRight&) const = default;
};

// Who may do what (P11). Root and the daemon's own user may do everything. Others may do what is
// granted to their user, to one of their groups or to their client name; kPeerUnknown may do
// nothing. "Read" is Right::kFetch. Loop thread only.
class AccessPolicy {
 public:
  // `own_uid`: the daemon's own user.
  explicit AccessPolicy(std::uint32_t own_uid, const std::vector<Grant>& grants = {});

  // Whether the peer has this right to `member`, to which the name `asked` leads; null if it leads
  // to nobody. A grant by key covers the member under all its names, and also a name that leads to
  // nobody (yet). A grant by tag covers only members that exist. The answer to a peer without a
  // grant is the same whether or not there is such a member.
  bool may(const PeerIdentity& peer, Right right, const MemberKey& asked,
           const Published* member) const;
  bool may_read(const PeerIdentity& peer, const MemberKey& asked, const Published* member) const {
    return may(peer, Right::kFetch, asked, member);
  }
  // The same, for a name as Table::look_up() found it. If the peer has no grant, this compares as
  // many names and tags if the member exists as if it does not, so that the time does not tell.
  // `compared` is for tests.
  struct Judged {
    bool granted = false;
    std::size_t compared = 0;
  };
  Judged judge(const PeerIdentity& peer, Right right, const MemberKey& asked,
               const Table::Lookup& found) const;
  // Whether the peer has the right to all members. Then no name needs to be judged.
  bool may_all(const PeerIdentity& peer, Right right) const;
  bool may_read_all(const PeerIdentity& peer) const { return may_all(peer, Right::kFetch); }
  // In whose name the peer may enrol: its user's, else the first of its groups', else its client's;
  // nullopt: it may not.
  std::optional<EnrolmentRight> enrolment_of(const PeerIdentity& peer) const;
  // may_read() for a member that the peer did not ask for by name.
  bool may_read(const PeerIdentity& peer, const Published& member) const;
  // Whether the peer has any grant at all, even if it covers no existing member.
  bool may_read_some(const PeerIdentity& peer) const;
  // In whose name the peer has this right, as handles and enrolments say it: "root" for root and
  // the daemon's own user; otherwise its user if that has it, else the first of its groups that
  // has it, or its client. Empty: it has no such grant.
  std::string holder_of(const PeerIdentity& peer, Right right = Right::kFetch) const;
  // Whether the peer is root or the daemon's own user.
  bool may_administer(const PeerIdentity& peer) const;

  // A policy that allows only what both allow.
  AccessPolicy and_only(const AccessPolicy& other) const;
  bool operator==(const AccessPolicy& other) const;

 private:
  // The members to whom one holder has one right. These are sets, so that the length of a grant's
  // lists does not matter to a fetch.
  struct Scope {
    bool granted = false;  // false: the holder has no such right
    bool all_members = false;
    std::unordered_set<std::string> tags;
    std::unordered_set<MemberKey> members;

    void add(const Grant& grant);
    // How many names and tags of the member are granted. Compares all of them, even after a match.
    std::size_t matches(const Published& member) const;
    bool operator==(const Scope&) const = default;
  };
  // All that is granted to one user, group or client.
  struct Holding {
    std::string holder;                        // as of holder_of()
    std::array<Scope, kRights.size()> scopes;  // indexed by Right
    std::optional<EnrolmentRight> enrolment;

    const Scope& of(Right right) const { return scopes[static_cast<std::size_t>(right)]; }
    bool operator==(const Holding&) const = default;
  };

  Holding& holding_of(const Grant& grant);
  // Whether `holds` is true of what the peer's user, one of its groups or its client holds. Asks
  // them in this order, and groups by their number.
  template <class Holds>
  bool any_holding(const PeerIdentity& peer, Holds holds) const;
  template <class Holds>
  bool any_scope(const PeerIdentity& peer, Right right, Holds holds) const;

  std::uint32_t own_uid_;
  std::unordered_map<std::uint32_t, Holding> of_user_;
  std::map<std::uint32_t, Holding> of_group_;
  std::unordered_map<std::string, Holding> of_client_;
  std::shared_ptr<const AccessPolicy> also_;  // must allow it too; null if there is none
};

}  // namespace rota
