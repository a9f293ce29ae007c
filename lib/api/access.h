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
  std::int32_t pid = 0;  // for messages only: the process may be gone, its number given again
  // The primary group and every supplementary one; sorted.
  std::vector<std::uint32_t> groups{};
};

// Who comes over TCP: (uid_t)-1, which no process can have. Unlike the user "nobody", no grant can
// name it.
inline constexpr std::uint32_t kNoId = AuditCaller::kNoId;
inline constexpr PeerIdentity kPeerUnknown{.uid = kNoId, .gid = kNoId, .pid = 0};

inline AuditCaller caller_of(const PeerIdentity& peer) {
  return {.uid = peer.uid, .gid = peer.gid, .pid = peer.pid};
}

// One [[grant]], its holder's name resolved.
struct Grant {
  enum class Holder { kUser, kGroup };

  Holder holder = Holder::kUser;
  std::uint32_t id = kNoId;
  bool all_members = false;  // "*"
  std::vector<std::string> tags;
  std::vector<MemberKey> members;
};

// Who may do what. Root and the daemon's own user may do everything, others read what is granted to
// their user or to one of their groups. Values copy; loop thread only.
class AccessPolicy {
 public:
  explicit AccessPolicy(std::uint32_t own_uid, const std::vector<Grant>& grants = {});

  // Whether the peer may have the tokens of the member that `asked` leads to: `member`, or null
  // when it leads to nobody. By key a grant covers the member under all its names, and a name
  // although it leads to nobody (yet); by tag it covers only who is there. A refusal is the same
  // whether or not there is such a member.
  bool may_read(const PeerIdentity& peer, const MemberKey& asked, const Published* member) const;
  // The same for a name as the table looked it up, for peers that must not learn whether there is
  // such a member: without a grant as many names and tags are compared if there is none as if there
  // is. `compared` is for tests.
  struct Judged {
    bool granted = false;
    std::size_t compared = 0;
  };
  Judged judge(const PeerIdentity& peer, const MemberKey& asked, const Table::Lookup& found) const;
  // Whether the peer may have the tokens of all members, so that no name has to be judged.
  bool may_read_all(const PeerIdentity& peer) const;
  // The same for a member that nobody asked for by name.
  bool may_read(const PeerIdentity& peer, const Published& member) const;
  // Whether anything at all is granted to the peer, be anybody there or not.
  bool may_read_some(const PeerIdentity& peer) const;
  bool may_administer(const PeerIdentity& peer) const;

  // What both allow, and nothing else.
  AccessPolicy and_only(const AccessPolicy& other) const;
  bool operator==(const AccessPolicy& other) const;

 private:
  // All that is granted to one user or one group. Sets, so that a fetch costs the same whatever
  // the length of the lists.
  struct Rights {
    bool all_members = false;
    std::unordered_set<std::string> tags;
    std::unordered_set<MemberKey> members;

    // How many names and tags of the member are granted: all are compared, whatever is found.
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
  std::shared_ptr<const AccessPolicy> also_;  // has to allow it, too; null: no such
};

}  // namespace rota
