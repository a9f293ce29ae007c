#include <gtest/gtest.h>

#include "engine/member_slot.h"
#include "table/table.h"

namespace rota {
namespace {

// What each member has in memory at least once. docs/PERFORMANCE.md, "Memory a member", counts the
// bytes: 100,000 members may take 2 kB each, so 8 bytes more are 0.8 MB. A type that has to grow
// needs a new figure there. A field that few members use is cheaper as a SlimVector or a
// SmallOptional.
TEST(MemberSize, IsWhatPerformanceMdCounts) {
  EXPECT_LE(sizeof(MemberSlot), 344U);
  EXPECT_LE(sizeof(MemberRecord), 104U) << "a part of the slot";
  EXPECT_LE(sizeof(Selector), 104U);
  EXPECT_LE(sizeof(Enrolment), 48U);
  EXPECT_LE(sizeof(Token), 56U) << "two of them a member";
  EXPECT_LE(sizeof(Published), 128U);
  EXPECT_LE(sizeof(MemberKey), 40U) << "one in each selector, and one in the table";
}

}  // namespace
}  // namespace rota
