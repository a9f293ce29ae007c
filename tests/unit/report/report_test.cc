#include "report/report.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "engine/plan_writer.h"
#include "report/member_view.h"
#include "report/status.h"
#include "tests/unit/engine/engine_box.h"

namespace rota::test {
namespace {

namespace json = boost::json;

std::vector<std::string> keys_of(const json::object& object) {
  std::vector<std::string> keys;
  for (const auto& field : object) keys.emplace_back(field.key());
  return keys;
}

json::object parse(const std::string& text) { return json::parse(text).as_object(); }

TEST(Report, AMemberShowsItsStandingAndNoToken) {
  EngineBox box = box_with_grace();
  const std::string text = member_json(view_of(box.engine, box.slot("id:42"), box.now));
  EXPECT_EQ(
      text,
      R"({"key":"email:grace@example.com","keys":["email:grace@example.com"],"state":"active",)"
      R"("since":"2024-03-20T16:00:00.000Z","name":"","tags":[],"source":"roster",)"
      R"("entries":[{"key":"email:grace@example.com","name":"","tags":[],"retired":false}],)"
      R"("enrolments":[],"community_member_id":42,)"
      R"("access_token_expires_at":"2024-03-20T17:00:00.000Z",)"
      R"("refresh_token_expires_at":"2024-04-20T16:00:00.000Z","superseded":0,"revoking":0,"member_gone":0,)"
      R"("doubts":0,"failures":0,"last_used_at":null,"signed_out_at":null,"kept_fresh":true,"in_flight":false,"next_action":"refresh",)"
      R"("next_at":"2024-03-20T16:50:00.000Z"})");
}

TEST(Report, TheTrailNamesAUserByItsIdAndAClientOfAListenerByItsName) {
  AuditEntry by_user;
  by_user.event = AuditEvent::kTokenFetched;
  by_user.caller = {.uid = 5, .gid = 60, .pid = 700};
  AuditEntry by_client = by_user;
  by_client.caller = {.client = "shop"};
  const json::object page = parse(audit_json({.entries = {by_user, by_client}, .next = {}}));
  const json::array& entries = page.at("entries").as_array();
  EXPECT_EQ(entries.at(0).at("uid"), 5);
  EXPECT_TRUE(entries.at(0).at("client").is_null());
  EXPECT_TRUE(entries.at(1).at("uid").is_null());
  EXPECT_EQ(entries.at(1).at("client"), "shop");
}

TEST(Report, TheStatusHasItsFields) {
  EngineBox box = box_with_grace();
  Health health = health_of(box.engine, {}, box.now);
  health.files.roster_problem = "line 3";
  health.version = "1.2.3";
  const std::string text = status_json(health);
  for (const char* secret : {"access-1", "refresh-1"}) {
    EXPECT_THAT(text, testing::Not(testing::HasSubstr(secret)));
  }
  const json::object status = parse(text);
  EXPECT_EQ(keys_of(status), (std::vector<std::string>{"version",         "host",
                                                       "started_at",      "summary",
                                                       "ready",           "not_ready",
                                                       "members",         "sources",
                                                       "upkeep",          "first_issues",
                                                       "guard",           "tokens_to_revoke",
                                                       "doubts",          "rows_set_aside",
                                                       "waiting_clients", "fetches",
                                                       "roster",          "calls_due",
                                                       "upstream",        "calls",
                                                       "store",           "removals_held_back",
                                                       "roster_plan_held"}));
  EXPECT_EQ(status.at("version"), "1.2.3");
  EXPECT_EQ(status.at("ready"), false);
  EXPECT_EQ(json::serialize(status.at("not_ready")),
            R"([{"code":"roster_not_in_force","message":"the roster on disk is not in force",)"
            R"("detail":"line 3"}])");
  EXPECT_EQ(json::serialize(status.at("removals_held_back")), "[]");
  health.removals_held_back = {"client:shop", "user:web"};
  EXPECT_EQ(json::serialize(parse(status_json(health)).at("removals_held_back")),
            R"(["client:shop","user:web"])");
  EXPECT_THAT(status_line(health), testing::StartsWith("removals by client:shop, user:web held"));
  health.files.roster_problem.clear();
  EXPECT_EQ(parse(status_json(health)).at("ready"), true);
  EXPECT_EQ(
      json::serialize(status.at("members")),
      R"({"active":1,"retiring":0,"retired":0,"blocked":0,"unknown":0,"mismatched":0,"fresh":1,"overdue":0,"dead_on_arrival":0,)"
      R"("tokens_hold_until":"2024-03-20T16:59:59.000Z"})");
  EXPECT_EQ(json::serialize(status.at("sources")), R"({"roster":1,"enrolled":0})");
  EXPECT_EQ(json::serialize(status.at("first_issues")),
            R"({"waiting":0,"issued":1,"of":1,"left_ms":0,"a_window":1079})");
  EXPECT_EQ(json::serialize(status.at("upkeep")), R"({"fits":10800,"kept":1,"left_out":0})");
  EXPECT_EQ(
      json::serialize(status.at("upstream")),
      R"({"breaker":"closed","trouble":null,"last_success_at":"2024-03-20T16:00:00.000Z",)"
      R"("next_call_in_ms":3000000,"calls_in_flight":0,)"
      R"("window_used":1,"window_limit":1200,"window_ms":300000,"budget_group":null,)"
      R"("paused_ms":0,"clock_skew_ms":0,"clock_confirmed":true,"clock_doubted":false,"early_refresh_useless":false,)"
      R"("access_token_lifetime_ms":3600000})");
  EXPECT_EQ(json::serialize(status.at("calls")),
            R"({"issued":1,"refreshed":0,"revoked":0,"failed":0,"throttled":0})");
  EXPECT_EQ(json::serialize(status.at("store")), R"({"commits":"ok"})");
  EXPECT_TRUE(status.at("roster_plan_held").is_null());
}

TEST(Report, TheStatusLineNamesWhatIsWrong) {
  EngineBox box = box_with_grace();
  EXPECT_EQ(status_line(health_of(box.engine, {}, box.now)),
            "1 of 1 member fresh; next call in 3,000 s");
  box.roster({entry(kGraceKey, true)});
  box.settle();
  box.reply(box.oldest_call(), AppTokenRefused{});
  box.commit_fail();
  const std::string line = status_line(health_of(box.engine, {}, box.now));
  EXPECT_THAT(line, testing::StartsWith("commits fail; upstream app_token_refused; "
                                        "0 of 0 members fresh; 2 tokens to revoke"))
      << "the problem first";
}

// An outage is told from its first failure on, and what it means for those who use tokens.
TEST(Report, TheStatusLineTellsOfAnOutageAndHowLongTokensHold) {
  EngineBox box = box_with_grace();
  box.advance(std::chrono::minutes{50});
  box.settle();
  box.reply(box.oldest_call(),
            Transient{.reason = TransientReason::kServerError,
                      .why = "words of others",
                      .symptom = {.kind = Symptom::Kind::kStatus, .status = 503}});
  box.settle();
  const std::string line = status_line(health_of(box.engine, {}, box.now));
  EXPECT_THAT(line,
              testing::StartsWith("Circle answers 503 (since 16:50 UTC); 1 of 1 member fresh; "
                                  "tokens are valid until 16:59 UTC; next call in "));
  EXPECT_THAT(line, testing::Not(testing::HasSubstr("next call in 0 s")));
  const auto upstream = parse(status_json(health_of(box.engine, {}, box.now))).at("upstream");
  EXPECT_EQ(json::serialize(upstream.at("trouble")),
            R"({"what":"Circle answers 503","since":"2024-03-20T16:50:00.000Z","failures":1})");
  EXPECT_EQ(upstream.at("last_success_at"), "2024-03-20T16:00:00.000Z") << "of the issue";
  EngineBox fresh;
  fresh.start();
  EXPECT_TRUE(parse(status_json(health_of(fresh.engine, {}, fresh.now)))
                  .at("upstream")
                  .at("last_success_at")
                  .is_null());
}

TEST(Report, TheStatusLineGuessesNoEndOfFirstTokensWhileCallsFail) {
  EngineBox box;
  box.start();
  box.roster({entry("id:1"), entry("id:2")});
  box.settle();
  EXPECT_THAT(status_line(health_of(box.engine, {}, box.now)), testing::HasSubstr("min to go"));
  box.reply(box.oldest_call(), Transient{.reason = TransientReason::kNotSent,
                                         .why = "no such name",
                                         .symptom = {.kind = Symptom::Kind::kLookup}});
  const std::string line = status_line(health_of(box.engine, {}, box.now));
  EXPECT_THAT(line, testing::HasSubstr("first tokens: 0 of 2 issued"));
  EXPECT_THAT(line, testing::Not(testing::HasSubstr("min to go")));
}

// It is called for at once, but it has no token before Circle gives one.
TEST(Report, AMemberThatAClientWaitsForHasNoTokenYet) {
  EngineBox box;
  box.start();
  box.roster({entry("id:1"), entry("id:2")});
  box.settle();
  box.wait(1, 30s);
  box.settle();
  box.reply(box.oldest_call(), Transient{.reason = TransientReason::kNotSent,
                                         .why = "no such name",
                                         .symptom = {.kind = Symptom::Kind::kLookup}});
  box.settle();
  const Health health = health_of(box.engine, {}, box.now);
  EXPECT_THAT(status_line(health), testing::HasSubstr("first tokens: 0 of 2 issued"));
  EXPECT_EQ(json::serialize(parse(status_json(health)).at("first_issues")),
            R"({"waiting":2,"issued":0,"of":2,"left_ms":null,"a_window":1079})");
}

TEST(Report, TheStatusLineGroupsThousands) {
  EngineBox box;
  box.start();
  std::vector<RosterEntry> entries;
  for (int i = 1; i <= 1'234; ++i) entries.push_back(entry(fmt::format("id:{}", i)));
  box.roster(entries);
  box.settle();
  EXPECT_THAT(status_line(health_of(box.engine, {}, box.now)),
              testing::HasSubstr("0 of 1,234 members fresh; first tokens: 0 of 1,234 issued, about "
                                 "6 min to go"));
}

TEST(Report, MembersComeInPagesByKey) {
  EngineBox box;
  box.start();
  std::vector<RosterEntry> entries;
  for (const char* key : {"id:1", "id:2", "email:a@b", "sso:x", "email:c@d"}) {
    entries.push_back(entry(key, key == std::string_view("id:2")));
  }
  box.roster(entries);
  box.settle();
  std::vector<std::string> seen;
  MembersWanted wanted{.limit = 2};
  for (int pages = 0; pages < 10; ++pages) {
    const MembersPage page = page_of_members(box.engine, box.now, wanted);
    for (const MemberView& member : page.members) seen.push_back(member.key.text());
    if (!page.next) break;
    wanted.after = page.next;
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"email:a@b", "email:c@d", "id:1", "id:2", "sso:x"}));
  const MembersPage retired =
      page_of_members(box.engine, box.now, {.state = MemberState::kRetired, .limit = 10});
  ASSERT_EQ(retired.members.size(), 1U);
  EXPECT_EQ(retired.members[0].key.text(), "id:2");
  EXPECT_EQ(retired.next, std::nullopt);
  EXPECT_EQ(page_of_members(box.engine, box.now, {.limit = 0}).members.size(), 1U);
}

TEST(Report, AMemberShowsWhoseWordMakesItOne) {
  EngineBox box = box_with_grace();
  MemberSlot slot = box.slot("id:42");
  const auto shown = [&] { return parse(member_json(view_of(box.engine, slot, box.now))); };
  Selector& selector = slot.record.selectors[0];
  selector.enrolments = {{.client = "user:www-data", .tags = {"a", "web"}, .since = kT0}};
  slot.record.signed_out_at = kT0;
  EXPECT_EQ(shown().at("source"), "roster") << "its word counts";
  EXPECT_EQ(json::serialize(shown().at("enrolments")),
            R"([{"key":"email:grace@example.com","client":"user:www-data","tags":["a","web"],)"
            R"("since":"2024-03-20T16:00:00.000Z"}])");
  EXPECT_EQ(shown().at("signed_out_at"), "2024-03-20T16:00:00.000Z");
  selector.in_roster = false;
  EXPECT_EQ(shown().at("source"), "enrolled");
  selector.enrolments.clear();
  EXPECT_TRUE(shown().at("source").is_null());
}

TEST(Report, MembersAreListedByTheirSource) {
  EngineBox box;
  box.start();
  box.roster({entry("id:1"), entry("id:2"), entry("id:3")});
  box.roster({entry("id:1"), entry("id:2")});
  box.settle();
  const auto of = [&](std::optional<MemberSource> source) {
    std::string keys;
    for (const MemberView& member :
         page_of_members(box.engine, box.now, {.source = source, .limit = 10}).members) {
      keys += member.key.text() + " ";
    }
    return keys;
  };
  EXPECT_EQ(of(std::nullopt), "id:1 id:2 id:3 ");
  EXPECT_EQ(of(MemberSource::kRoster), "id:1 id:2 ");
  EXPECT_EQ(of(MemberSource::kEnrolled), "");
}

TEST(Report, TheCountsBySourceAreThoseOfTheLists) {
  EngineBox box;
  box.start();
  box.roster({entry("id:1"), entry("id:2"), entry("id:3")});
  box.roster({entry("id:1"), entry("id:2")});
  box.settle();
  box.enrol("id:4");
  box.enrol("id:2");
  box.settle();
  Health::Members members = count_members(box.engine, box.now);
  EXPECT_EQ(members.named_by_roster, 2U) << "3 has left, and 2 is enrolled besides";
  EXPECT_EQ(members.only_enrolled, 1U);
  box.roster({entry("id:1"), entry("id:4")});
  box.settle();
  members = count_members(box.engine, box.now);
  EXPECT_EQ(members.named_by_roster, 2U) << "4 is of the roster now, and 2 has left";
  EXPECT_EQ(members.only_enrolled, 0U);
}

TEST(Report, APageOfMembersNamesTheNextOne) {
  EngineBox box = box_with_grace();
  MembersPage page = page_of_members(box.engine, box.now, {.limit = 10});
  const json::object last = parse(members_json(page));
  EXPECT_EQ(keys_of(last), (std::vector<std::string>{"members", "next"}));
  EXPECT_EQ(last.at("members").as_array().size(), 1U);
  EXPECT_EQ(json::serialize(last.at("members").as_array()[0]), member_json(page.members[0]));
  EXPECT_TRUE(last.at("next").is_null());
  page.next = page.members[0].key;
  EXPECT_EQ(parse(members_json(page)).at("next"), "email:grace@example.com");
}

TEST(Report, APlanIsItsLists) {
  RosterPlan plan;
  plan.id = "0123456789abcdef";
  plan.held = true;
  plan.add = {MemberKey::parse("id:1").value()};
  plan.retire = {MemberKey::parse("email:a@b").value(), MemberKey::parse("sso:\"x").value()};
  plan.calls = 5;
  PlanWriter writer;
  int parts = 1;
  while (!writer.write(plan, 1)) ++parts;
  EXPECT_EQ(parts, 3) << "a key at a time";
  const std::string text = writer.take();
  EXPECT_EQ(
      text,
      R"({"id":"0123456789abcdef","held":true,"add":["id:1"],"retire":["email:a@b","sso:\"x"],)"
      R"("change":[],"calls":5})");
}

}  // namespace
}  // namespace rota::test
