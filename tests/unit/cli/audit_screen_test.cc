#include "cli/audit_screen.h"

#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <string>

#include "cli/columns.h"

namespace rota::cli {
namespace {

using ::testing::HasSubstr;

namespace json = boost::json;

const WallTime kNow = *parse_iso8601("2024-03-20T16:42:10Z");

std::string name_of(std::uint32_t uid) { return uid == 33 ? "www-data" : ""; }

json::object entry() {
  return {{"at", "2024-03-20T16:36:47.274Z"},
          {"event", "token_fetched"},
          {"count", 1},
          {"member", "id:42"},
          {"uid", 33},
          {"pid", 812},
          {"client", nullptr},
          {"detail", ""}};
}

std::string line(const json::object& entry) { return audit_screen_line(entry, 80, kNow, name_of); }

TEST(AuditScreen, SaysWhenWhatWhoAndWhom) {
  EXPECT_EQ(audit_screen_head(80),
            "TIME (UTC)  EVENT               MEMBER             WHO (PID)      DETAIL\n");
  EXPECT_EQ(line(entry()), "16:36:47    token_fetched       id:42              www-data (812)\n");
}

TEST(AuditScreen, NamesTheDayTheCountAndWhoHasNoName) {
  json::object old = entry();
  old["at"] = "2024-03-19T23:59:01.000Z";
  old["count"] = 12;
  old["uid"] = 1'002;
  old["pid"] = nullptr;
  EXPECT_EQ(line(old), "03-19 23:59 token_fetched x12   id:42              uid 1002\n");
  old["client"] = "shop";
  EXPECT_THAT(line(old), HasSubstr("shop"));
  old["client"] = nullptr;
  old["uid"] = nullptr;
  EXPECT_THAT(line(old), HasSubstr("rotad"));
}

TEST(AuditScreen, FitsWhateverOthersWrote) {
  json::object long_one = entry();
  long_one["member"] = "email:" + std::string(80, 'a');
  long_one["client"] = std::string(64, 'c');
  long_one["detail"] = std::string(300, 'd') + "\x1b[31m";
  EXPECT_LE(display_width(line(long_one)), 81U) << "its end counts as one";
  EXPECT_EQ(line(long_one).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace rota::cli
