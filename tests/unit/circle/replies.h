#pragma once

#include <string>
#include <string_view>

#include "circle/http.h"

// Replies as Circle's OpenAPI description words them.
namespace rota::replies {

inline constexpr std::string_view kJson = "application/json; charset=utf-8";

inline constexpr std::string_view kAccess =
    "eyJhbGciOiJIUzI1NiJ9."
    "eyJjb21tdW5pdHlfaWQiOjEsImNvbW11bml0eV9tZW1iZXJfaWQiOjEsImV4cCI6MTcwODU0MTUxMH0."
    "-MY06GiyXB41dLAx_F4Eu8R4sRxq6QEjy3uLWc4Z6k8";
inline constexpr std::string_view kRefresh = "jaebyVK59l5xxAx1D4pM8H-wYyFA6gMC12RGYZcy44w";

inline std::string pair_json() {
  return R"({"access_token":")" + std::string(kAccess) + R"(","refresh_token":")" +
         std::string(kRefresh) +
         R"(","access_token_expires_at":"2022-01-01T00:00:00.000Z",)"
         R"("refresh_token_expires_at":"2022-02-01T00:00:00.500Z",)"
         R"("community_member_id":7,"community_id":3})";
}

inline std::string access_json() {
  return R"({"access_token":")" + std::string(kAccess) +
         R"(","access_token_expires_at":"2022-01-01T00:00:00.000Z"})";
}

inline std::string error_json(std::string_view message) {
  return R"({"success":false,"message":")" + std::string(message) + R"(","error_details":{}})";
}

inline HttpReply reply(int status, std::string_view body, std::string_view content_type = kJson) {
  HttpReply result;
  result.status = status;
  result.content_type = content_type;
  result.body = Secret(body);
  return result;
}

inline constexpr std::string_view kHtml502 =
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n"
    "<body><center><h1>502 Bad Gateway</h1></center></body>\r\n</html>\r\n";

}  // namespace rota::replies
