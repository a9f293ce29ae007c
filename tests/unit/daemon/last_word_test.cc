#include "daemon/last_word.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

namespace rota {
namespace {

using testing::HasSubstr;

TEST(LastWord, SaysThatAllIsCommittedOnlyIfItIs) {
  const LastWord good = last_word({});
  EXPECT_EQ(good.severity, Severity::kInfo);
  EXPECT_EQ(good.text, "all calls are finished and committed");
  EXPECT_TRUE(good.all_is_durable);

  const std::pair<Ending, const char*> endings[] = {
      {{.changes_left = true}, "the last changes are not committed"},
      {{.changes_left = true, .commit_error = "no space"}, "are not committed: no space"},
      {{.database_problem = "rota.db was moved"}, "rota.db was moved"},
      {{.audit_left = 2}, "2 entries of the audit trail are not written"},
  };
  for (const auto& [ending, words] : endings) {
    const LastWord word = last_word(ending);
    EXPECT_EQ(word.severity, Severity::kError);
    EXPECT_THAT(word.text, HasSubstr(words));
    EXPECT_THAT(word.text, testing::Not(HasSubstr("all calls are finished and committed")));
    EXPECT_FALSE(word.all_is_durable);
  }
}

TEST(LastWord, SaysTheReasonOnce) {
  const LastWord word = last_word(
      {.changes_left = true, .commit_error = "it was moved", .database_problem = "it was moved"});
  EXPECT_EQ(word.text,
            "not everything ended well: the last changes are not committed: it was moved");
}

// Their rows are on record, so nothing is lost.
TEST(LastWord, CallsInFlightAndConnectionsAreNoFailure) {
  const LastWord calls = last_word({.in_time = false, .calls_in_flight = 1});
  EXPECT_THAT(calls.text, HasSubstr("1 call was in flight"));
  EXPECT_TRUE(calls.all_is_durable);
  const LastWord connections = last_word({.in_time = false});
  EXPECT_THAT(connections.text, HasSubstr("not all connections ended in time"));
  EXPECT_TRUE(connections.all_is_durable);
}

}  // namespace
}  // namespace rota
