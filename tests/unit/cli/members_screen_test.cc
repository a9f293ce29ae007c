#include "cli/members_screen.h"

#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "cli/columns.h"

namespace rota::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

namespace json = boost::json;

const WallTime kNow = *parse_iso8601("2024-03-20T16:42:10Z");
constexpr const char* kSoon = "2024-03-20T17:25:10.000Z";    // 43 minutes
constexpr const char* kBefore = "2024-03-20T16:40:00.000Z";  // 130 seconds ago

json::object member(const std::string& key, const std::string& name = "") {
  return {{"key", key},
          {"keys", json::array{key}},
          {"state", "active"},
          {"name", name},
          {"tags", json::array{"staff"}},
          {"access_token_expires_at", kSoon},
          {"kept_fresh", true},
          {"failures", 0},
          {"revoking", 0},
          {"next_action", "refresh"},
          {"next_at", "2024-03-20T17:15:10.000Z"}};
}

std::vector<std::string> keys_of(const std::vector<json::object>& members) {
  std::vector<std::string> keys;
  for (const json::object& each : members) keys.emplace_back(each.at("key").as_string());
  return keys;
}

TEST(MembersScreen, SaysHowFarOffATimeIs) {
  const auto at = [](std::chrono::seconds off) { return relative(kNow + off, kNow); };
  using std::chrono::hours;
  using std::chrono::minutes;
  using std::chrono::seconds;
  EXPECT_EQ(at(seconds{0}), "now");
  EXPECT_EQ(at(seconds{119}), "in 119 s");
  EXPECT_EQ(at(minutes{43}), "in 43 min");
  EXPECT_EQ(at(minutes{119}), "in 119 min");
  EXPECT_EQ(at(hours{47}), "in 47 h");
  EXPECT_EQ(at(hours{49}), "in 2 d");
  EXPECT_EQ(at(-seconds{12}), "12 s ago");
  EXPECT_EQ(at(-hours{72}), "3 d ago");
}

TEST(MembersScreen, ShowsTroubleFirstAndTheRestAsAPersonSorts) {
  json::object failing = member("id:30");
  failing["failures"] = 2;
  json::object unknown = member("id:5");
  unknown["state"] = "unknown";
  json::object late = member("id:200");
  late["access_token_expires_at"] = kBefore;
  std::vector<json::object> members{member("id:10"), late, member("id:2"), failing, unknown};
  sort_members(members, kNow);
  EXPECT_THAT(keys_of(members), ElementsAre("id:5", "id:30", "id:200", "id:2", "id:10"));
}

TEST(MembersScreen, FiltersByWhatSomebodyAsksFor) {
  json::object late = member("id:1", "Zoë Lovelace");
  late["access_token_expires_at"] = nullptr;
  json::object retired = member("id:2");
  retired["state"] = "retired";
  const json::object well = member("email:ada@example.com", "Ada");
  EXPECT_FALSE(is_wanted(retired, {}, kNow));
  EXPECT_TRUE(is_wanted(retired, {.retired = true}, kNow));
  EXPECT_TRUE(is_wanted(late, {.overdue = true}, kNow));
  EXPECT_FALSE(is_wanted(well, {.overdue = true}, kNow));
  EXPECT_TRUE(is_wanted(well, {.tag = "staff"}, kNow));
  EXPECT_FALSE(is_wanted(well, {.tag = "sta"}, kNow));
  EXPECT_TRUE(is_wanted(well, {.find = "ADA@"}, kNow));
  EXPECT_TRUE(is_wanted(late, {.find = "love"}, kNow));
  EXPECT_FALSE(is_wanted(well, {.find = "love"}, kNow));
}

TEST(MembersScreen, FitsIntoATerminalWhateverNamesThereAre) {
  std::vector<json::object> members;
  for (const std::string& name : {std::string(200, 'x'), std::string("佐藤佐藤佐藤佐藤佐藤佐藤"),
                                  std::string("🚀🚀🚀🚀🚀🚀🚀"), std::string("שלום עולם שלום"),
                                  std::string("\u202eevil\x1b[31m")}) {
    members.push_back(member("email:" + std::string(60, 'a') + "@example.com", name));
    members.back()["failures"] = 12;
  }
  const std::string table = members_table(members, {.columns = 80}, kNow);
  std::istringstream lines(table);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(display_width(line), 80U) << line;
  EXPECT_EQ(table.find('\x1b'), std::string::npos);
  EXPECT_THAT(table, HasSubstr("…"));
}

TEST(MembersScreen, AKeyTakesWhatNoNameNeeds) {
  const std::string key = "email:" + std::string(14, 'a') + "@example.com";
  EXPECT_THAT(members_table({member(key, "Ada")}, {.columns = 80}, kNow), HasSubstr(key));
  const std::string both =
      members_table({member(key, std::string(30, 'n'))}, {.columns = 80}, kNow);
  EXPECT_THAT(both, Not(HasSubstr(key))) << "the name needs the room";
  EXPECT_THAT(both, HasSubstr(key.substr(0, 23)));
}

TEST(MembersScreen, CutsNothingInAPipe) {
  const std::string name(200, 'x');
  const std::string table = members_table({member("id:1", name)}, {}, kNow);
  EXPECT_THAT(table, HasSubstr(name));
  EXPECT_THAT(table, Not(HasSubstr("…")));
  EXPECT_THAT(table, HasSubstr("in 43 min"));
  EXPECT_THAT(members_table({member("id:1")}, {.utc = true}, kNow), HasSubstr(kSoon));
}

}  // namespace
}  // namespace rota::cli
