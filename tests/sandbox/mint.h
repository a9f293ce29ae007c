#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/time.h"
#include "sandbox/request.h"

namespace rota::sandbox {

struct Claims {
  std::int64_t community_id = 0;
  MemberId community_member_id = 0;
  std::string_view sso_user_id;  // empty: null
  WallTime expires_at;
};

// Makes tokens in Circle's shape; no two of one seed are alike. Good for a stand-in only: who
// knows the seed knows the tokens.
class Mint {
 public:
  explicit Mint(std::uint64_t seed);

  // A JWT with the claims and the size of Circle's (some 560 bytes): it looks like one signed with
  // RS256, and nobody can verify it. Its `exp` has whole seconds and is rounded down.
  std::string access_token(const Claims& claims);
  // 32 bytes in base64url, as in Circle's examples.
  std::string refresh_token();

 private:
  void fill(std::span<unsigned char> bytes);
  std::string uuid();

  Random random_;
  std::array<unsigned char, 32> key_{};
};

}  // namespace rota::sandbox
