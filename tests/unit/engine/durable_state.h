#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "store/token_store.h"

namespace rota::test {

// All that commits made durable: a store as small as it can be.
class DurableState {
 public:
  void apply(const std::vector<Mutation>& mutations);
  Snapshot snapshot() const;
  const Token* find_token(std::string_view value) const;
  const CallRow* find_call(CallId call) const;
  const MemberRecord* find_member(MemberId member) const;
  std::size_t open_calls() const;
  std::size_t scrubs() const { return scrubs_; }  // how often erased bytes were to be wiped

 private:
  struct Held {
    MemberId member{};
    Token token;
  };
  std::map<MemberId, MemberRecord> members_;
  std::map<TokenId, Held> tokens_;
  std::map<CallId, CallRow> calls_;
  std::optional<WallTime> last_circle_time_;
  bool early_refresh_useless_ = false;
  bool refresh_rotates_ = false;
  std::optional<WallTime> early_probe_at_;
  BootStamp paused_until_;
  BootId clock_boot_{};
  Duration clock_offset_{0};
  BootStamp last_commit_;
  Duration clock_skew_{0};
  Fingerprint roster_ = 0;
  Fingerprint approved_roster_ = 0;
  std::size_t scrubs_ = 0;
  std::int64_t member_max_ = 0, token_max_ = 0, call_max_ = 0;
};

}  // namespace rota::test
