#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "deliver/token_text.h"
#include "model/member_key.h"

namespace rota::cli {

// What the daemon says of one member.
struct Heard {
  enum class What {
    kToken,
    kGone,     // it has no token: it left, was blocked or signed out, or we may not have its token
    kSilence,  // the daemon cannot be reached or cannot say; nothing is known to have changed
  };
  What what = What::kSilence;
  deliver::Token token{};  // of kToken
  Duration left{};         // of kToken: how long it lives, by Circle's clock
  std::string code{};      // of kGone: as the daemon names it, "member_retired"
  std::string why{};       // of the others, for people
};

// Follows the tokens of several members, and connects again by itself. Each member has a GET
// /v1/watch of its own, so that a member whom the daemon refuses does not keep the others from
// theirs. An event says that something has changed; GET /v1/token says what it is now. So it is
// known how long the token lives, and a member whose token was revoked while nobody listened has
// none. One thread.
class TokenStreams {
 public:
  // Gets the news of the member with this index. It must not call the TokenStreams.
  using Take = std::function<void(std::size_t member, const Heard& heard)>;
  // kBug: libcurl cannot start. Does not connect yet.
  static Result<std::unique_ptr<TokenStreams>> create(std::string socket,
                                                      const std::vector<MemberKey>& members,
                                                      Take take);
  TokenStreams(const TokenStreams&) = delete;
  TokenStreams& operator=(const TokenStreams&) = delete;
  ~TokenStreams();

  // Waits until there are news, `other` can be read, or `wait` is over, and hands the news on.
  void poll(int other, Duration wait);

 private:
  class Member;
  class Multi;
  TokenStreams(std::unique_ptr<Multi> multi, const std::string& socket,
               const std::vector<MemberKey>& members, Take take);

  void perform();

  const Take take_;
  bool news_ = false;  // since poll() began
  std::unique_ptr<Multi> multi_;
  std::vector<std::unique_ptr<Member>> members_;
};

// The boot clock of this machine.
BootTime boot_now();

}  // namespace rota::cli
