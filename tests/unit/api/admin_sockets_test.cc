// Which socket has which routes, and for whom.

#include <gmock/gmock.h>

#include <string>

#include "unit/api/admin_box.h"

namespace rota::admin_api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(AdminApi, ServesWhatTheTokenSocketServes) {
  tokens.publish(42, "t", std::chrono::hours{1});
  for (const Frontend* at : {&frontend, &token_socket}) {
    EXPECT_EQ(ask(*at, "GET", "/healthz"), R"({"status":"ok"})");
    EXPECT_EQ(ask(*at, "GET", "/v1/token?community_member_id=42"), "token");
    EXPECT_EQ(ask(*at, "GET", "/v1/token?community_member_id=42&x=1"), "bad_request");
    EXPECT_EQ(ask(*at, "GET", "/v1/token/?community_member_id=42"), "not_found");
    EXPECT_EQ(ask(*at, "POST", "/v1/token?community_member_id=42"), "method_not_allowed GET, HEAD");
    EXPECT_EQ(ask(*at, "POST", "/healthz"), "method_not_allowed GET, HEAD");
    EXPECT_EQ(ask(*at, "GET", "/"), "not_found");
  }
}

TEST_F(AdminApi, EverySocketSaysHowTheDaemonIs) {
  for (const Frontend* at : {&frontend, &token_socket, &metrics_listener}) {
    health.ready = true;
    EXPECT_EQ(ask(*at, "GET", "/healthz"), R"({"status":"ok"})");
    EXPECT_EQ(ask(*at, "GET", "/readyz"), health.readiness());
    EXPECT_EQ(ask(*at, "GET", "/readyz?probe=7"), health.readiness());
    health.ready = false;
    EXPECT_EQ(ask(*at, "GET", "/readyz"), "503 " + health.readiness());
    EXPECT_EQ(ask(*at, "GET", "/healthz"), R"({"status":"ok"})") << "the process turns";
    EXPECT_EQ(ask(*at, "POST", "/readyz"), "method_not_allowed GET, HEAD");
    EXPECT_EQ(ask(*at, "GET", "/readyz/"), "not_found");
  }
  EXPECT_EQ(ask(token_socket, "GET", "/readyz", kStranger), "503 " + health.readiness());
}

TEST_F(AdminApi, MetricsAreForAdminAndTheirOwnListener) {
  EXPECT_THAT(ask("GET", "/metrics"), HasSubstr("\nrota_ready 1\n"));
  EXPECT_THAT(ask(metrics_listener, "GET", "/metrics", kPeerUnknown),
              HasSubstr("\nrota_ready 1\n"));
  EXPECT_EQ(ask(metrics_listener, "POST", "/metrics"), "method_not_allowed GET, HEAD");
  EXPECT_EQ(ask("GET", "/metrics", kStranger), "forbidden");
  EXPECT_EQ(ask(token_socket, "GET", "/metrics"), "not_found");
}

TEST_F(AdminApi, TheMetricsListenerHasNothingElse) {
  tokens.publish(42, "t", std::chrono::hours{1});
  for (const std::string_view path :
       {"/", "/v1/token?community_member_id=42", "/v1/status", "/v1/members", "/v1/members/id:42",
        "/v1/revoke-all", "/v1/roster/plan", "/v1/roster/reload", "/metrics/"}) {
    for (const PeerIdentity& peer : {kPeerUnknown, kRoot}) {
      EXPECT_EQ(ask(metrics_listener, "GET", path, peer), "not_found") << path;
      EXPECT_EQ(ask(metrics_listener, "POST", path, peer), "not_found") << path;
    }
  }
  EXPECT_THAT(admin.calls, ElementsAre());
}

TEST_F(AdminApi, WhoComesOverTcpMayDoNothing) {
  tokens.publish(42, "t", std::chrono::hours{1});
  EXPECT_EQ(ask("GET", "/v1/status", kPeerUnknown), "forbidden");
  EXPECT_EQ(ask(token_socket, "GET", "/v1/token?community_member_id=42", kPeerUnknown),
            "forbidden");
}

TEST_F(AdminApi, TheTokenSocketHasNothingOfAdmin) {
  for (const std::string_view path : {"/v1/status", "/v1/members", "/v1/members/id:42/revoke",
                                      "/v1/revoke-all", "/v1/roster/plan", "/v1/roster/reload"}) {
    EXPECT_EQ(ask(token_socket, "GET", path), "not_found") << path;
    EXPECT_EQ(ask(token_socket, "POST", path), "not_found") << path;
  }
  EXPECT_EQ(ask(token_socket, "GET", "/v1/members/id:42"), "method_not_allowed PUT, DELETE");
}

TEST_F(AdminApi, AStrangerIsRefusedWhateverIsAsked) {
  for (const std::string_view path :
       {"/v1/status", "/v1/members/id:42", "/v1/members/id:43", "/healthz", "/nowhere"}) {
    EXPECT_EQ(ask("GET", path, kStranger), "forbidden") << path;
  }
  EXPECT_EQ(ask("POST", "/v1/revoke-all", kStranger), "forbidden");
  EXPECT_EQ(ask(token_socket, "GET", "/healthz", kStranger), R"({"status":"ok"})");
  EXPECT_THAT(admin.calls, ElementsAre());
}

}  // namespace
}  // namespace rota::admin_api
