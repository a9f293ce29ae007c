#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/fingerprint.h"
#include "base/secret.h"
#include "base/slim_vector.h"
#include "base/small_optional.h"
#include "base/time.h"
#include "model/member_key.h"
#include "model/outcome.h"

namespace rota {

// Row ids of the store: given out once, never used again.
enum class MemberId : std::int64_t {};
enum class TokenId : std::int64_t {};
enum class CallId : std::int64_t {};

// The state of a member. plan/lifecycle.h has the transitions. The numbers of these enums are in
// databases.
enum class MemberState : std::uint8_t {
  kActive = 1,    // in the roster, tokens are kept fresh and served
  kRetiring = 2,  // left the roster; tokens on record are being revoked; answers 410
  kRetired = 3,   // none of its tokens is alive any more; answers 410 until it is forgotten
  kBlocked = 4,   // revoked by an operator; out until reinstated, whatever the roster says
  kUnknown = 5,   // Circle has no such member; asked for again with a long backoff
  kMismatched =
      6,  // its selector now leads to another member at Circle (P13): an operator must decide
};
// All of them, in the order in which they are shown.
inline constexpr std::array kMemberStates{MemberState::kActive,  MemberState::kRetiring,
                                          MemberState::kRetired, MemberState::kBlocked,
                                          MemberState::kUnknown, MemberState::kMismatched};

enum class TokenKind : std::uint8_t { kAccess = 1, kRefresh = 2 };

// What becomes of a token on record.
enum class TokenStatus : std::uint8_t {
  kCurrent = 1,  // the one in use
  kSuperseded =
      2,          // replaced but perhaps still alive: kept so that a retirement can revoke it (P3)
  kRevoking = 3,  // to be revoked at Circle until acknowledged or expired (P4)
  kMemberGone = 4,  // to be revoked, but Circle has removed its member: unusable unless Circle
                    // restores the member, so it is remembered and asked about again, but rarely
};

struct Token {
  TokenId id{};
  TokenKind kind = TokenKind::kAccess;
  TokenStatus status = TokenStatus::kCurrent;
  SecretPtr value;  // null: a refresh token at rest. Only the store has it (open_tokens)
  Fingerprint fingerprint = 0;
  WallTime issued_at;     // Circle's clock, when the reply came
  WallTime expires_at;    // Circle's clock
  WallTime status_since;  // Circle's clock
};

// A client's word that a name is a member. The roster's word is Selector::in_roster.
struct Enrolment {
  std::string client;            // who said so: "user:www-data", "group:web", "client:shop", "root"
  SlimVector<std::string> tags;  // its grant's enrol_tags; sorted, without repeats
  WallTime since;                // Circle's clock

  bool operator==(const Enrolment&) const = default;
};

// One name that leads, or led, to this member: a roster entry, or a name that clients enrolled. It
// stays here until the member is forgotten, so that its key still answers. After the roster has
// dropped an entry, its tags count only if no other entry of the member is in the roster
// (plan/lifecycle.h, tags_of).
struct Selector {
  MemberKey key;
  bool in_roster = false;              // named by the roster in force
  bool was_in_roster = false;          // a roster has named it, so the member leaves a tombstone
  bool retired = false;                // the roster in force has it with retired = true
  std::string name;                    // for people
  SlimVector<std::string> tags;        // for grants: of the roster entry
  SlimVector<Enrolment> enrolments{};  // sorted by client, one for each
  // When an issue call by this name last led to this member, on Circle's clock (P13). Zero if none
  // has since the member was last out: then nothing of the member is served yet. Always zero for an
  // id, which cannot lead to another member.
  WallTime resolved_at{};

  bool operator==(const Selector&) const = default;
};

// 16 bytes that name the time since the member's last sign-out, block, retirement or mismatch, or
// since its record was made. Login handles are bound to it, so those of before are dead. All zeros
// in the record of an old database.
using LoginEpoch = std::array<std::uint8_t, 16>;

// How many of a holder's login handles were revoked in this epoch: those with a smaller number are
// dead.
struct HandleCount {
  std::string holder;
  std::uint32_t number = 0;  // never 0: a holder with none has no entry

  bool operator==(const HandleCount&) const = default;
};

// All that is durable about one member.
struct MemberRecord {
  MemberId id{};
  MemberState state = MemberState::kActive;
  WallTime state_since;
  SlimVector<Selector> selectors;                   // never empty
  SmallOptional<std::int64_t> community_member_id;  // pinned at the first issue (P13)
  SmallOptional<std::int64_t> community_id;
  WallTime renew_not_before;  // no renewal before this: the last one brought the same end again
  WallTime last_used;         // when a client was last given its token, to about a minute
  WallTime signed_out_at{};   // zero: never, or a client has asked for its token since
  LoginEpoch login_epoch{};
  SlimVector<HandleCount> handles{};  // sorted by holder
  SlimVector<Token> tokens;           // the ledger: every token received that may still be alive
};

// How a journaled call ended.
enum class CallFate {
  kOpen = 1,      // written before the call; after a restart this means kUnknown
  kAnswered = 2,  // a reply came, whatever it said
  kNotSent = 3,   // Circle certainly never saw it
  kUnknown = 4,   // no reply came, and it may have had its effect: a doubt until doubt_until
};

// Names one run of this machine's kernel. Boot times of different runs cannot be compared.
enum class BootId : std::int64_t {};
struct BootStamp {
  BootId boot{};
  BootTime at;

  bool operator==(const BootStamp&) const = default;
};

// One row of the call journal (P3): a slot of the budget, and what the call is to do.
struct CallRow {
  CallId id{};
  CallKind kind = CallKind::kIssue;
  MemberId member{};
  WallTime opened_at;  // Circle's clock, as all times of a row but closed_stamp
  std::optional<WallTime> closed_at;
  // The same moment on the boot clock, which no correction moves. The budget counts by it.
  std::optional<BootStamp> closed_stamp;
  CallFate fate = CallFate::kOpen;
  std::optional<WallTime> doubt_until;  // only with kUnknown
};

std::string_view name_of(MemberState state);
std::string_view name_of(TokenKind kind);
std::string_view name_of(TokenStatus status);
std::string_view name_of(CallFate fate);

}  // namespace rota
