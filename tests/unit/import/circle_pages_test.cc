#include "import/circle_pages.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace rota {
namespace {

using namespace std::string_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr ImportRules kById{};
constexpr ImportRules kByEmail{.by = SelectorKind::kEmail};
constexpr ImportRules kBySso{.by = SelectorKind::kSsoUserId};
constexpr ImportRules kWithTags{.tags = true};

// A record as Circle writes it; `more` may repeat a field: the last one counts.
std::string record(int id, std::string_view more = "") {
  return fmt::format(
      R"({{"first_name":"Gov.","last_name":"Loriann Barton","community_id":1,"last_seen_at":null,)"
      R"("id":{0},"profile_fields":[],"user_id":7,"name":"Gov. Loriann Barton",)"
      R"("email":"m{0}@example.com","active":true,"sso_provider_user_id":"sso|{0}",)"
      R"("member_tags":[{{"id":1,"name":"vip, gold"}},{{"id":2,"name":"a"}}],)"
      R"("gamification_stats":{{"community_member_id":{0},"total_points":0}}{1}}})",
      id, more);
}
std::string page(int number, int count, std::string_view records) {
  return fmt::format(R"({{"page":{},"per_page":2,"has_next_page":false,"count":{},"page_count":1,)"
                     R"("records":[{}]}})",
                     number, count, records);
}

TEST(CirclePages, ReadsRecords) {
  const std::string text =
      "\xef\xbb\xbf\n" + page(1, 2, record(42) + ",\n" + record(43, R"(,"active":false)")) + "\n";
  const auto read = [&](const ImportRules& rules) {
    CirclePages pages(rules);
    const auto members = pages.read("p1.json", text);
    EXPECT_TRUE(members) << members.error().message;
    EXPECT_TRUE(pages.complete());
    return members.value_or(std::vector<ListedMember>(2));
  };
  const auto by_id = read(kById);
  ASSERT_EQ(by_id.size(), 2U);
  EXPECT_EQ(by_id[0].entry.key.text(), "id:42");
  EXPECT_EQ(by_id[0].entry.name, "Gov. Loriann Barton");
  EXPECT_FALSE(by_id[0].entry.retired);
  EXPECT_TRUE(by_id[1].entry.retired);
  EXPECT_EQ(by_id[1].place, 2U);
  EXPECT_THAT(by_id[0].entry.tags, ElementsAre());
  EXPECT_EQ(read(kByEmail)[0].entry.key.text(), "email:m42@example.com");
  EXPECT_EQ(read(kBySso)[1].entry.key.text(), "sso:sso|43");
  EXPECT_THAT(read(kWithTags)[0].entry.tags, ElementsAre("circle:a", "circle:vip, gold"));
}

TEST(CirclePages, P6MustAddUpToTheirCount) {
  CirclePages pages(kById);
  EXPECT_TRUE(pages.complete()) << "no page at all";
  EXPECT_TRUE(pages.read("p1.json", page(1, 3, record(1) + "," + record(2))));
  ASSERT_FALSE(pages.complete());
  EXPECT_THAT(pages.complete().error().message,
              HasSubstr("the list has 3 members, the pages have 2: pages are missing"));
  EXPECT_TRUE(pages.read("p2.json", page(2, 3, record(3))));
  EXPECT_TRUE(pages.complete());
  EXPECT_TRUE(pages.read("p3.json", page(3, 3, record(4))));
  ASSERT_FALSE(pages.complete());
  EXPECT_THAT(pages.complete().error().message, HasSubstr("3 members, the pages have 4"));
}

TEST(CirclePages, P6FitTogether) {
  const auto second = [](std::string_view text) {
    CirclePages pages(kById);
    EXPECT_TRUE(pages.read("p1.json", page(1, 3, record(1))));
    const auto read = pages.read("p2.json", text);
    return read ? "taken" : read.error().message;
  };
  EXPECT_EQ(second(page(2, 3, record(2))), "taken");
  EXPECT_EQ(second(page(1, 3, record(2))), "p2.json: is page 1, as p1.json is");
  EXPECT_THAT(second(page(2, 4, record(2))),
              StartsWith("p2.json: its count is 4, that of p1.json is 3"));
  EXPECT_THAT(second(page(2, 3, record(2, R"(,"community_id":2)"))),
              StartsWith("p2.json: record 1: community_id: is another community's"));
}

TEST(CirclePages, P6TakesNoBrokenPage) {
  struct Row {
    std::string text;
    std::string at;
    std::string why;
  };
  const std::string good = page(1, 1, record(1));
  const auto bad = [](std::string_view more) {
    return page(1, 2, record(1) + "," + record(2, more));
  };
  for (const Row& row : std::vector<Row>{
           {"[" + record(1) + "]", ": ", "object with records and count"},
           {record(1) + "\n" + record(2) + "\n", ":2: ", "goes on behind"},  // JSON lines
           {good + "\n" + good, ":2: ", "goes on behind"},
           {good + "\0"s, ":1: ", "goes on behind"},
           {good.substr(0, good.size() - 1), ":1: ", "cut off"},
           {"{\n\"records\": [\n", ":3: ", "cut off"},
           {"{\n\"records\": \"hunter2x", ":2: ", "cut off"},
           {"{\n'hunter2x", ":2: ", "no JSON"},
           {"{\"a\":\"hunter2x\xe4\"}", ":1: ", "no JSON"},  // Latin-1
           {"{\"a\":\"hunter2x\0\"}"s, ":1: ", "no JSON"},
           {std::string(200'000, '['), ":1: ", "no JSON"},
           {"{\"a\":" + std::string(200'000, '['), ":1: ", "no JSON"},
           {R"({"success":false,"message":"hunter2x"})", ": ", "no list of records"},
           {R"({"records":[],"count":null})", ": ", "no count"},
           {R"({"records":[],"count":"hunter2x"})", ": ", "count: is no whole number"},
           {R"({"records":[],"count":1,"page":1.5})", ": ", "page: is no whole number"},
           {R"({"records":["hunter2x"],"count":1})", ": record 1: ", "no object"},
           {bad(R"(,"id":null)"), ": record 2: ", "id: is empty"},
           {bad(R"(,"id":"hunter2x")"), ": record 2: ", "id: is no whole number"},
           {bad(R"(,"id":0)"), ": record 2: ", "id: is no whole number"},
           {bad(R"(,"id":9007199254740993)"), ": record 2: ", "id: is no whole number"},
           {bad(R"(,"id":1e300)"), ": record 2: ", "id: is no whole number"},
           {bad(R"(,"name":["hunter2x"])"), ": record 2: ", "name: is no text"},
           {bad(R"(,"active":null)"), ": record 2: ", "active: is neither"},
           {bad(R"(,"active":"hunter2x")"), ": record 2: ", "active: is neither"},
           {bad(R"(,"community_id":"hunter2x")"), ": record 2: ", "community_id: is no whole"},
           {bad(R"(,"member_tags":null)"), ": record 2: ", "member_tags: there is no"},
           {bad(R"(,"member_tags":["hunter2x"])"),
            ": record 2: ", "member_tags: has a tag without"},
           {bad(R"(,"member_tags":[{"name":7}])"),
            ": record 2: ", "member_tags: has a tag without"},
           {bad(R"(,"member_tags":[{"name":""}])"),
            ": record 2: ", "member_tags: has a tag without"},
           {bad(R"(,"member_tags":[{"name":"\u0000"}])"), ": record 2: ", "control character"},
       }) {
    CirclePages pages(kWithTags);
    const auto read = pages.read("p.json", row.text);
    ASSERT_FALSE(read) << row.text.substr(0, 300);
    EXPECT_EQ(read.error().kind, ErrorKind::kInvalid);
    EXPECT_THAT(read.error().message, StartsWith("p.json" + row.at)) << row.text.substr(0, 300);
    EXPECT_THAT(read.error().message, HasSubstr(row.why)) << row.text.substr(0, 300);
    EXPECT_THAT(read.error().message, Not(HasSubstr("hunter2x")));
  }
  for (const ImportRules& rules : {kByEmail, kBySso}) {
    CirclePages pages(rules);
    const auto read =
        pages.read("p.json", page(1, 1, record(1, R"(,"email":"","sso_provider_user_id":null)")));
    ASSERT_FALSE(read);
    EXPECT_THAT(read.error().message, HasSubstr("is empty"));
  }
}

}  // namespace
}  // namespace rota
