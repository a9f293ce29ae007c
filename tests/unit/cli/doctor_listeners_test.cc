#include "cli/doctor_listeners.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "cli/doctor_status.h"

namespace rota::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Holder = GrantSettings::Holder;

GrantSettings grant(Holder holder, std::string name, Rights may, std::vector<std::string> tags) {
  GrantSettings made{.holder = holder,
                     .name = std::move(name),
                     .where = {},
                     .may = may,
                     .tags = std::move(tags),
                     .members = {}};
  made.all_members = made.tags.empty();
  return made;
}
const Rights kSignsOut{Right::kFetch, Right::kSignOut};
const Rights kFetches{Right::kFetch};

TEST(JudgeSignOuts, WarnsOfAppsThatShareMembers) {
  const auto shared = judge_sign_outs({grant(Holder::kUser, "web", kSignsOut, {"a", "b"}),
                                       grant(Holder::kClient, "shop", kFetches, {"b"}),
                                       grant(Holder::kGroup, "blog", kSignsOut, {"c"})});
  ASSERT_TRUE(shared);
  EXPECT_EQ(shared->state, FindingState::kNote);
  EXPECT_THAT(shared->text, HasSubstr("user:web may sign out"));
  EXPECT_THAT(shared->text, HasSubstr("all apps of this machine"));
  EXPECT_THAT(shared->text, Not(HasSubstr("blog")));
  EXPECT_TRUE(judge_sign_outs({grant(Holder::kUser, "web", kSignsOut, {"a"}),
                               grant(Holder::kClient, "shop", kFetches, {})}))
      << "the other has all members";
  GrantSettings by_key = grant(Holder::kUser, "web", kSignsOut, {"a"});
  GrantSettings of_others = grant(Holder::kClient, "shop", kFetches, {"b"});
  EXPECT_FALSE(judge_sign_outs({by_key, of_others}));
  by_key.members = of_others.members = {*MemberKey::parse("id:1")};
  EXPECT_TRUE(judge_sign_outs({by_key, of_others})) << "by a key";
  of_others.may = {Right::kEnrol};
  EXPECT_FALSE(judge_sign_outs({by_key, of_others})) << "the other fetches no token";
}

TEST(JudgeSignOuts, NamesEachHolderOnceAndTheFirstOfMany) {
  std::vector<GrantSettings> grants{grant(Holder::kUser, "reader", kFetches, {})};
  for (int i = 1; i <= 7; ++i) {
    const std::string name = "app" + std::to_string(i);
    grants.push_back(grant(Holder::kUser, name, kSignsOut, {"a"}));
    grants.push_back(grant(Holder::kUser, name, kSignsOut, {"b"}));
  }
  EXPECT_THAT(judge_sign_outs(grants)->text,
              HasSubstr("user:app1, user:app2, user:app3, user:app4, user:app5 and 2 more may"));
}

TEST(JudgeSignOuts, IsSilentOfAnAppThatIsAlone) {
  EXPECT_FALSE(judge_sign_outs({}));
  EXPECT_FALSE(judge_sign_outs({grant(Holder::kUser, "web", kSignsOut, {"a"}),
                                grant(Holder::kUser, "web", kFetches, {"a"}),
                                grant(Holder::kGroup, "shop", kSignsOut, {"b"})}))
      << "one holder, and other members";
  EXPECT_FALSE(judge_sign_outs(
      {grant(Holder::kUser, "web", kFetches, {}), grant(Holder::kUser, "shop", kFetches, {})}))
      << "nobody may sign out";
}

TEST(JudgeListener, WantsA401WithoutABearerToken) {
  const auto state = [](ListenerAnswer answer) {
    return judge_listener("127.0.0.1:8465", answer).state;
  };
  EXPECT_EQ(state({.status = 401}), FindingState::kGood);
  EXPECT_EQ(state({.status = 200}), FindingState::kWrong);
  EXPECT_EQ(state({.status = 0}), FindingState::kWrong);
  EXPECT_EQ(state({.error = ECONNREFUSED}), FindingState::kWrong);
  EXPECT_EQ(state({.error = EACCES}), FindingState::kNote);
  EXPECT_EQ(state({.error = EPERM}), FindingState::kNote);
  const auto text = [](ListenerAnswer answer) { return judge_listener("x", answer).text; };
  EXPECT_THAT(text({.error = ECONNREFUSED}), HasSubstr("nobody listens on x"));
  EXPECT_THAT(text({.status = 0}), HasSubstr("no answer in time"));
  EXPECT_THAT(text({.status = 200}), HasSubstr("answers 200"));
}

TEST(PlaceOf, WritesAnAddressAsAUrlDoes) {
  ListenerSettings listener;
  listener.address = {.host = "::1", .port = 8465};
  EXPECT_EQ(place_of(listener), "[::1]:8465");
  listener.address = {.host = "127.0.0.1", .port = 8465};
  EXPECT_EQ(place_of(listener), "127.0.0.1:8465");
}

TEST(JudgeClientUnit, SaysWhetherThePortIsHeld) {
  const auto judged = [](const char* active, const char* file) {
    return judge_client_unit({{"ActiveState", active}, {"UnitFileState", file}});
  };
  EXPECT_EQ(judged("active", "enabled").state, FindingState::kGood);
  EXPECT_EQ(judged("active", "disabled").state, FindingState::kNote);
  EXPECT_EQ(judged("inactive", "enabled").state, FindingState::kNote);
  EXPECT_THAT(judged("inactive", "disabled").text, HasSubstr("another program"));
}

}  // namespace
}  // namespace rota::cli
