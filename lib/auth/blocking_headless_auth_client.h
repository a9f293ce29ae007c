#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "auth/options.h"
#include "base/result.h"
#include "circle/auth_failure.h"

namespace rota {

// HeadlessAuthClient for programs without an event loop. Each method makes its call on the calling
// thread and returns when the call is over, at the latest after request_timeout. Connections are
// kept between calls. Only one thread at a time may use it. No method throws on a network error.
class BlockingHeadlessAuthClient {
 public:
  // As HeadlessAuthClient::create().
  static Result<std::unique_ptr<BlockingHeadlessAuthClient>> create(
      const HeadlessAuthOptions& options);
  BlockingHeadlessAuthClient(const BlockingHeadlessAuthClient&) = delete;
  BlockingHeadlessAuthClient& operator=(const BlockingHeadlessAuthClient&) = delete;
  ~BlockingHeadlessAuthClient();

  // Each promises what the method of the same name in HeadlessAuthClient promises.
  AuthResult<TokenPair> member_api_token_from_community_member_id(std::int64_t community_member_id);
  AuthResult<TokenPair> member_api_token_from_email(std::string_view email);
  AuthResult<TokenPair> member_api_token_from_sso_id(std::string_view sso_user_id);
  AuthResult<RefreshedToken> member_api_token_from_refresh_token(SecretPtr refresh_token);
  AuthResult<Revocation> revoke_refresh_token(SecretPtr refresh_token);
  AuthResult<Revocation> revoke_member_api_token(SecretPtr access_token);

  Result<void> set_app_token(const SecretPtr& app_token);

 private:
  struct Parts;  // the loop and the client on it; keeps Asio out of this header
  explicit BlockingHeadlessAuthClient(std::unique_ptr<Parts> parts);

  const std::unique_ptr<Parts> parts_;
};

}  // namespace rota
