#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "auth/options.h"
#include "base/result.h"
#include "circle/auth_failure.h"
#include "circle/request.h"
#include "model/outcome.h"

namespace rota {

class HttpTransport;

// Circle's Headless Auth SDK (https://api.headless.circle.so, "Headless Auth API" v1): its six
// methods, as coroutines. Each makes exactly one HTTP call and never repeats it.
//
// Create, use and destroy it on the thread that runs the executor (or on its strand); the
// executor's context must live longer. Any number of calls may be in flight. Calls may outlive the
// client; they then complete as kNotSent or kNoReply. The arguments of a method need to live only
// until it returns its coroutine. No method throws on a network error.
class HeadlessAuthClient {
 public:
  // kInvalid for an option that cannot be used, kConfig for a ca_file that cannot be read, kIo if
  // libcurl or libsodium cannot start. Sends nothing yet.
  static Result<std::unique_ptr<HeadlessAuthClient>> create(boost::asio::any_io_executor executor,
                                                            const HeadlessAuthOptions& options);
  HeadlessAuthClient(const HeadlessAuthClient&) = delete;
  HeadlessAuthClient& operator=(const HeadlessAuthClient&) = delete;
  ~HeadlessAuthClient();

  // A token pair for the member with Circle's own id (1 to 2^53). POST /auth_token.
  boost::asio::awaitable<AuthResult<TokenPair>> member_api_token_from_community_member_id(
      std::int64_t community_member_id);
  // A token pair for the member with this address. POST /auth_token.
  boost::asio::awaitable<AuthResult<TokenPair>> member_api_token_from_email(std::string_view email);
  // A token pair for the member with this id at the community's single sign-on. POST /auth_token.
  boost::asio::awaitable<AuthResult<TokenPair>> member_api_token_from_sso_id(
      std::string_view sso_user_id);
  // An access token for a refresh token. The refresh token stays in use unless the result has a new
  // one. kRefreshTokenDead means that a new pair is needed. PATCH /access_token/refresh.
  boost::asio::awaitable<AuthResult<RefreshedToken>> member_api_token_from_refresh_token(
      SecretPtr refresh_token);
  // Ends a refresh token. Access tokens made with it live on. POST /refresh_token/revoke.
  boost::asio::awaitable<AuthResult<Revocation>> revoke_refresh_token(SecretPtr refresh_token);
  // Ends an access token. POST /access_token/revoke.
  boost::asio::awaitable<AuthResult<Revocation>> revoke_member_api_token(SecretPtr access_token);

  // Makes any of the calls, and returns its reply as classify() reads it, or a Transient if there
  // was no reply. The request must be one that encode() takes.
  boost::asio::awaitable<Reply> call(AuthRequest request);

  // Replaces the app token for the calls that start from now on. kInvalid if it cannot be a token;
  // then the old one stays.
  Result<void> set_app_token(const SecretPtr& app_token);

  // Reads the ca_file again if it has changed. Calls do so by themselves, at most once a second.
  // kConfig if the file cannot be used: then the certificates that were read last stay in force.
  Result<void> read_ca_file_again();

 private:
  explicit HeadlessAuthClient(std::unique_ptr<HttpTransport> transport);

  const std::unique_ptr<HttpTransport> transport_;
};

}  // namespace rota
