#include "table/table.h"

#include <gtest/gtest.h>

#include <set>
#include <utility>

#include "model/expiry.h"
#include "tests/unit/plan/records.h"

namespace rota {
namespace {

using namespace std::chrono_literals;
using test::kT0;

Published row(std::int64_t member, std::vector<std::string> keys, std::string_view token = "t") {
  Published published;
  published.member = MemberId{member};
  for (const std::string& key : keys) published.keys.push_back(MemberKey::parse(key).value());
  published.access_token = make_secret(token);
  return published;
}

TEST(Table, FindsAMemberByEveryKeyAndById) {
  Table table;
  EXPECT_EQ(table.find("id:42"), nullptr);
  EXPECT_EQ(table.find(MemberId{1}), nullptr);
  table.publish(row(1, {"id:42", "email:a@b", "sso:x|1"}));
  for (const char* key : {"id:42", "email:a@b", "sso:x|1"}) {
    ASSERT_NE(table.find(key), nullptr) << key;
    EXPECT_EQ(table.find(key)->member, MemberId{1}) << key;
  }
  EXPECT_EQ(table.find("id:4"), nullptr);
  EXPECT_EQ(table.find("42"), nullptr);
  EXPECT_EQ(table.find(MemberId{1}), table.find("id:42"));
  EXPECT_EQ(table.size(), 1U);
}

TEST(Table, FindsAnAddressInAnyCase) {
  Table table;
  table.publish(row(1, {"email:Ada@Example.com", "sso:Ada"}));
  ASSERT_NE(table.find("email:ada@example.COM"), nullptr);
  EXPECT_EQ(table.find("email:ada@example.COM")->keys.at(0).text(), "email:Ada@Example.com");
  EXPECT_EQ(table.find("sso:ada"), nullptr);
  table.publish(row(1, {"email:ada@example.com"}));
  EXPECT_NE(table.find("email:Ada@Example.com"), nullptr);
  table.forget(MemberId{1});
  EXPECT_EQ(table.find("email:ada@example.com"), nullptr);
}

TEST(TableLookUp, AlwaysHasSomebodyToLookThrough) {
  Table table;
  const MemberKey nobody = MemberKey::from_id(1'000).value();
  EXPECT_EQ(table.look_up(nobody).row, nullptr);
  EXPECT_NE(table.look_up(nobody).examined, nullptr) << "of an empty table too";
  for (std::int64_t id = 1; id <= 20; ++id) {
    table.publish(row(id, {"id:" + std::to_string(id)}));
    table.publish(row(id, {"id:" + std::to_string(id), "sso:x"}));
  }
  std::set<const Published*> picked;
  for (std::int64_t id = 1; id <= 20; ++id) {
    const MemberKey there = MemberKey::from_id(id).value();
    EXPECT_EQ(table.look_up(there).row, table.find(there));
    EXPECT_EQ(table.look_up(there).examined, table.find(there));
    const MemberKey missing = MemberKey::from_id(1'000 + id).value();
    EXPECT_EQ(table.look_up(missing).row, nullptr);
    EXPECT_EQ(table.look_up(missing).examined, table.look_up(missing).examined);
    picked.insert(table.look_up(missing).examined);
  }
  EXPECT_GT(picked.size(), 5U) << "another one for each name";
  for (std::int64_t id = 1; id <= 20; ++id) {
    table.forget(MemberId{id * 8 % 21});
    for (std::int64_t other = 1'000; other < 1'040; ++other) {
      const Published* examined = table.look_up(MemberKey::from_id(other).value()).examined;
      ASSERT_NE(examined, nullptr);
      if (table.size() > 0) EXPECT_EQ(table.find(examined->member), examined);
    }
  }
}

TEST(Table, PublishReplacesAllOfTheOldRow) {
  Table table;
  table.publish(row(1, {"id:42", "email:a@b"}, "old"));
  table.publish(row(1, {"id:42", "email:c@d"}, "new"));
  EXPECT_EQ(table.size(), 1U);
  EXPECT_EQ(table.find("email:a@b"), nullptr);
  ASSERT_NE(table.find("email:c@d"), nullptr);
  EXPECT_EQ(table.find("id:42")->access_token->reveal(), "new");
}

TEST(Table, ForgetTakesTheKeysAlong) {
  Table table;
  table.publish(row(1, {"id:42", "email:a@b"}));
  table.publish(row(2, {"id:43"}));
  table.forget(MemberId{1});
  table.forget(MemberId{9});
  EXPECT_EQ(table.size(), 1U);
  EXPECT_EQ(table.find("id:42"), nullptr);
  EXPECT_EQ(table.find("email:a@b"), nullptr);
  EXPECT_NE(table.find("id:43"), nullptr);
}

TEST(Table, AKeyGoesToTheLastMemberPublishedWithItAndStaysThere) {
  Table table;
  table.publish(row(1, {"id:42", "email:a@b"}));
  table.publish(row(2, {"email:a@b"}));
  EXPECT_EQ(table.find("email:a@b")->member, MemberId{2});
  // The first owner has nothing to take back.
  table.forget(MemberId{1});
  ASSERT_NE(table.find("email:a@b"), nullptr);
  EXPECT_EQ(table.find("email:a@b")->member, MemberId{2});
  table.publish(row(3, {"email:a@b"}));
  table.publish(row(2, {"id:7"}));
  EXPECT_EQ(table.find("email:a@b")->member, MemberId{3});
}

TEST(Table, PointersStayValidWhileOthersAreAdded) {
  Table table;
  table.publish(row(1, {"id:1"}, "first"));
  const Published* first = table.find("id:1");
  for (std::int64_t i = 2; i < 2'000; ++i) table.publish(row(i, {fmt::format("id:{}", i)}));
  EXPECT_EQ(table.find("id:1"), first);
  EXPECT_EQ(first->access_token->reveal(), "first");
}

TEST(Table, ATokenIsAliveUntilASecondBeforeItsEnd) {
  EXPECT_TRUE(alive(kT0, kT0 - 1'001ms));
  EXPECT_FALSE(alive(kT0, kT0 - 1'000ms));
  EXPECT_FALSE(alive(kT0, kT0));
}

TEST(Table, ATokenIsEscapedOnlyIfJsonEscapesAPartOfIt) {
  EXPECT_EQ(escaped_for_json(Secret("eyJhbGciOi.x-_y/+=~\xc3\xa9 ")), nullptr);
  EXPECT_EQ(escaped_for_json(Secret("a\"b\\c\nd"))->reveal(), R"(a\"b\\c\nd)");
  for (const char c : {'"', '\\', '\x1f', '\0'}) {
    EXPECT_NE(escaped_for_json(Secret(std::string(3, 'x') + c)), nullptr) << int{c};
  }
}

// What a reader meets that goes on from change to change.
std::vector<std::int64_t> changed_after(const Table& table, std::uint64_t after) {
  std::vector<std::int64_t> members;
  while (const Published* found = table.next_changed(after)) {
    members.push_back(std::to_underlying(found->member));
    after = found->change;
  }
  return members;
}

TEST(TableChanges, ComeInTheirOrderAndEachMemberOnce) {
  Table table;
  EXPECT_EQ(table.next_changed(0), nullptr);
  for (const std::int64_t member : {1, 2, 3}) {
    table.publish(row(member, {"id:" + std::to_string(member)}));
  }
  EXPECT_EQ(changed_after(table, 0), (std::vector<std::int64_t>{1, 2, 3}));
  const std::uint64_t second = table.find(MemberId{2})->change;
  Published again = row(1, {"id:1"});
  again.fingerprint = 7;
  table.publish(std::move(again));
  EXPECT_EQ(changed_after(table, 0), (std::vector<std::int64_t>{2, 3, 1}));
  EXPECT_EQ(changed_after(table, second), (std::vector<std::int64_t>{3, 1}));
  table.forget(MemberId{3});
  EXPECT_EQ(changed_after(table, second), (std::vector<std::int64_t>{1}));
}

TEST(TableChanges, AreOfStateTokenKeysAndTags) {
  Table table;
  const auto counts = [&](void (*change)(Published&)) {
    table.publish(row(1, {"id:1"}));
    const std::uint64_t before = table.find(MemberId{1})->change;
    Published next = row(1, {"id:1"});
    change(next);
    table.publish(std::move(next));
    return table.find(MemberId{1})->change > before;
  };
  EXPECT_FALSE(counts([](Published&) {}));
  EXPECT_FALSE(counts([](Published& next) { next.use_noted = true; }));
  EXPECT_TRUE(counts([](Published& next) { next.state = MemberState::kBlocked; }));
  EXPECT_TRUE(counts([](Published& next) { next.fingerprint = 9; }));
  EXPECT_TRUE(counts([](Published& next) { next.access_token = nullptr; }));
  EXPECT_TRUE(counts([](Published& next) { next.expires_at += 1s; }));
  EXPECT_TRUE(counts([](Published& next) { next.tags = {"x"}; }));
  EXPECT_TRUE(counts([](Published& next) { next.keys.push_back(MemberKey::from_id(2).value()); }));
}

TEST(TableChanges, SignOutsAreCounted) {
  Table table;
  Published one = row(1, {"id:1"});
  table.publish(one);
  EXPECT_EQ(table.find(MemberId{1})->sign_outs, 0U);
  one.login_epoch[0] = 1;
  const std::uint64_t before = table.find(MemberId{1})->change;
  table.publish(one);
  EXPECT_EQ(table.find(MemberId{1})->sign_outs, 1U);
  EXPECT_GT(table.find(MemberId{1})->change, before);
  table.unserve(MemberId{1});
  one.fingerprint = 9;
  table.publish(one);
  EXPECT_EQ(table.find(MemberId{1})->sign_outs, 1U) << "the epoch is the same";
  one.login_epoch[0] = 2;
  table.publish(one);
  EXPECT_EQ(table.find(MemberId{1})->sign_outs, 2U);
  table.forget(MemberId{1});
  table.publish(one);
  EXPECT_EQ(table.find(MemberId{1})->sign_outs, 0U);
}

TEST(Table, ATokenThatIsGivenBackDoesNotTakeItsSuccessorAlong) {
  Table table;
  Published one = row(1, {"id:1"});
  one.fingerprint = 7;
  table.publish(one);
  table.unserve(MemberId{1}, 8);
  EXPECT_EQ(table.find(MemberId{1})->fingerprint, 7U) << "it is another one";
  EXPECT_NE(table.find(MemberId{1})->access_token, nullptr);
  table.unserve(MemberId{1}, 7);
  EXPECT_EQ(table.find(MemberId{1})->access_token, nullptr);
  table.unserve(MemberId{2}, 7);
  EXPECT_EQ(table.find(MemberId{2}), nullptr);
}

TEST(Table, P11ATagThatIsNotKeptIsShownNoMore) {
  Table table;
  Published one = row(1, {"id:1"});
  one.tags = {"a", "b"};
  table.publish(one);
  const std::uint64_t before = table.find(MemberId{1})->change;
  table.keep_tags(MemberId{1}, {"a", "b", "c"});
  EXPECT_EQ(table.find(MemberId{1})->tags, (std::vector<std::string>{"a", "b"})) << "none comes";
  EXPECT_EQ(table.find(MemberId{1})->change, before);
  table.keep_tags(MemberId{1}, {"b", "c"});
  EXPECT_EQ(table.find(MemberId{1})->tags, std::vector<std::string>{"b"});
  EXPECT_GT(table.find(MemberId{1})->change, before) << "watches hear of it";
  table.keep_tags(MemberId{2}, {});
  EXPECT_EQ(table.find(MemberId{2}), nullptr);
}

// Writes down what it is told.
struct Listener : Subscriber {
  void on_key_changed(std::size_t index) override { told += std::to_string(index); }
  void on_any_changed() override { told += "*"; }
  std::string take() { return std::exchange(told, {}); }
  std::string told;
};

TEST(Subscriptions, TellWhoFollowsAKeyOrAll) {
  Table table;
  Listener keys;
  Listener other;
  Listener all;
  const std::vector<MemberKey> followed{MemberKey::parse("id:1").value(),
                                        MemberKey::parse("email:a@b").value()};
  table.subscriptions().subscribe(keys, followed);
  table.subscriptions().subscribe(other, std::vector{MemberKey::parse("id:2").value()});
  table.subscriptions().subscribe_to_all(all);
  table.publish(row(1, {"id:1"}));
  EXPECT_EQ(keys.take(), "0");
  EXPECT_EQ(all.take(), "*");
  table.publish(row(1, {"id:1"}));  // the same
  EXPECT_EQ(keys.take() + all.take(), "");
  table.publish(row(2, {"id:2", "email:a@b"}));
  EXPECT_EQ(keys.take(), "1");
  EXPECT_EQ(other.take(), "0");
  // A key that is given up is a change of it, and so is a member that is forgotten.
  table.publish(row(2, {"id:2"}));
  EXPECT_EQ(keys.take(), "1");
  EXPECT_EQ(other.take(), "00");
  table.forget(MemberId{1});
  EXPECT_EQ(keys.take(), "0");
  EXPECT_EQ(other.take(), "");

  table.subscriptions().unsubscribe(keys);
  table.subscriptions().unsubscribe(all);
  table.subscriptions().unsubscribe(all);
  all.take();
  table.publish(row(3, {"id:1", "email:a@b", "id:2"}));
  EXPECT_EQ(keys.take() + all.take(), "");
  EXPECT_EQ(other.take(), "0");
  table.subscriptions().unsubscribe(other);
  EXPECT_FALSE(table.subscriptions().follows_keys());
}

}  // namespace
}  // namespace rota
