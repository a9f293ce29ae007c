#include <gmock/gmock.h>

#include <string>

#include "unit/api/admin_box.h"

namespace rota::admin_api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kNoMembers = R"({"members":[],"next":null})";

TEST_F(AdminApi, RoutesEachPathToItsService) {
  EXPECT_THAT(ask("GET", "/v1/status"), StartsWith(R"({"version":"","host":)"));
  EXPECT_EQ(ask("GET", "/v1/members"), kNoMembers);
  EXPECT_THAT(ask("GET", "/v1/members/id:42"), StartsWith(R"({"key":"id:42",)"));
  EXPECT_EQ(ask("GET", "/v1/roster/plan"), "later");
  EXPECT_EQ(ask("POST", "/v1/revoke-all"), "later");
  EXPECT_EQ(ask("POST", "/v1/roster/reload"), "later");
  EXPECT_EQ(ask("POST", "/v1/roster/reload?approve=0123"), "later");
  EXPECT_THAT(admin.calls, ElementsAre("members state= after= limit=100", "revoke_all", "reload ",
                                       "reload 0123"));
}

TEST_F(AdminApi, ThePlanIsOfWhatIsOnDisk) {
  EXPECT_EQ(ask("GET", "/v1/roster/plan"), "later");
  const auto plan = std::make_shared<RosterPlan>();
  plan->json = R"({"id":"p"})";
  admin.plan_done(plan);
  EXPECT_EQ(later_text(), R"({"id":"p"})");
  EXPECT_EQ(ask("GET", "/v1/roster/plan"), "later");
  admin.plan_done(fail(ErrorKind::kConfig, "roster.toml:2"));
  EXPECT_EQ(later_text(), "config_invalid");
}

TEST_F(AdminApi, ReadsTheAuditTrail) {
  EXPECT_EQ(ask("GET", "/v1/audit"), "later");
  EXPECT_EQ(admin.audit_request.after, 0);
  EXPECT_EQ(admin.audit_request.limit, 100U);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(admin.audit_request.since));
  EXPECT_EQ(
      ask("GET",
          "/v1/audit?after=7&limit=1000&since=2h&member=id:42&token=00000000000000ff&notable=true"),
      "later");
  EXPECT_EQ(admin.audit_request.after, 7);
  EXPECT_EQ(admin.audit_request.limit, 1'000U);
  EXPECT_EQ(std::get<Duration>(admin.audit_request.since), std::chrono::hours{2});
  EXPECT_THAT(members_asked_for(), ElementsAre("id:42"));
  EXPECT_EQ(admin.audit_request.token, 255U);
  EXPECT_TRUE(admin.audit_request.notable);
  admin.audit_done(AuditPage{});
  EXPECT_EQ(later_text(), R"({"entries":[],"next":null,"last":0})");
  EXPECT_EQ(ask("GET", "/v1/audit?since=2024-03-20T16:54:47Z"), "later");
  EXPECT_EQ(std::get<WallTime>(admin.audit_request.since), parse_iso8601("2024-03-20T16:54:47Z"));
  admin.audit_done(fail(ErrorKind::kIo, "no disk"));
  EXPECT_EQ(later_text(), "unavailable");
  for (const char* wrong :
       {"after=-1", "after=x", "after=1&after=2", "limit=0", "limit=1001", "since=soon",
        "since=", "member=42", "token=ff", "else=1", "notable=1"}) {
    EXPECT_EQ(ask("GET", std::string("/v1/audit?") + wrong), "bad_request") << wrong;
  }
  EXPECT_EQ(ask("POST", "/v1/audit"), "method_not_allowed GET, HEAD");
  EXPECT_EQ(ask("GET", "/v1/audit", kStranger), "forbidden");
  EXPECT_EQ(ask(token_socket, "GET", "/v1/audit"), "not_found");
}

TEST_F(AdminApi, NotesWhoOrderedWhat) {
  ask("POST", "/v1/members/id:42/rotate");
  ask("POST", "/v1/members/id:42/revoke");
  ask("POST", "/v1/members/id:42/reinstate");
  ask("POST", "/v1/revoke-all");
  ask("POST", "/v1/roster/reload");
  ask("POST", "/v1/roster/reload?approve=3f");
  ask("POST", "/v1/members/id:42/sign-out");
  ask("DELETE", "/v1/members/id:42");
  EXPECT_THAT(
      tokens.orders(),
      ElementsAre("rotate_asked 1 [id:42] [] by 0", "revoke_asked 1 [id:42] [] by 0",
                  "reinstate_asked 1 [id:42] [] by 0", "revoke_all_asked 0 [] [] by 0",
                  "reload_asked 0 [] [] by 0", "approve_asked 0 [] [3f] by 0",
                  "sign_out_asked 1 [id:42] [] by 0", "enrolment_end_asked 1 [id:42] [] by 0"));
  // What is only looked at, or refused, is no order.
  ask("GET", "/v1/members/id:42");
  ask("GET", "/v1/audit");
  ask("POST", "/v1/members/id:43/rotate");
  ask("POST", "/v1/members/id:42/rotate", kStranger);
  ask("POST", "/v1/roster/reload?approve=");
  EXPECT_THAT(tokens.orders(), testing::IsEmpty());
}

