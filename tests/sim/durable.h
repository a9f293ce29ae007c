#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "store/token_store.h"

namespace rota::sim {

// What is on disk, kept by the simulation itself from the batches that took effect. The promises
// compare with it what may be shown and what must not be lost.
class Durable {
 public:
  struct Member {
    MemberState state = MemberState::kActive;
    WallTime state_since;
    WallTime signed_out_at;
    SlimVector<Selector> selectors;
    SmallOptional<std::int64_t> pin;  // Circle's member id
    std::map<TokenId, Token> tokens;
  };

  void apply(const Mutation& mutation);

  const std::map<MemberId, Member>& members() const { return members_; }
  const Member* find(MemberId member) const;
  const CallRow* call(CallId id) const;
  const std::map<CallId, CallRow>& calls() const { return calls_; }
  // Whether some member's ledger has this token.
  bool holds(std::string_view text) const { return texts_.contains(text); }
  std::optional<MemberId> owner_of(TokenId token) const;
  const Token* token(TokenId id) const;
  const Meta& meta() const { return meta_; }
  // Members that clients have enrolled and the roster does not name, and tokens of all members.
  std::size_t only_enrolled() const { return only_enrolled_; }
  std::size_t tokens() const { return owners_.size(); }

 private:
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  void drop(TokenId token);

  std::map<MemberId, Member> members_;
  std::unordered_map<TokenId, MemberId> owners_;
  std::unordered_map<std::string, int, TextHash, std::equal_to<>> texts_;
  std::map<CallId, CallRow> calls_;
  Meta meta_;
  std::size_t only_enrolled_ = 0;
};

bool is_only_enrolled(const SlimVector<Selector>& names);
// How many names of a member its pairs are renewed by: each but Circle's id, which leads to nobody
// else; and that one if there is no other.
std::size_t names_to_renew(const SlimVector<Selector>& names);
const Token* current(const Durable::Member& member, TokenKind kind);

}  // namespace rota::sim
