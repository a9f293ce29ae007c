// Calls each of the SDK's six methods, plain and as a coroutine, and prints what must become of
// every token: "live TOKEN" or "revoked TOKEN". The sandbox's ledger has the last word.
#include <rota/auth/blocking_headless_auth_client.h>
#include <rota/auth/headless_auth_client.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <optional>
#include <string>
#include <utility>

namespace {

[[noreturn]] void stop(const std::string& why) {
  std::cerr << "sdk_user: " << why << "\n";
  std::exit(1);
}

// The result of a plain call is there already.
template <class T>
T finish(boost::asio::io_context&, rota::AuthResult<T> result) {
  if (!result) stop(result.error().message);
  return *std::move(result);
}

template <class T>
T finish(boost::asio::io_context& loop, boost::asio::awaitable<rota::AuthResult<T>> call) {
  std::optional<rota::AuthResult<T>> result;
  boost::asio::co_spawn(loop, std::move(call),
                        [&result](const std::exception_ptr& thrown, rota::AuthResult<T> got) {
                          if (thrown) std::rethrow_exception(thrown);
                          result = std::move(got);
                        });
  loop.restart();
  loop.run();
  if (!result) stop("a coroutine never ended");
  return finish(loop, *std::move(result));
}

void print(const char* fate, const rota::SecretPtr& token) {
  std::cout << fate << ' ' << token->reveal() << '\n';
}

// With three members, `first` and the two after it, whom nobody has asked for yet.
template <class Client>
void call_all(boost::asio::io_context& loop, Client& client, std::int64_t first) {
  const auto by_id = finish(loop, client.member_api_token_from_community_member_id(first));
  const auto by_email = finish(loop, client.member_api_token_from_email(
                                         "member" + std::to_string(first + 1) + "@example.com"));
  const auto by_sso =
      finish(loop, client.member_api_token_from_sso_id("sso|" + std::to_string(first + 2)));
  if (by_id.community_member_id != first || by_email.community_member_id != first + 1 ||
      by_sso.community_member_id != first + 2) {
    stop("a pair of another member");
  }
  const auto refreshed = finish(loop, client.member_api_token_from_refresh_token(by_id.refresh));
  if (finish(loop, client.revoke_refresh_token(by_email.refresh)) != rota::Revocation::kRevoked) {
    stop("the refresh token was not revoked");
  }
  if (finish(loop, client.revoke_member_api_token(by_sso.access.value)) !=
      rota::Revocation::kRevoked) {
    stop("the access token was not revoked");
  }
  print("live", by_id.access.value);
  print("live", by_id.refresh);
  print("live", refreshed.value);
  print("live", by_email.access.value);
  print("revoked", by_email.refresh);
  print("revoked", by_sso.access.value);
  print("live", by_sso.refresh);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) stop("usage: sdk_user BASE_URL APP_TOKEN");
  rota::HeadlessAuthOptions options;
  options.base_url = argv[1];
  options.app_token = rota::make_secret(argv[2]);

  boost::asio::io_context loop;
  auto plain = rota::BlockingHeadlessAuthClient::create(options);
  if (!plain) stop(plain.error().message);
  call_all(loop, **plain, 1);
  auto coroutines = rota::HeadlessAuthClient::create(loop.get_executor(), options);
  if (!coroutines) stop(coroutines.error().message);
  call_all(loop, **coroutines, 4);
  return 0;
}