TEST_F(AdminApi, TellsWhereABackupIs) {
  EXPECT_EQ(ask("POST", "/v1/backup"), "later");
  admin.backup_done(Backup{.path = "/var/lib/rota/rota.db.backup",
                           .bytes = 4096,
                           .made_at = WallTime{std::chrono::seconds{1'700'000'000}}});
  EXPECT_EQ(later_text(), R"({"path":"/var/lib/rota/rota.db.backup","bytes":4096,)"
                          R"("made_at":"2023-11-14T22:13:20.000Z"})");
  EXPECT_THAT(admin.calls, ElementsAre("back_up"));
  EXPECT_THAT(tokens.orders(), ElementsAre("backup_asked 0 [] [] by 0"));
  EXPECT_EQ(ask("POST", "/v1/backup"), "later");
  admin.backup_done(fail(ErrorKind::kBusy, "another one"));
  EXPECT_EQ(later_text(), "unavailable");
  EXPECT_EQ(ask("POST", "/v1/backup?to=x"), "bad_request");
}

TEST_F(AdminApi, LiftsWhatHoldsAClientsRemovalsBack) {
  EXPECT_EQ(ask("POST", "/v1/removals/lift?client=user%3Aweb"), "later");
  admin.lift_done(true);
  EXPECT_EQ(later_text(), R"({"client":"user:web","was_held_back":true})");
  EXPECT_EQ(ask("POST", "/v1/removals/lift?client=client:shop"), "later");
  admin.lift_done(false);
  EXPECT_EQ(later_text(), R"({"client":"client:shop","was_held_back":false})");
  EXPECT_THAT(admin.calls, ElementsAre("lift_removals user:web", "lift_removals client:shop"));
  EXPECT_THAT(tokens.orders(), ElementsAre("removals_lift_asked 0 [] [user:web] by 0",
                                           "removals_lift_asked 0 [] [client:shop] by 0"));
  EXPECT_EQ(ask("POST", "/v1/removals/lift?client=root"), "later");
  admin.lift_done(fail(ErrorKind::kIo, "not on disk"));
  EXPECT_EQ(later_text(), "unavailable");
  EXPECT_THAT(tokens.orders(), ElementsAre("removals_lift_asked 0 [] [root] by 0"));
  EXPECT_EQ(ask("POST", "/v1/removals/lift?client=user:nobody"), "later");
  admin.lift_done(fail(ErrorKind::kInvalid, "user:nobody is not held back; held back: root"));
  EXPECT_EQ(later_text(), "not_possible");
  (void)tokens.orders();
  admin.calls.clear();
  const std::string too_long = "client=user:" + std::string(252, 'a');
  for (const std::string& wrong :
       {std::string(), std::string("client="), std::string("client=web"),
        std::string("client=user:"), std::string("client=user:a%0Ab"),
        std::string("client=user:%FF"), std::string("client=root&client=root"),
        std::string("client=root&x=1"), too_long}) {
    EXPECT_EQ(ask("POST", "/v1/removals/lift?" + wrong), "bad_request") << wrong;
  }
  EXPECT_EQ(ask("GET", "/v1/removals/lift?client=root"), "method_not_allowed POST");
  EXPECT_EQ(ask("POST", "/v1/removals/lift?client=root", kStranger), "forbidden");
  EXPECT_EQ(ask(token_socket, "POST", "/v1/removals/lift?client=root"), "not_found");
  EXPECT_EQ(ask(metrics_listener, "POST", "/v1/removals/lift?client=root"), "not_found");
  EXPECT_THAT(admin.calls, testing::IsEmpty());
  EXPECT_THAT(tokens.orders(), testing::IsEmpty());
}

TEST_F(AdminApi, NamesTheMethodThatWouldDo) {
  EXPECT_EQ(ask("POST", "/v1/status"), "method_not_allowed GET, HEAD");
  EXPECT_EQ(ask("POST", "/v1/members"), "method_not_allowed GET, HEAD");
  EXPECT_EQ(ask("PATCH", "/v1/members/id:42"), "method_not_allowed GET, HEAD, PUT, DELETE");
  EXPECT_EQ(ask("GET", "/v1/members/id:42/sign-out"), "method_not_allowed POST");
  EXPECT_EQ(ask("GET", "/v1/members/id:42/revoke"), "method_not_allowed POST");
  EXPECT_EQ(ask("GET", "/v1/revoke-all"), "method_not_allowed POST");
  EXPECT_EQ(ask("GET", "/v1/roster/reload"), "method_not_allowed POST");
  EXPECT_THAT(admin.calls, ElementsAre());
}

TEST_F(AdminApi, ActsOnTheMemberThatThePathNames) {
  EXPECT_EQ(ask("POST", "/v1/members/id:42/rotate"), "later");
  EXPECT_EQ(ask("POST", "/v1/members/sso:google-oauth2%7C10/revoke"), "later");
  EXPECT_EQ(ask("POST", "/v1/members/sso:a%2Fb/reinstate"), "later");
  EXPECT_THAT(admin.calls, ElementsAre("operate id:42 0", "operate sso:google-oauth2|10 1",
                                       "operate sso:a/b 2"));
}

// From there on the member goes by its id.
TEST_F(AdminApi, AnOrderLooksItsMemberUpOnce) {
  for (const std::string_view action : {"rotate", "revoke", "reinstate"}) {
    admin.looked_up = 0;
    EXPECT_EQ(ask("POST", "/v1/members/id:42/" + std::string(action)), "later");
    EXPECT_EQ(admin.looked_up, 1) << action;
  }
}

// As on the token routes: an SSO id with a plus if there is such a member, else one with a space.
TEST_F(AdminApi, APlusIsOneFirstAndASpaceWhereThatLeadsToNobodyOnEveryRoute) {
  admin.known = {"sso:a b"};
  EXPECT_THAT(ask("GET", "/v1/members/sso:a+b"), StartsWith(R"({"key":"sso:a b",)"));
  EXPECT_EQ(ask("POST", "/v1/members/sso:a+b/rotate"), "later");
  EXPECT_EQ(ask("GET", "/v1/members?after=sso:a+b"), kNoMembers);
  EXPECT_EQ(ask("GET", "/v1/audit?member=sso:a+b"), "later");
  EXPECT_THAT(members_asked_for(), ElementsAre("sso:a b"));
  EXPECT_EQ(ask("GET", "/v1/members/sso:a%2Bb"), "member_unknown") << "that is a plus for sure";

  admin.known = {"sso:a b", "sso:a+b"};
  EXPECT_EQ(ask("POST", "/v1/members/sso:a+b/revoke"), "later");
  EXPECT_EQ(ask("GET", "/v1/members?after=sso:a+b"), kNoMembers);
  EXPECT_EQ(ask("GET", "/v1/audit?member=sso:a+b"), "later");
  EXPECT_THAT(members_asked_for(), ElementsAre("sso:a+b"));
  EXPECT_THAT(admin.calls,
              ElementsAre("operate sso:a b 0", "members state= after=sso:a b limit=100",
                          "operate sso:a+b 1", "members state= after=sso:a+b limit=100"));

  admin.known = {};  // forgotten, and perhaps on the trail
  EXPECT_EQ(ask("GET", "/v1/members/sso:a+b"), "member_unknown");
  EXPECT_EQ(ask("GET", "/v1/audit?member=sso:a+b"), "later");
  EXPECT_THAT(members_asked_for(), ElementsAre("sso:a+b", "sso:a b"));
  EXPECT_EQ(ask("GET", "/v1/audit?member=email:a+b@example.com"), "later");
  EXPECT_THAT(members_asked_for(), ElementsAre("email:a+b@example.com"));
}

TEST_F(AdminApi, RefusesKeysAndActionsThatAreNone) {
  EXPECT_EQ(ask("GET", "/v1/members/id:43"), "member_unknown");
  EXPECT_EQ(ask("POST", "/v1/members/id:43/revoke"), "member_unknown");
  EXPECT_EQ(ask("GET", "/v1/members/42"), "bad_request");
  EXPECT_EQ(ask("GET", "/v1/members/"), "bad_request");
  EXPECT_EQ(ask("POST", "/v1/members/id:x/revoke"), "bad_request");
  EXPECT_EQ(ask("POST", "/v1/members/id:42/promote"), "not_found");
  EXPECT_EQ(ask("POST", "/v1/members/id:42/revoke/"), "not_found");
  EXPECT_EQ(ask("GET", "/v1/members/sso:a/b"), "not_found");
  EXPECT_EQ(ask("GET", "/v1/audits"), "not_found");
  EXPECT_THAT(admin.calls, ElementsAre());
}

TEST_F(AdminApi, ReadsThePageOfMembers) {
  EXPECT_EQ(ask("GET", "/v1/members?state=active&after=sso%3Aa%7Cb&limit=1000"), kNoMembers);
  EXPECT_EQ(ask("GET", "/v1/members?limit=1&after="), kNoMembers);
  EXPECT_EQ(ask("GET", "/v1/members?source=roster"), kNoMembers);
  EXPECT_EQ(ask("GET", "/v1/members?source=enrolled&state=active&limit=1"), kNoMembers);
  EXPECT_THAT(admin.calls, ElementsAre("members state=active after=sso:a|b limit=1000",
                                       "members state= after= limit=1",
                                       "members state= source=roster after= limit=100",
                                       "members state=active source=enrolled after= limit=1"));
  for (const std::string_view bad :
       {"limit=0", "limit=1001", "limit=-1", "limit=x", "limit=", "limit=1&limit=1", "after=42",
        "after=id:1&after=id:1", "state=nonsense", "state=active&state=active", "page=2",
        "source=nonsense", "source=roster&source=roster"}) {
    EXPECT_EQ(ask("GET", "/v1/members?" + std::string(bad)), "bad_request") << bad;
  }
}

TEST_F(AdminApi, RefusesParametersThatMeanNothing) {
  for (const std::string_view path :
       {"/v1/status?x=1", "/v1/roster/plan?x", "/v1/members/id:42?x=1"}) {
    EXPECT_EQ(ask("GET", path), "bad_request") << path;
  }
  for (const std::string_view path :
       {"/v1/revoke-all?x=1", "/v1/members/id:42/revoke?force=1", "/v1/roster/reload?x=1",
        "/v1/roster/reload?approve=", "/v1/roster/reload?approve=a&approve=a",
        "/v1/roster/reload?approve=%FF", "/v1/roster/reload?approve=plan",
        "/v1/roster/reload?approve=0123456789abcdef0"}) {
    EXPECT_EQ(ask("POST", path), "bad_request") << path;
  }
  EXPECT_THAT(admin.calls, ElementsAre());
}

TEST_F(AdminApi, ReportsAnOperationAsJson) {
  ask("POST", "/v1/members/id:42/revoke");
  EXPECT_EQ(later_text(), "nothing yet");
  OperatorReport report;
  report.end = OperationEnd::kTimedOut;
  report.state = MemberState::kBlocked;
  report.doubts = 1;
  report.revocations = {{TokenKind::kRefresh, 0xff, "revoked", false},
                        {TokenKind::kAccess, 0x1, "no reply", true}};
  admin.report_done(report);
  EXPECT_EQ(
      later_text(),
      R"({"done":false,"state":"blocked","detail":"not finished yet: rotad goes on; )"
      R"(look again with `rota member`","revocations":[)"
      R"({"kind":"refresh","fingerprint":"00000000000000ff","result":"revoked","alive":false},)"
      R"({"kind":"access","fingerprint":"0000000000000001","result":"no reply","alive":true}],)"
      R"("doubts":1})");
}

TEST_F(AdminApi, ReportsAnOperationWithoutTokens) {
  ask("POST", "/v1/revoke-all");
  OperatorReport report;
  report.end = OperationEnd::kNobody;
  admin.report_done(report);
  EXPECT_EQ(later_text(),
            R"({"done":true,"state":"active","detail":"there are no members","revocations":[],)"
            R"("doubts":0})");
}

TEST_F(AdminApi, MapsEveryKindOfError) {
  const std::pair<ErrorKind, std::string_view> kinds[] = {
      {ErrorKind::kInvalid, "not_possible"}, {ErrorKind::kConfig, "config_invalid"},
      {ErrorKind::kBusy, "unavailable"},     {ErrorKind::kIo, "unavailable"},
      {ErrorKind::kFull, "unavailable"},     {ErrorKind::kCorrupt, "internal"},
      {ErrorKind::kBug, "internal"},
  };
  for (const auto& [kind, wanted] : kinds) {
    ask("POST", "/v1/members/id:42/reinstate");
    admin.report_done(fail(kind, "why"));
    EXPECT_EQ(later_text(), wanted);
    EXPECT_EQ(std::get<ErrorReply>(*later_reply).message, "why");
    ask("POST", "/v1/roster/reload");
    admin.reload_done(fail(kind, "why"));
    EXPECT_EQ(later_text(), wanted);
  }
  ask("POST", "/v1/roster/reload");
  admin.reload_done(std::string("{\"id\":\"q\"}"));
  EXPECT_EQ(later_text(), "{\"id\":\"q\"}");
}

}  // namespace
}  // namespace rota::admin_api
