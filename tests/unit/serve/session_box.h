#pragma once

#include <gmock/gmock.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "unit/serve/harness.h"

namespace rota {

inline constexpr WaitAnswer kServe{.result = WaitResult::kServe, .retry_after = {}};

inline std::string token_request(std::int64_t id, std::string_view more = "") {
  return "GET /v1/token?community_member_id=" + std::to_string(id) + std::string(more) +
         " HTTP/1.1\r\nHost: x\r\n\r\n";
}
inline auto has_token(std::string_view text) {
  return ::testing::StartsWith("{\"access_token\":\"" + std::string(text) + "\",");
}

class SessionTest : public ServeTest {
 protected:
  void SetUp() override {
    start();
    tokens.publish(1, "one", std::chrono::hours{1});
    tokens.publish(2, "two", std::chrono::hours{1});
    tokens.publish(9, "stale", std::chrono::seconds{0});  // every request for it waits
  }
  template <class Predicate>
  void wait_for_more(Client& client, Predicate predicate) {
    run_until([&] {
      client.receive();
      return predicate(client.received()) || client.ended();
    });
  }
};

}  // namespace rota
