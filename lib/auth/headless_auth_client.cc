#include "auth/headless_auth_client.h"

#include <chrono>
#include <utility>

#include "auth/http_transport.h"
#include "circle/classify.h"
#include "circle/encode.h"
#include "circle/token_text.h"
#include "model/member_key.h"

namespace rota {
namespace {

namespace asio = boost::asio;

// The coroutines below use only their arguments: the client may be gone when they resume.

// `token` is what the request's body names, if it names one.
asio::awaitable<Reply> reply_of(CallKind kind, SecretPtr token, asio::awaitable<HttpResult> sent) {
  const HttpResult result = co_await std::move(sent);
  if (!result) {
    const HttpFailure& failure = result.error();
    co_return Reply{
        Transient{.reason = failure.reason, .why = failure.why, .symptom = failure.symptom}, {}};
  }
  const auto wall_now = std::chrono::floor<Duration>(std::chrono::system_clock::now());
  co_return classify(kind, *result, wall_now, SentSecrets({result->bearer, token}));
}

asio::awaitable<AuthResult<TokenPair>> pair_of(asio::awaitable<Reply> called) {
  co_return pair_from((co_await std::move(called)).outcome);
}
asio::awaitable<AuthResult<RefreshedToken>> refreshed_of(asio::awaitable<Reply> called) {
  co_return refreshed_from((co_await std::move(called)).outcome);
}
asio::awaitable<AuthResult<Revocation>> revocation_of(asio::awaitable<Reply> called) {
  co_return revocation_from((co_await std::move(called)).outcome);
}

template <class T>
asio::awaitable<AuthResult<T>> invalid(std::string message) {
  co_return std::unexpected(
      AuthFailure{AuthFailureKind::kInvalidArgument, std::move(message), std::nullopt});
}

bool usable(const SecretPtr& token) { return token && plausible_token(token->reveal()); }

constexpr const char* kNoToken = "the token is empty or has a character that no token has";

asio::awaitable<AuthResult<TokenPair>> issue(HeadlessAuthClient& client, Result<MemberKey> member) {
  if (!member) return invalid<TokenPair>(std::move(member.error().message));
  return pair_of(client.call({CallKind::kIssue, *std::move(member), nullptr}));
}

}  // namespace

HeadlessAuthClient::HeadlessAuthClient(std::unique_ptr<HttpTransport> transport)
    : transport_(std::move(transport)) {}

HeadlessAuthClient::~HeadlessAuthClient() = default;

Result<std::unique_ptr<HeadlessAuthClient>> HeadlessAuthClient::create(
    asio::any_io_executor executor, const HeadlessAuthOptions& options) {
  ROTA_ASSIGN(auto transport, HttpTransport::create(std::move(executor), options));
  return std::unique_ptr<HeadlessAuthClient>(new HeadlessAuthClient(std::move(transport)));
}

asio::awaitable<AuthResult<TokenPair>>
HeadlessAuthClient::member_api_token_from_community_member_id(std::int64_t community_member_id) {
  return issue(*this, MemberKey::from_id(community_member_id));
}

asio::awaitable<AuthResult<TokenPair>> HeadlessAuthClient::member_api_token_from_email(
    std::string_view email) {
  return issue(*this, MemberKey::from_email(email));
}

asio::awaitable<AuthResult<TokenPair>> HeadlessAuthClient::member_api_token_from_sso_id(
    std::string_view sso_user_id) {
  return issue(*this, MemberKey::from_sso(sso_user_id));
}

asio::awaitable<AuthResult<RefreshedToken>> HeadlessAuthClient::member_api_token_from_refresh_token(
    SecretPtr refresh_token) {
  if (!usable(refresh_token)) return invalid<RefreshedToken>(kNoToken);
  return refreshed_of(call({CallKind::kRefresh, {}, std::move(refresh_token)}));
}

asio::awaitable<AuthResult<Revocation>> HeadlessAuthClient::revoke_refresh_token(
    SecretPtr refresh_token) {
  if (!usable(refresh_token)) return invalid<Revocation>(kNoToken);
  return revocation_of(call({CallKind::kRevokeRefresh, {}, std::move(refresh_token)}));
}

asio::awaitable<AuthResult<Revocation>> HeadlessAuthClient::revoke_member_api_token(
    SecretPtr access_token) {
  if (!usable(access_token)) return invalid<Revocation>(kNoToken);
  return revocation_of(call({CallKind::kRevokeAccess, {}, std::move(access_token)}));
}

asio::awaitable<Reply> HeadlessAuthClient::call(AuthRequest request) {
  SecretPtr token = request.token;
  return reply_of(request.kind, std::move(token), transport_->send(encode(request)));
}

Result<void> HeadlessAuthClient::set_app_token(const SecretPtr& app_token) {
  return transport_->set_app_token(app_token);
}

Result<void> HeadlessAuthClient::read_ca_file_again() { return transport_->read_ca_file_again(); }

}  // namespace rota
