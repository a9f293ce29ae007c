#include "auth/blocking_headless_auth_client.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>
#include <utility>

#include "auth/headless_auth_client.h"

namespace rota {

namespace asio = boost::asio;

struct BlockingHeadlessAuthClient::Parts {
  asio::io_context loop{1};
  std::unique_ptr<HeadlessAuthClient> client;  // after `loop`, so that it is destroyed first

  // Runs the loop on this thread until the coroutine is over. Throws what the coroutine throws.
  template <class T>
  AuthResult<T> finish(asio::awaitable<AuthResult<T>> work) {
    std::exception_ptr thrown;
    std::optional<AuthResult<T>> result;
    asio::co_spawn(loop, std::move(work),
                   [&thrown, &result](std::exception_ptr error, AuthResult<T> value) {
                     thrown = std::move(error);
                     result.emplace(std::move(value));
                   });
    loop.restart();
    while (!result) loop.run_one();
    if (thrown) std::rethrow_exception(thrown);
    return *std::move(result);
  }
};

BlockingHeadlessAuthClient::BlockingHeadlessAuthClient(std::unique_ptr<Parts> parts)
    : parts_(std::move(parts)) {}

BlockingHeadlessAuthClient::~BlockingHeadlessAuthClient() = default;

Result<std::unique_ptr<BlockingHeadlessAuthClient>> BlockingHeadlessAuthClient::create(
    const HeadlessAuthOptions& options) {
  auto parts = std::make_unique<Parts>();
  ROTA_ASSIGN(parts->client, HeadlessAuthClient::create(parts->loop.get_executor(), options));
  return std::unique_ptr<BlockingHeadlessAuthClient>(
      new BlockingHeadlessAuthClient(std::move(parts)));
}

AuthResult<TokenPair> BlockingHeadlessAuthClient::member_api_token_from_community_member_id(
    std::int64_t community_member_id) {
  return parts_->finish(
      parts_->client->member_api_token_from_community_member_id(community_member_id));
}

AuthResult<TokenPair> BlockingHeadlessAuthClient::member_api_token_from_email(
    std::string_view email) {
  return parts_->finish(parts_->client->member_api_token_from_email(email));
}

AuthResult<TokenPair> BlockingHeadlessAuthClient::member_api_token_from_sso_id(
    std::string_view sso_user_id) {
  return parts_->finish(parts_->client->member_api_token_from_sso_id(sso_user_id));
}

AuthResult<RefreshedToken> BlockingHeadlessAuthClient::member_api_token_from_refresh_token(
    SecretPtr refresh_token) {
  return parts_->finish(
      parts_->client->member_api_token_from_refresh_token(std::move(refresh_token)));
}

AuthResult<Revocation> BlockingHeadlessAuthClient::revoke_refresh_token(SecretPtr refresh_token) {
  return parts_->finish(parts_->client->revoke_refresh_token(std::move(refresh_token)));
}

AuthResult<Revocation> BlockingHeadlessAuthClient::revoke_member_api_token(SecretPtr access_token) {
  return parts_->finish(parts_->client->revoke_member_api_token(std::move(access_token)));
}

Result<void> BlockingHeadlessAuthClient::set_app_token(const SecretPtr& app_token) {
  return parts_->client->set_app_token(app_token);
}

}  // namespace rota
