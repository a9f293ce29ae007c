#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/small_optional.h"
#include "base/time.h"
#include "engine/engine.h"
#include "model/member_key.h"
#include "model/outcome.h"
#include "model/record.h"
#include "roster/roster.h"

namespace rota {

// Whose word makes somebody a member. If the roster names it, its word counts.
enum class MemberSource { kRoster, kEnrolled };
inline constexpr std::array kMemberSources{MemberSource::kRoster, MemberSource::kEnrolled};
std::string_view name_of(MemberSource source);
// None: neither names it any more.
std::optional<MemberSource> source_of(const MemberRecord& record);

// One member as operators see it. A value: no token in it. All times are Circle's.
struct MemberView {
  struct Next {
    CallKind kind = CallKind::kIssue;
    WallTime at;
  };

  MemberKey key;                // its first name
  std::vector<MemberKey> keys;  // all names
  MemberState state = MemberState::kActive;
  WallTime since;
  std::string name;  // as the roster has it
  std::vector<std::string> tags;
  std::optional<MemberSource> source;
  // What the roster in force says, in the order of its names; what clients say is not in it.
  std::vector<RosterEntry> entries;
  // What clients say, in the order of its names; the name, and what was said of it.
  std::vector<std::pair<MemberKey, Enrolment>> enrolments;
  SmallOptional<std::int64_t> community_member_id;
  std::optional<WallTime> access_token_ends;  // of the current one
  std::optional<WallTime> refresh_token_ends;
  // How many of its tokens have this status.
  std::size_t superseded = 0;
  std::size_t revoking = 0;
  std::size_t member_gone = 0;
  std::size_t doubts = 0;
  int failures = 0;  // calls in a row that settled nothing
  std::optional<WallTime> last_used;
  std::optional<WallTime> signed_out;  // none: never, or a client has asked for its token since
  bool kept_fresh = false;
  bool in_flight = false;    // a call for it is under way
  std::optional<Next> next;  // the call that it needs next
};
MemberView view_of(const Engine& engine, const MemberSlot& slot, Now now);

// Which members a page shows, in the order of their keys.
struct MembersWanted {
  std::optional<MemberState> state{};    // none: of all states
  std::optional<MemberSource> source{};  // none: of any source, or none
  std::optional<MemberKey> after{};      // the last one of the page before; none: from the first on
  std::size_t limit = 1;                 // 0 counts as 1
};
struct MembersPage {
  std::vector<MemberView> members;
  std::optional<MemberKey> next;  // the `after` of the next page; none: this is the last one
};
MembersPage page_of_members(const Engine& engine, Now now, const MembersWanted& wanted);

// What GET /v1/members/KEY and GET /v1/members answer.
std::string member_json(const MemberView& member);
std::string members_json(const MembersPage& page);

}  // namespace rota
